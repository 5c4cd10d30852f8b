use std::time::Duration;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{PurgeQueueInput, PurgeQueueOutput};
use crate::keys::{Purged, PurgedKey};
use crate::ops::{get_queue_attributes, remove_messages};
use crate::queue::find_guarded;

/// The time between two purges.
const EVERY: Duration = Duration::from_secs(60);

/// Removes all messages that were sent up to now, in tasks.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html>
pub(crate) async fn purge_queue(tx: &mut Tx, input: PurgeQueueInput) -> Result<PurgeQueueOutput> {
    let (key, _) = find_guarded(tx, &input.queue_url).await?;
    let purged_key = PurgedKey { queue: key.name.clone() };
    if tx.get(&purged_key).await?.is_some_and(|purged| purged.at + EVERY > tx.now()) {
        let message = format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", key.name);
        return Err(Fault::new("PurgeQueueInProgress", message).with_status(403).into());
    }
    tx.put(&purged_key, &Purged { at: tx.now() })?;
    get_queue_attributes::forget(tx, &key.name)?;
    remove_messages::remove_sent_until_now(tx, &key.name)?;
    Ok(PurgeQueueOutput {})
}
