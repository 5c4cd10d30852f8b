use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity::{Offer, find};
use crate::keys::OfferKey;

/// The internal operation that puts a task before the workers of an activity.
pub(crate) const OFFER: &str = "OfferActivityTask";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OfferTask {
    pub activity_arn: String,
    pub id: Uuid,
    pub offer: Offer,
}

/// Puts the task before the workers, in a commit of its own, because the activity may not be there.
pub(crate) async fn offer_activity_task(tx: &mut Tx, input: OfferTask) -> Result<()> {
    let OfferTask { activity_arn, id, offer } = input;
    let (activity, _) = find(tx, &activity_arn).await?;
    tx.put(&OfferKey { activity: activity.name, id }, &offer)
}
