//! The faults of IAM, in its codes and words.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html> and the operations' pages.

use base::Fault;

/// `kind` is `role`, `user` or `group`.
pub(crate) fn no_such_holder(kind: &str, name: &str) -> Fault {
    no_such(format!("The {kind} with name {name} cannot be found."))
}

pub(crate) fn no_such_inline_policy(kind: &str, name: &str) -> Fault {
    no_such(format!("The {kind} policy with name {name} cannot be found."))
}

pub(crate) fn no_such_policy(arn: &str) -> Fault {
    no_such(format!("Policy {arn} was not found."))
}

pub(crate) fn no_such(message: String) -> Fault {
    Fault::new("NoSuchEntity", message).with_status(404)
}

pub(crate) fn already_exists(message: String) -> Fault {
    Fault::new("EntityAlreadyExists", message).with_status(409)
}

pub(crate) fn delete_conflict(message: &str) -> Fault {
    Fault::new("DeleteConflict", message).with_status(409)
}

pub(crate) fn malformed_policy(message: impl Into<String>) -> Fault {
    Fault::new("MalformedPolicyDocument", message)
}

pub(crate) fn limit_exceeded(message: String) -> Fault {
    Fault::new("LimitExceeded", message).with_status(409)
}

pub(crate) fn protected(name: &str) -> Fault {
    let message = format!(
        "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    );
    Fault::new("UnmodifiableEntity", message)
}

pub(crate) fn invalid_input(message: impl Into<String>) -> Fault {
    Fault::new("InvalidInput", message)
}
