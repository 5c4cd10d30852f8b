//! The handle that a receive from a FIFO queue gives out, and what can be done with it.

use std::time::Duration;

use base::{Fault, Timestamp};
use kernel::{Result, Tx};
use uuid::Uuid;

use super::settle;
use crate::keys::{FifoHead, FifoKey, MessageKey};
use crate::ops::change_message_visibility::check_total;
use crate::{fault, handle};

/// Which receive of which message. The message's place never changes, so that the handle stays good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FifoReceipt {
    pub received_at: Timestamp,
    pub id: Uuid,
    pub number: u64,
    pub receipt: u64,
    pub group: String,
}

impl FifoReceipt {
    pub(crate) fn of(key: &FifoKey, fifo: &FifoHead, received_at: Timestamp) -> FifoReceipt {
        FifoReceipt {
            received_at,
            id: fifo.head.id,
            number: key.number,
            receipt: fifo.head.receipt,
            group: key.group.clone(),
        }
    }

    pub(crate) fn to_handle(&self, queue: &str) -> String {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.receipt.to_be_bytes());
        bytes.extend(self.group.as_bytes());
        handle::close(queue, self.received_at, &bytes)
    }

    pub(crate) fn parse(queue: &str, handle: &str) -> Result<FifoReceipt, Fault> {
        let (received_at, bytes) = handle::open(queue, handle)?;
        let parse = || {
            let (id, rest) = bytes.split_first_chunk::<16>()?;
            let (number, rest) = rest.split_first_chunk::<8>()?;
            let (receipt, group) = rest.split_first_chunk::<8>()?;
            Some(FifoReceipt {
                received_at,
                id: Uuid::from_bytes(*id),
                number: u64::from_be_bytes(*number),
                receipt: u64::from_be_bytes(*receipt),
                group: String::from_utf8(group.to_vec()).ok().filter(|group| !group.is_empty())?,
            })
        };
        parse().ok_or_else(|| fault::invalid_receipt_handle(handle))
    }

    fn key(&self, queue: &str) -> FifoKey {
        FifoKey { queue: queue.to_owned(), group: self.group.clone(), number: self.number }
    }
}

/// Deletes a message. A message that is gone is no error; a handle whose time has passed is one, since another receiver
/// may be at work on the message.
pub(crate) async fn delete(tx: &mut Tx, queue: &str, handle: &str) -> Result<()> {
    let receipt = FifoReceipt::parse(queue, handle)?;
    let key = receipt.key(queue);
    let Some(fifo) = tx.get(&key).await?.filter(|fifo| fifo.head.id == receipt.id) else { return Ok(()) };
    if fifo.head.receipt != receipt.receipt || fifo.visible_at <= tx.now() {
        let reason = "The receipt handle has expired.";
        return Err(fault::invalid_value(handle, "ReceiptHandle", reason).into());
    }
    tx.delete(&key);
    tx.delete(&MessageKey { queue: queue.to_owned(), id: receipt.id });
    settle(tx, queue, &receipt.group).await
}

/// Makes a message that is in flight visible in so many seconds.
pub(crate) async fn change_visibility(tx: &mut Tx, queue: &str, handle: &str, timeout_s: u32) -> Result<()> {
    let receipt = FifoReceipt::parse(queue, handle)?;
    let key = receipt.key(queue);
    let now = tx.now();
    let in_flight = |fifo: &FifoHead| fifo.head.receipt == receipt.receipt && fifo.visible_at > now;
    let Some(fifo) = tx.get(&key).await?.filter(in_flight) else {
        return Err(fault::not_in_flight(handle).into());
    };
    let visible_at = now + Duration::from_secs(u64::from(timeout_s));
    check_total(receipt.received_at, visible_at, timeout_s)?;
    tx.put(&key, &FifoHead { visible_at, ..fifo })?;
    settle(tx, queue, &receipt.group).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_round_trip_and_others_are_refused() {
        let receipt = FifoReceipt {
            received_at: Timestamp::from_millis(1_600_000_000_000),
            id: Uuid::from_u128(7),
            number: 3,
            receipt: u64::MAX,
            group: "g".into(),
        };
        assert_eq!(FifoReceipt::parse("q", &receipt.to_handle("q")).unwrap(), receipt);
        let no_group = FifoReceipt { group: String::new(), ..receipt.clone() };
        for handle in ["", "nonsense", &no_group.to_handle("q"), &receipt.to_handle("other")] {
            assert_eq!(FifoReceipt::parse("q", handle).unwrap_err().code, "ReceiptHandleIsInvalid");
        }
    }
}
