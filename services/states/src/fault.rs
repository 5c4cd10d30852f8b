//! The faults of Step Functions, in its codes and words.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html> and the operations' pages.

use base::Fault;

pub(crate) fn machine_does_not_exist(arn: &str) -> Fault {
    Fault::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

pub(crate) fn machine_deleting(arn: &str) -> Fault {
    Fault::new("StateMachineDeleting", format!("State Machine is being deleted: '{arn}'"))
}

pub(crate) fn machine_already_exists(arn: &str) -> Fault {
    Fault::new("StateMachineAlreadyExists", format!("State Machine Already Exists: '{arn}'"))
}

pub(crate) fn execution_does_not_exist(arn: &str) -> Fault {
    Fault::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

pub(crate) fn execution_already_exists(arn: &str) -> Fault {
    Fault::new("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
}

/// The operation is for machines of the other type.
pub(crate) fn wrong_machine_type() -> Fault {
    Fault::new(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
}

pub(crate) fn activity_does_not_exist(arn: &str) -> Fault {
    Fault::new("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

pub(crate) fn conflict(why: impl Into<String>) -> Fault {
    Fault::new("ConflictException", why)
}

pub(crate) fn quota(why: impl Into<String>) -> Fault {
    Fault::new("ServiceQuotaExceededException", why)
}

pub(crate) fn execution_not_redrivable(reason: impl Into<String>) -> Fault {
    Fault::new("ExecutionNotRedrivable", reason)
}

pub(crate) fn invalid_name(name: &str) -> Fault {
    Fault::new("InvalidName", format!("Invalid Name: '{name}'"))
}

pub(crate) fn invalid_arn(why: &str) -> Fault {
    Fault::new("InvalidArn", format!("Invalid Arn: '{why}'"))
}

pub(crate) fn invalid_token() -> Fault {
    Fault::new("InvalidToken", "Invalid Token: 'Invalid token'")
}

pub(crate) fn invalid_input(why: &str) -> Fault {
    Fault::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{why}'"))
}

pub(crate) fn invalid_output(why: &str) -> Fault {
    Fault::new("InvalidOutput", format!("Invalid Output: '{why}'"))
}

pub(crate) fn task_timed_out() -> Fault {
    Fault::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}

pub(crate) fn task_does_not_exist() -> Fault {
    Fault::new("TaskDoesNotExist", "Task does not exist")
}

pub(crate) fn resource_not_found(arn: &str) -> Fault {
    Fault::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

/// What AWS has and we do not serve: refused by its name, under the code by which AWS refuses a wrong value of it.
pub(crate) fn not_implemented(code: &'static str, what: &str) -> Fault {
    Fault::new(code, format!("{what} not implemented by Buswork"))
}
