//! The operations: AWS's, and those that tasks call.

pub(crate) mod child_ended;
pub(crate) mod create_state_machine;
pub(crate) mod delete_state_machine;
pub(crate) mod deliver;
pub(crate) mod describe_execution;
pub(crate) mod describe_state_machine;
pub(crate) mod describe_state_machine_for_execution;
pub(crate) mod get_execution_history;
pub(crate) mod list_executions;
pub(crate) mod list_state_machines;
pub(crate) mod resume;
pub(crate) mod send_task;
pub(crate) mod start_child;
pub(crate) mod start_execution;
pub(crate) mod stop_child;
pub(crate) mod stop_execution;
pub(crate) mod sweep;
pub(crate) mod tags;
pub(crate) mod task_ended;
pub(crate) mod timer;
pub(crate) mod update_state_machine;
pub(crate) mod validate_state_machine_definition;
