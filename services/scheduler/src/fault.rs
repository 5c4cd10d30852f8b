//! The faults of EventBridge Scheduler, in its codes and words.

use base::Fault;

use crate::api::error;

pub(crate) fn no_such_schedule(name: &str) -> Fault {
    error::resource_not_found_exception(format!("Schedule {name} does not exist."))
}

pub(crate) fn no_such_group(name: &str) -> Fault {
    error::resource_not_found_exception(format!("Schedule group {name} does not exist."))
}

pub(crate) fn schedule_exists(name: &str) -> Fault {
    error::conflict_exception(format!("Schedule {name} already exists."))
}

/// A client token that an update with other parameters had.
pub(crate) fn other_update(name: &str) -> Fault {
    error::conflict_exception(format!(
        "Schedule {name} was updated under this ClientToken with other parameters."
    ))
}

pub(crate) fn group_exists(name: &str) -> Fault {
    error::conflict_exception(format!("Schedule group {name} already exists."))
}

pub(crate) fn group_is_deleting(name: &str) -> Fault {
    error::conflict_exception(format!("Schedule group {name} is being deleted."))
}

pub(crate) fn invalid_expression(expression: &str) -> Fault {
    invalid(format!("Invalid Schedule Expression {expression}."))
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    error::validation_exception(message)
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    invalid(format!("{what} is not implemented by Buswork"))
}
