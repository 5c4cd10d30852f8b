//! Events that services themselves send to the default bus.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The internal operation of `events` that takes a [`ServiceEvent`].
pub const PUBLISH: &str = "PublishServiceEvent";

/// What a handler emits; the transaction adds id and time.
#[derive(Clone, Debug)]
pub struct Event {
    /// `aws.states`, `aws.cloudformation`, …
    pub source: String,
    /// The `detail-type`.
    pub detail_type: String,
    /// ARNs of what the event is about.
    pub resources: Vec<String>,
    /// The `detail` object as JSON text; it travels untouched.
    pub detail: String,
    /// Events of one order reach one target one after the other, as they were emitted.
    pub order: Option<String>,
    /// Whether it is of the first transaction that emits events of its order, so that none of them can be waiting.
    pub begins_order: bool,
}

/// An emitted event on its way to the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// The event's id.
    pub id: Uuid,
    /// See [`Event::source`].
    pub source: String,
    /// See [`Event::detail_type`].
    pub detail_type: String,
    /// See [`Event::resources`].
    pub resources: Vec<String>,
    /// Milliseconds since the epoch.
    pub time: base::Timestamp,
    /// See [`Event::detail`].
    pub detail: String,
    /// See [`Event::order`].
    pub order: Option<String>,
}
