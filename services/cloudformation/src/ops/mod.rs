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

use crate::api::{DeploymentConfig, DeploymentConfigMode, RollbackConfiguration};
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
    config: &'i Option<DeploymentConfig>,
}

impl Unsupported<'_> {
    fn refuse(&self) -> Result<(), Fault> {
        let given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let triggers = |rollback: &RollbackConfiguration| {
            let triggers = rollback.rollback_triggers.as_ref().is_some_and(|triggers| !triggers.is_empty());
            triggers || rollback.monitoring_time_in_minutes.unwrap_or_default() > 0
        };
        let express =
            self.config.as_ref().is_some_and(|config| config.mode == Some(DeploymentConfigMode::Express));
        let what = if given(self.resource_types) {
            "ResourceTypes"
        } else if self.rollback.as_ref().is_some_and(triggers) {
            "RollbackConfiguration"
        } else if express {
            "the deployment mode EXPRESS"
        } else {
            return Ok(());
        };
        Err(invalid(format!("{what} is not supported by Buswork")))
    }
}

/// `DisableRollback` of the request, or of its `DeploymentConfig`.
fn disable_rollback(direct: Option<bool>, config: &Option<DeploymentConfig>) -> Option<bool> {
    direct.or_else(|| config.as_ref().and_then(|config| config.disable_rollback))
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
