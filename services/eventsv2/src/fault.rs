//! The faults of EventBridge's second API, in its codes.

use base::Fault;

use crate::api::error;

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    error::invalid_input_exception(message)
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    invalid(format!("{what} is not implemented by Buswork"))
}

pub(crate) fn not_found(kind: &str, name: &str) -> Fault {
    error::resource_not_found_exception(format!("{kind} {name} does not exist."))
}

pub(crate) fn already_exists(kind: &str, name: &str) -> Fault {
    error::resource_already_exists_exception(format!("{kind} {name} already exists."))
}

pub(crate) fn limit_exceeded(what: &str, most: usize) -> Fault {
    error::limit_exceeded_exception(format!("There can be at most {most} {what}."))
}

pub(crate) fn revoked(arn: &str) -> Fault {
    error::invalid_state_exception(format!("{arn} was revoked by the owner of its event bus."))
}

pub(crate) fn in_use(message: impl Into<String>) -> Fault {
    error::resource_in_use_exception(message)
}

pub(crate) fn token_mismatch() -> Fault {
    error::idempotent_parameter_mismatch_exception(
        "The client token was used by an earlier request with different parameters.",
    )
}

pub(crate) fn access_denied(account: &str, arn: &str) -> Fault {
    error::access_denied_exception(format!(
        "Account {account} is not authorized to access resource {arn} because no resource-based policy allows it"
    ))
}
