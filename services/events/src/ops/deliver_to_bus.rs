use base::Timestamp;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bus;
use crate::event::NewEvent;
use crate::publish::publish_envelope;

/// An event that a rule of another bus sends here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliverToBus {
    bus: String,
    envelope: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: Uuid,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    resources: Vec<String>,
    time: String,
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// Takes an event from another bus as it is: id, account, region and time stay those of where it came from.
pub(crate) async fn deliver_to_bus(tx: &mut Tx, input: DeliverToBus) -> Result<()> {
    bus::find(tx, &input.bus).await?;
    let envelope: Envelope<'_> = serde_json::from_str(&input.envelope)?;
    let event = NewEvent {
        id: envelope.id,
        source: envelope.source,
        detail_type: envelope.detail_type,
        resources: envelope.resources,
        time: Timestamp::from_iso(&envelope.time).unwrap_or_else(|| tx.now()),
        detail: envelope.detail.get().to_owned(),
        order: None,
    };
    publish_envelope(tx, &input.bus, event, input.envelope).await
}
