//! CloudFormation: templates in, stacks of resources out.
//!
//! Knows the template language, stacks and their operations, and what it takes to make each resource type out of
//! operations of other services. Must not know those services' crates: it names an operation and hands the router a
//! document. A deployment is a plan in the store and a task for each step, so it goes on after a crash; nothing of it
//! lives in memory.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html>

pub mod api;
pub mod api_control;
mod change_set;
mod changes;
mod control;
mod deploy;
mod export;
mod keys;
mod notify;
mod ops;
mod plan;
mod policy;
mod provider;
mod record;
mod resource;
mod stack;
pub mod template;
mod templates;

use std::sync::Arc;

use kernel::Service;

pub use control::control_service;
pub use deploy::ANSWER as ANSWER_CUSTOM_RESOURCE;

/// The service, for the router.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::CreateStack, _>(ops::create_stack::create_stack)
        .effect::<api::UpdateStack, _>(ops::update_stack::update_stack)
        .transact::<api::DeleteStack, _>(ops::delete_stack::delete_stack)
        .effect::<api::CreateChangeSet, _>(ops::create_change_set::create_change_set)
        .transact::<api::DescribeChangeSet, _>(ops::describe_change_set::describe_change_set)
        .transact::<api::ExecuteChangeSet, _>(ops::execute_change_set::execute_change_set)
        .transact::<api::DeleteChangeSet, _>(ops::delete_change_set::delete_change_set)
        .transact::<api::ListChangeSets, _>(ops::list_change_sets::list_change_sets)
        .transact::<api::UpdateTerminationProtection, _>(
            ops::update_termination_protection::update_termination_protection,
        )
        .transact::<api::CancelUpdateStack, _>(ops::cancel_update_stack::cancel_update_stack)
        .transact::<api::ContinueUpdateRollback, _>(ops::continue_update_rollback::continue_update_rollback)
        .transact::<api::RollbackStack, _>(ops::rollback_stack::rollback_stack)
        .effect::<api::SetStackPolicy, _>(ops::set_stack_policy::set_stack_policy)
        .transact::<api::GetStackPolicy, _>(ops::get_stack_policy::get_stack_policy)
        .transact::<api::DescribeStacks, _>(ops::describe_stacks::describe_stacks)
        .transact::<api::ListStacks, _>(ops::list_stacks::list_stacks)
        .transact::<ops::describe_stack_events::DescribeStackEvents, _>(
            ops::describe_stack_events::describe_stack_events,
        )
        .transact::<api::DescribeStackResource, _>(ops::describe_stack_resource::describe_stack_resource)
        .transact::<api::DescribeStackResources, _>(ops::describe_stack_resources::describe_stack_resources)
        .transact::<api::ListStackResources, _>(ops::list_stack_resources::list_stack_resources)
        .transact::<api::GetTemplate, _>(ops::get_template::get_template)
        .effect::<api::GetTemplateSummary, _>(ops::get_template_summary::get_template_summary)
        .effect::<api::ValidateTemplate, _>(ops::validate_template::validate_template)
        .transact::<api::ListExports, _>(ops::list_exports::list_exports)
        .transact::<api::ListImports, _>(ops::list_imports::list_imports)
        .transact::<api::SignalResource, _>(ops::signal_resource::signal_resource)
        .transact::<api::DescribeType, _>(ops::describe_type::describe_type)
        .internal_effect(control::UPDATE, control::update)
        .internal(control::READ, control::read)
        .internal(control::STATUS, control::status)
        .internal_effect(deploy::STEP, deploy::step)
        .internal(deploy::STEP_ENDED, deploy::step_ended)
        .internal(deploy::TIME_OUT, deploy::time_out)
        .internal(deploy::ANSWER, deploy::answer)
        .internal(deploy::ANSWER_TIME_OUT, deploy::answer_time_out)
        .internal(deploy::SIGNALS_TIME_OUT, deploy::signals_time_out)
        .state(Arc::new(templates::Templates::default()))
}
