//! AWS Step Functions: state machines, STANDARD and EXPRESS, with versions and aliases, and their executions.
//!
//! Knows definitions, executions, their histories, logs and status events; [`asl`] decides what an execution does next.
//! Knows no other service: a Task state is a call by the router's names whose answer comes back as a task of ours. Holds
//! no execution in memory: between two steps an execution is rows, its timers and its calls are tasks, and each step
//! with all its consequences is one commit. Only parsed definitions are cached.
//!
//! What is not implemented is refused by name: see `docs/services/states.md`.

mod activity;
pub mod api;
mod arn;
mod execution;
mod fault;
mod integration;
mod keys;
mod log;
mod machine;
mod map_run;
mod ops;
mod page;
mod reader;
mod redrive;
mod run;
mod status;
mod target;
mod token;
mod version;

use std::sync::Arc;

use kernel::Service;

use machine::Definitions;

pub use ops::express::{DESCRIBE_EXPRESS, LIST_EXPRESS};

/// The service.
pub fn service() -> Service {
    let service = Service::new(&api::SERVICE)
        .effect::<api::CreateStateMachine, _>(ops::create_state_machine::create_state_machine)
        .effect::<api::UpdateStateMachine, _>(ops::update_state_machine::update_state_machine)
        .effect::<api::ValidateStateMachineDefinition, _>(
            ops::validate_state_machine_definition::validate_state_machine_definition,
        )
        .transact::<api::DescribeStateMachine, _>(ops::describe_state_machine::describe_state_machine)
        .transact::<api::ListStateMachines, _>(ops::list_state_machines::list_state_machines)
        .transact::<api::DeleteStateMachine, _>(ops::delete_state_machine::delete_state_machine)
        .transact::<api::StartExecution, _>(ops::start_execution::start_execution)
        .effect::<api::StartSyncExecution, _>(ops::start_sync_execution::start_sync_execution)
        .transact::<api::StopExecution, _>(ops::stop_execution::stop_execution)
        .transact::<api::RedriveExecution, _>(ops::redrive_execution::redrive_execution)
        .transact::<api::DescribeExecution, _>(ops::describe_execution::describe_execution)
        .transact::<api::DescribeStateMachineForExecution, _>(
            ops::describe_state_machine_for_execution::describe_state_machine_for_execution,
        )
        .transact::<api::ListExecutions, _>(ops::list_executions::list_executions)
        .transact::<api::GetExecutionHistory, _>(ops::get_execution_history::get_execution_history)
        .transact::<api::SendTaskSuccess, _>(ops::send_task::send_task_success)
        .transact::<api::SendTaskFailure, _>(ops::send_task::send_task_failure)
        .transact::<api::SendTaskHeartbeat, _>(ops::send_task::send_task_heartbeat)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .transact::<api::PublishStateMachineVersion, _>(
            ops::publish_state_machine_version::publish_state_machine_version,
        )
        .transact::<api::DeleteStateMachineVersion, _>(
            ops::delete_state_machine_version::delete_state_machine_version,
        )
        .transact::<api::ListStateMachineVersions, _>(
            ops::list_state_machine_versions::list_state_machine_versions,
        )
        .transact::<api::CreateStateMachineAlias, _>(ops::alias::create_state_machine_alias)
        .transact::<api::UpdateStateMachineAlias, _>(ops::alias::update_state_machine_alias)
        .transact::<api::DescribeStateMachineAlias, _>(ops::alias::describe_state_machine_alias)
        .transact::<api::DeleteStateMachineAlias, _>(ops::alias::delete_state_machine_alias)
        .transact::<api::ListStateMachineAliases, _>(ops::alias::list_state_machine_aliases)
        .effect::<api::TestState, _>(ops::test_state::test_state)
        .transact::<api::CreateActivity, _>(ops::activity::create_activity)
        .transact::<api::DeleteActivity, _>(ops::activity::delete_activity)
        .transact::<api::DescribeActivity, _>(ops::activity::describe_activity)
        .transact::<api::ListActivities, _>(ops::activity::list_activities)
        .effect::<api::GetActivityTask, _>(ops::get_activity_task::get_activity_task)
        .transact::<api::DescribeMapRun, _>(ops::map_run::describe_map_run)
        .transact::<api::ListMapRuns, _>(ops::map_run::list_map_runs)
        .transact::<api::UpdateMapRun, _>(ops::map_run::update_map_run)
        .targets(&[target::STATE_MACHINE])
        .state(Arc::new(Definitions::default()));
    with_internals(service)
}

/// What tasks and our own pages call.
fn with_internals(service: Service) -> Service {
    service
        .internal(ops::map_step::MAP_STEP, ops::map_step::map_step)
        .internal(ops::map_redrive::REDRIVE_RUN, ops::map_redrive::redrive_run)
        .internal(ops::map_redrive::FIND_UNSUCCESSFUL, ops::map_redrive::find_unsuccessful)
        .internal(ops::map_redrive::REDRIVE_CHILD, ops::map_redrive::redrive_child)
        .internal(ops::map_children::START_CHILD, ops::map_children::start_child)
        .internal(ops::map_children::STOP_CHILDREN, ops::map_children::stop_children)
        .internal_effect(ops::map_items::READ_ITEMS, ops::map_items::read_items)
        .internal(ops::map_items::ITEMS_READ, ops::map_items::items_read)
        .internal(ops::map_results::COLLECT, ops::map_results::collect)
        .internal_effect(ops::map_results::EXPORT, ops::map_results::export)
        .internal(ops::map_results::EXPORTED, ops::map_results::exported)
        .internal(ops::offer_activity_task::OFFER, ops::offer_activity_task::offer_activity_task)
        .internal(ops::express::LIST_EXPRESS, ops::express::list_express)
        .internal(ops::express::DESCRIBE_EXPRESS, ops::express::describe_express)
        .internal_effect(ops::write_logs::WRITE_LOGS, ops::write_logs::write_logs)
        .internal(ops::resume::RESUME, ops::resume::resume)
        .internal(ops::timer::TIMER, ops::timer::timer)
        .internal(ops::task_ended::TASK_ENDED, ops::task_ended::task_ended)
        .internal(ops::child_ended::CHILD_ENDED, ops::child_ended::child_ended)
        .internal(ops::start_child::START_CHILD, ops::start_child::start_child)
        .internal(ops::stop_child::STOP_CHILD, ops::stop_child::stop_child)
        .internal(ops::deliver::DELIVER, ops::deliver::deliver)
        .internal(ops::delete_state_machine::DISMANTLE, ops::delete_state_machine::dismantle)
        .internal(ops::sweep::SWEEP, ops::sweep::sweep)
}
