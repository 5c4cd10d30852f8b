//! The faults of CloudWatch Logs, in its codes and words.

use base::Fault;

pub(crate) fn no_such_group() -> Fault {
    Fault::new("ResourceNotFoundException", "The specified log group does not exist.")
}

pub(crate) fn no_such_stream() -> Fault {
    Fault::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", message)
}

pub(crate) fn already_exists(what: &str) -> Fault {
    Fault::new("ResourceAlreadyExistsException", format!("The specified log {what} already exists"))
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    invalid(format!("{what} is not implemented by Buswork"))
}
