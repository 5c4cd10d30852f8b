//! Events that come from other buses.

use std::collections::BTreeMap;

use base::Document;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::bus;
use crate::event::{EVENT_BRIDGE_JSON, NewEvent, digest, of_envelope, system};
use crate::params::failed;
use crate::publish::Publisher;

/// The internal operation by which an event comes from a classic bus.
pub(crate) const DELIVER_TO_BUS: &str = "DeliverToBus";
/// The internal operation by which an event comes from another bus of this API.
pub(crate) const FORWARD: &str = "ForwardEvent";

/// An event that a rule of a classic bus sends here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliverToBus {
    pub bus_arn: String,
    pub envelope: String,
    /// Events of one order are of one group.
    pub order: Option<String>,
}

/// An event that a subscriber of another bus sends here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Forward {
    pub bus_arn: String,
    pub data: String,
    pub metadata: Document,
    pub content_type: String,
    pub event_group_id: Option<String>,
    pub deduplication_id: Option<String>,
    pub by_content: bool,
}

/// Takes an event from a classic bus as it is.
pub(crate) async fn deliver_to_bus(tx: &mut Tx, input: DeliverToBus) -> Result<()> {
    let mut event = of_envelope(input.envelope, tx.id())?;
    if let Some(order) = input.order {
        // Groups have at most 128 characters; an order may be longer.
        event.system.insert(system::GROUP.to_owned(), digest(order.as_bytes()));
    }
    take(tx, &input.bus_arn, event).await
}

/// Takes an event from another bus: its data and metadata stay, its id and its times are new.
pub(crate) async fn forward(tx: &mut Tx, input: Forward) -> Result<()> {
    let metadata: BTreeMap<String, String> = match input.metadata {
        Document::Null => BTreeMap::new(),
        metadata => serde_json::from_value(metadata)?,
    };
    if serde_json::from_str::<&serde_json::value::RawValue>(&input.data).is_err() {
        return Err(failed("What the transformer makes is not JSON.").into());
    }
    let mut event = match input.content_type.as_str() {
        EVENT_BRIDGE_JSON => of_envelope(input.data.clone(), tx.id())?,
        other => NewEvent {
            id: tx.id(),
            digest: digest(format!("{}\n{metadata:?}", input.data).as_bytes()),
            data: input.data,
            metadata: None,
            system: BTreeMap::from([(system::CONTENT_TYPE.to_owned(), other.to_owned())]),
            by_content: false,
        },
    };
    if !metadata.is_empty() {
        event.metadata = Some(metadata);
    }
    event.by_content = input.by_content;
    let given = [(system::GROUP, input.event_group_id), (system::DEDUPLICATION, input.deduplication_id)];
    for (name, value) in given {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            event.system.insert(name.to_owned(), value);
        }
    }
    take(tx, &input.bus_arn, event).await
}

async fn take(tx: &mut Tx, bus_arn: &str, event: NewEvent) -> Result<()> {
    let (_, found) = bus::find(tx, bus_arn).await?;
    let mut publisher = Publisher::open(tx, &found.id).await?;
    let trace = tx.trace();
    publisher.take(tx, event, trace).await?;
    publisher.close(tx)
}
