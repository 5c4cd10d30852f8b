//! Why a transaction was cancelled, item by item.

use base::Fault;
use serde_json::{Value, json};

use crate::api;

/// What becomes of one item of a transaction: nothing to say, or a cancellation reason.
pub(super) type Reason = Option<Value>;

/// The reason for an item that cannot be read or written as asked.
pub(super) fn validation_error(fault: &Fault) -> Value {
    json!({ "Code": "ValidationError", "Message": fault.message })
}

/// The fault that carries all reasons, in the order of the items.
pub(super) fn cancelled(reasons: &[Reason]) -> Fault {
    let none = json!({ "Code": "None" });
    let all: Vec<&Value> = reasons.iter().map(|reason| reason.as_ref().unwrap_or(&none)).collect();
    let codes: Vec<&str> = all.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let text = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    api::error::transaction_canceled_exception(text).with_members(json!({ "CancellationReasons": all }))
}
