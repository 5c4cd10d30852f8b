//! Functions as targets: what is delivered to a function's ARN is an asynchronous event.

use base::{Arn, Fault};
use bytes::Bytes;
use kernel::{Call, Delivery, TargetKind};
use serde::{Deserialize, Serialize};

use crate::ACCEPT_EVENT;

/// A function, a version or an alias.
pub(crate) const FUNCTION: TargetKind = TargetKind {
    service: "lambda",
    name: "Lambda function",
    serves: is_function,
    call: deliver,
    at_once: |_| false,
};

/// The input of the internal operation that accepts an asynchronous event, once for each delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AcceptEvent {
    pub function: String,
    pub qualifier: Option<String>,
    pub payload: Bytes,
    pub client_context: Option<String>,
    /// Events of one order reach the function one after the other, as they were accepted; retries give up their place.
    pub order: Option<String>,
}

fn is_function(arn: &Arn) -> bool {
    arn.resource_after("function").is_some()
}

fn deliver(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let input = AcceptEvent {
        function: arn.to_string(),
        qualifier: None,
        payload: delivery.payload.into(),
        client_context: None,
        order: delivery.order,
    };
    Call::new("lambda", ACCEPT_EVENT, &input).map_err(|error| Fault::validation(error.to_string()))
}
