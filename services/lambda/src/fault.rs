//! The faults of Lambda, in its codes and words, where several operations share them.

use base::Fault;

use crate::api::error;

pub(crate) fn function_not_found(arn: &str) -> Fault {
    typed(error::resource_not_found_exception(format!("Function not found: {arn}")))
}

pub(crate) fn alias_not_found(arn: &str) -> Fault {
    typed(error::resource_not_found_exception(format!("Cannot find alias arn: {arn}")))
}

pub(crate) fn no_such_resource() -> Fault {
    typed(error::resource_not_found_exception("The resource you requested does not exist."))
}

pub(crate) fn conflict(message: impl Into<String>) -> Fault {
    typed(error::resource_conflict_exception(message))
}

pub(crate) fn stale_revision() -> Fault {
    let message = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    typed(error::precondition_failed_exception(message))
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    typed(error::invalid_parameter_value_exception(message))
}

/// A property of AWS's that is not honoured here, and therefore not accepted.
pub(crate) fn unsupported(property: &str) -> Fault {
    invalid(format!("{property} is not implemented by Buswork, so a function that asks for it is refused"))
}

/// No process may be had for it now.
pub(crate) fn throttled(reason: &str) -> Fault {
    let fault = error::too_many_requests_exception("Rate Exceeded.").with_status(429);
    fault.with_members(serde_json::json!({ "Reason": reason, "Type": "User" }))
}

/// Lambda's faults say whose they are in a member of their own.
fn typed(fault: Fault) -> Fault {
    fault.with_members(serde_json::json!({ "Type": "User" }))
}
