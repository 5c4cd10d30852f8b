//! The text of a receipt handle: of which queue it is, when the message was received, and what each kind of queue needs to find it
//! again.

use base::{Fault, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest, Md5};

use crate::fault;

/// The handle of a message of `queue` that was received at a time.
pub(crate) fn close(queue: &str, received_at: Timestamp, place: &[u8]) -> String {
    let received_at = received_at.as_millis().to_be_bytes();
    URL_SAFE_NO_PAD.encode([&mark(queue)[..], &received_at, place].concat())
}

/// When the message was received, and its place.
///
/// # Errors
/// `ReceiptHandleIsInvalid` if it is no handle, or another queue's.
pub(crate) fn open(queue: &str, handle: &str) -> Result<(Timestamp, Vec<u8>), Fault> {
    let open = || {
        let bytes = URL_SAFE_NO_PAD.decode(handle).ok()?;
        let (of, rest) = bytes.split_first_chunk::<4>()?;
        let (received_at, place) = rest.split_first_chunk::<8>()?;
        (*of == mark(queue))
            .then(|| (Timestamp::from_millis(i64::from_be_bytes(*received_at)), place.to_vec()))
    };
    open().ok_or_else(|| fault::invalid_receipt_handle(handle))
}

/// Tells the queues of an account apart.
fn mark(queue: &str) -> [u8; 4] {
    let digest = Md5::digest(queue);
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_of_its_queue_only() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let handle = close("q", at, b"place");
        assert_eq!(open("q", &handle).unwrap(), (at, b"place".to_vec()));
        for (queue, handle) in [("other", handle.as_str()), ("q", "nonsense"), ("q", ""), ("q", "no text!")] {
            assert_eq!(open(queue, handle).unwrap_err().code, "ReceiptHandleIsInvalid");
        }
    }
}
