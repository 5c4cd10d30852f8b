use std::time::Duration;

use base::{Fault, Timestamp};
use kernel::{Result, Tx};

use crate::api::{ChangeMessageVisibilityInput, ChangeMessageVisibilityOutput};
use crate::keys::{HeadKey, Moved, MovedKey};
use crate::message::Receipt;
use crate::ops::delete_message::locate;
use crate::queue::{find, is_fifo};
use crate::{fault, fifo};

/// The longest time that a message stays invisible after its receive.
pub(crate) const VISIBILITY_S_MAX: u32 = 43_200;

/// Makes a received message visible at another time; 0 seconds makes it visible now.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
pub(crate) async fn change_message_visibility(
    tx: &mut Tx,
    input: ChangeMessageVisibilityInput,
) -> Result<ChangeMessageVisibilityOutput> {
    let (queue, _) = find(tx, &input.queue_url).await?;
    change(tx, &queue, &input.receipt_handle, input.visibility_timeout).await?;
    Ok(ChangeMessageVisibilityOutput {})
}

/// Moves the head of a message that is in flight.
pub(crate) async fn change(tx: &mut Tx, queue: &str, handle: &str, timeout_s: i32) -> Result<()> {
    let timeout_s = check_timeout(timeout_s)?;
    if is_fifo(queue) {
        return fifo::change_visibility(tx, queue, handle, timeout_s).await;
    }
    let receipt = Receipt::parse(queue, handle)?;
    let place = locate(tx, queue, &receipt).await?;
    let Some(place) = place.filter(|place| place.key.visible_at > tx.now()) else {
        return Err(fault::not_in_flight(handle).into());
    };
    let visible_at = tx.now() + Duration::from_secs(u64::from(timeout_s));
    check_total(receipt.received_at, visible_at, timeout_s)?;
    tx.delete(&place.key);
    tx.put(&HeadKey { visible_at, ..place.key }, &place.head)?;
    let moved = Moved { visible_at, receipt: receipt.receipt };
    tx.put(&MovedKey { queue: queue.to_owned(), id: receipt.id }, &moved)
}

/// A message is invisible for at most twelve hours from its receive on, however often that is changed.
pub(crate) fn check_total(
    received_at: Timestamp,
    visible_at: Timestamp,
    timeout_s: u32,
) -> Result<(), Fault> {
    if visible_at <= received_at + Duration::from_secs(u64::from(VISIBILITY_S_MAX)) {
        return Ok(());
    }
    let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
    Err(fault::invalid_value(timeout_s, "VisibilityTimeout", reason))
}

pub(crate) fn check_timeout(timeout_s: i32) -> Result<u32, Fault> {
    let seconds = u32::try_from(timeout_s).ok().filter(|seconds| *seconds <= VISIBILITY_S_MAX);
    let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
    seconds.ok_or_else(|| fault::invalid_value(timeout_s, "VisibilityTimeout", reason))
}
