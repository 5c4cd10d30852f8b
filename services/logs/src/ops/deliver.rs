use base::{Arn, Fault};
use kernel::{Call, Delivery, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{Event, EventKey, GroupKey, Stream, StreamKey};
use crate::token::Place;
use crate::{fault, subscription};

/// The internal operation by which an event becomes a line of a group.
pub(crate) const DELIVER: &str = "DeliverToLogGroup";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deliver {
    group: String,
    stream: String,
    message: String,
}

/// Each delivery goes to the stream of its own idempotency key, as EventBridge makes a stream a delivery.
pub(crate) fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let group = super::name_of(&arn.to_string()).to_owned();
    let deliver = Deliver { group, stream: delivery.idempotency_key, message: delivery.payload };
    Call::new("logs", DELIVER, &deliver).map_err(|error| Fault::validation(error.to_string()))
}

pub(crate) async fn deliver(tx: &mut Tx, input: Deliver) -> Result<()> {
    let Some(group) = tx.get(&GroupKey { name: input.group.clone() }).await? else {
        return Err(fault::no_such_group().into());
    };
    let now = tx.now();
    let key = StreamKey { group: input.group.clone(), name: input.stream.clone() };
    let mut stream = tx.get(&key).await?.unwrap_or(Stream {
        created_at: now,
        first_event_at: Some(now),
        last_event_at: None,
        last_ingested_at: None,
        next_place: None,
    });
    let (seq, index) = (tx.seq(), stream.take_places(tx.seq(), 1));
    tx.put(&key, &Stream { last_event_at: Some(now), last_ingested_at: Some(now), ..stream })?;
    let event_key = EventKey { group: input.group, stream: input.stream, at: now, seq, index };
    let line = (Place::of(&event_key), input.message.clone());
    tx.put(&event_key, &Event { message: input.message, ingested_at: now })?;
    subscription::forward(tx, &group, &key, &[line])
}
