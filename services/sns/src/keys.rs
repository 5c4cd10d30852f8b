//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `TopicKey { name }` | a topic's attributes |
//! | `SubscriptionKey { topic, id }` | who is subscribed, and how |
//! | `EndpointKey { topic, protocol, endpoint }` | the subscription of an endpoint: there is one at most |
//! | `OrderKey { topic, bucket }` | the last number given out in some groups of a FIFO topic; publishers meet here |
//! | `AcceptedKey { topic, scope, id }` | a message that a FIFO topic has accepted within the last minutes |
//! | `AgedKey { topic, at, seq, salt }` | the same by age |
//! | `KeptKey { topic, line, number }` | a message that not all subscriptions have been given: the next in a line of them |
//! | `LineKey { topic, line }` | how many messages are kept in a line; publishers to a FIFO topic's group meet here |
//! | `AttemptsKey { task }` | how often an HTTP delivery has failed that is tried again |

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fan_out::Kept;
use crate::subscription::Subscription;
use crate::topic::Topic;

keys! {
    /// A topic.
    pub(crate) struct TopicKey(1, large) -> Topic { name: String }
    /// A subscription.
    pub(crate) struct SubscriptionKey(2, large) -> Subscription { topic: String, id: Uuid }
    /// The subscription of an endpoint.
    pub(crate) struct EndpointKey(3) -> Number { topic: String, protocol: String, endpoint: String }
    /// The last number of some groups.
    pub(crate) struct OrderKey(4, sharded) -> Number { topic: String, bucket: u64 }
    /// A message that was accepted. The scope is its group, or empty for the whole topic.
    pub(crate) struct AcceptedKey(5, sharded) -> Accepted { topic: String, scope: String, id: String }
    /// Messages that were accepted, by age.
    pub(crate) struct AgedKey(6, sharded) -> Aged { topic: String, at: Timestamp, seq: u64, salt: u64 }
    /// A message that not all subscriptions have been given. The line is its group, or its id where there is no order.
    pub(crate) struct KeptKey(8, large) -> Kept { topic: String, line: String, number: u64 }
    /// How many messages are in a line.
    pub(crate) struct LineKey(9) -> Number { topic: String, line: String }
    /// Failed attempts of a delivery.
    pub(crate) struct AttemptsKey(7) -> Number { task: Uuid }
}

/// A number, or an id as one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Number(pub u128);
store::stored!(Number, format = 1);

/// A message that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// When.
    pub at: Timestamp,
    /// By which topic of this name.
    pub generation: Uuid,
    /// The message.
    pub id: Uuid,
    /// Its place.
    pub number: u64,
}
store::stored!(Accepted, format = 1);

/// The rest of the key of a message that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Aged {
    /// The scope.
    pub scope: String,
    /// The deduplication id.
    pub id: String,
}
store::stored!(Aged, format = 1);
