//! The operations, one file each, and what several of them share.

pub(crate) mod cancel_update_stack;
pub(crate) mod continue_update_rollback;
pub(crate) mod create_change_set;
pub(crate) mod create_stack;
pub(crate) mod delete_change_set;
pub(crate) mod delete_stack;
pub(crate) mod describe_change_set;
pub(crate) mod describe_stack_events;
pub(crate) mod describe_stack_resource;
pub(crate) mod describe_stack_resources;
pub(crate) mod describe_stacks;
pub(crate) mod describe_type;
pub(crate) mod execute_change_set;
pub(crate) mod get_stack_policy;
pub(crate) mod get_template;
pub(crate) mod get_template_summary;
pub(crate) mod list_change_sets;
pub(crate) mod list_exports;
pub(crate) mod list_imports;
pub(crate) mod list_stack_resources;
pub(crate) mod list_stacks;
mod nested_change_sets;
mod prepare;
pub(crate) mod rollback_stack;
pub(crate) mod set_stack_policy;
pub(crate) mod signal_resource;
mod source;
pub(crate) mod update_stack;
pub(crate) mod update_termination_protection;
pub(crate) mod validate_template;

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Parts, Result, Tx};

use crate::api::{DeploymentConfig, DeploymentConfigMode, OnFailure, RollbackConfiguration, StackStatus};
use crate::keys::ResourceKey;
use crate::resource::Resource;
use crate::stack::{FailureMode, Stack, invalid};

/// Entries of a page.
const PAGE: usize = 100;
/// More resources than a stack can have.
const RESOURCES_MAX: usize = 2_000;

/// Inputs of CreateStack and UpdateStack that Buswork does not honour, and therefore does not take.
struct Unsupported<'i> {
    resource_types: &'i Option<Vec<String>>,
    rollback: &'i Option<RollbackConfiguration>,
}

impl Unsupported<'_> {
    fn refuse(&self) -> Result<(), Fault> {
        let given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let triggers = |rollback: &RollbackConfiguration| {
            let triggers = rollback.rollback_triggers.as_ref().is_some_and(|triggers| !triggers.is_empty());
            triggers || rollback.monitoring_time_in_minutes.unwrap_or_default() > 0
        };
        let what = if given(self.resource_types) {
            "ResourceTypes"
        } else if self.rollback.as_ref().is_some_and(triggers) {
            "RollbackConfiguration"
        } else {
            return Ok(());
        };
        Err(invalid(format!("{what} is not supported by Buswork")))
    }
}

/// The mode of a `DeploymentConfig`. Resources are ready at once here, so that an express deployment ends when a standard one does.
fn mode(config: &Option<DeploymentConfig>) -> DeploymentConfigMode {
    config.as_ref().and_then(|config| config.mode).unwrap_or_default()
}

/// What follows a failure: `DisableRollback` of the request or of its `DeploymentConfig`, or `OnFailure`. An express deployment that
/// says nothing is not rolled back.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-express-mode.html>
fn failure_mode(
    on_failure: Option<OnFailure>,
    direct: Option<bool>,
    config: &Option<DeploymentConfig>,
) -> Result<FailureMode, Fault> {
    let given = direct.or_else(|| config.as_ref().and_then(|config| config.disable_rollback));
    let express = on_failure.is_none() && mode(config) == DeploymentConfigMode::Express;
    FailureMode::of(on_failure, given.or_else(|| express.then_some(true)))
}

/// A stack that a failure has left as it was goes on only without a rollback: there may be nothing to go back to.
fn check_paused(stack: &Stack, on_failure: FailureMode) -> Result<(), Fault> {
    let paused = matches!(stack.status, StackStatus::CreateFailed | StackStatus::UpdateFailed);
    match paused && on_failure != FailureMode::Nothing {
        true => Err(invalid(format!(
            "This stack is currently in a non-terminal [{}] state. To update the stack from this state, please use the \
             disable-rollback parameter with update-stack API. To rollback to the last known good state, use the \
             rollback-stack API",
            stack.status
        ))),
        false => Ok(()),
    }
}

/// All resources of a stack, by logical id.
async fn resources_of(tx: &mut Tx, stack: &Stack) -> Result<BTreeMap<String, Resource>> {
    let rows = tx.scan::<ResourceKey>(Parts::of(&stack.id), RESOURCES_MAX).await?;
    Ok(rows.into_iter().map(|(key, resource)| (key.logical_id, resource)).collect())
}

fn physical_id(resource: &Resource) -> Option<String> {
    Some(resource.physical_id().to_owned()).filter(|id| !id.is_empty())
}

fn rolls_back(stack: &Stack) -> bool {
    stack.settings.on_failure != FailureMode::Nothing
}
