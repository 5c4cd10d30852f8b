//! The faults of EventBridge Pipes, in its codes and words.

use base::Fault;

use crate::api::error;

pub(crate) fn no_such_pipe(name: &str) -> Fault {
    error::not_found_exception(format!("Pipe {name} does not exist."))
}

pub(crate) fn pipe_exists(name: &str) -> Fault {
    error::conflict_exception(format!("Pipe {name} already exists."))
}

pub(crate) fn busy(name: &str, state: &str) -> Fault {
    error::conflict_exception(format!("Pipe {name} cannot be changed while it is in state {state}."))
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    error::validation_exception(message)
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    invalid(format!("{what} is not implemented by Buswork"))
}
