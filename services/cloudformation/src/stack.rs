//! A stack: what is deployed under a name, and how its operations shall behave.

use std::collections::{BTreeMap, BTreeSet};

use base::{Fault, Timestamp};
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{Capability, DeploymentConfigMode, OnFailure, StackStatus, Tag};
use crate::keys::{NameKey, StackKey};
use crate::template::{ParameterValues, Pseudo};

/// A stack, live or deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stack {
    /// The last part of the ARN.
    pub id: String,
    /// The ARN, which the API calls the stack's id.
    pub arn: String,
    pub name: String,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    pub status: StackStatus,
    pub reason: Option<String>,
    /// What stands, or is being made for the first time.
    pub deployed: Deployed,
    pub settings: Settings,
    pub outputs: Vec<StackOutput>,
    /// Names of exports that this stack imports.
    pub imports: BTreeSet<String>,
    /// The number of the newest template.
    pub template_version: u64,
    /// Rises with every phase of every operation, so that a step knows whether it is stale.
    pub generation: u64,
    /// `ClientRequestToken` of the newest operation.
    pub token: Option<String>,
    /// The ARN of the change set that was executed last.
    #[serde(default)]
    pub change_set: Option<String>,
    /// Its creation has failed, and it has not been whole since.
    #[serde(default)]
    pub unstable: bool,
    /// Which updates of which resources are allowed; `None`: all.
    #[serde(default)]
    pub policy: Option<String>,
    /// The stack that it is part of.
    #[serde(default)]
    pub parent: Option<Parent>,
}
store::stored!(Stack, format = 1);

/// The stack around a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parent {
    /// Its id.
    pub stack: String,
    pub arn: String,
    /// The ARN of the outermost one.
    pub root_arn: String,
    /// What the inner stack is called there.
    pub logical_id: String,
}

/// One state of a stack that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployed {
    /// Which template.
    pub template: u64,
    pub description: Option<String>,
    pub parameters: ParameterValues,
    pub conditions: BTreeMap<String, bool>,
    pub tags: Vec<Tag>,
}

/// How operations on the stack behave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub on_failure: FailureMode,
    pub timeout_minutes: Option<i32>,
    pub role_arn: Option<String>,
    pub notification_arns: Vec<String>,
    pub capabilities: Vec<Capability>,
    pub termination_protection: bool,
    /// Of the newest operation.
    #[serde(default)]
    pub mode: DeploymentConfigMode,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FailureMode {
    #[default]
    Rollback,
    Nothing,
    Delete,
}

impl FailureMode {
    /// `OnFailure` and `DisableRollback` of a request, which exclude each other.
    pub(crate) fn of(
        on_failure: Option<OnFailure>,
        disable_rollback: Option<bool>,
    ) -> Result<FailureMode, Fault> {
        match (on_failure, disable_rollback) {
            (Some(_), Some(_)) => {
                Err(invalid("Either DisableRollback or OnFailure can be specified, not both."))
            }
            (Some(OnFailure::DoNothing), None) | (None, Some(true)) => Ok(FailureMode::Nothing),
            (Some(OnFailure::Delete), None) => Ok(FailureMode::Delete),
            _ => Ok(FailureMode::Rollback),
        }
    }
}

/// An output with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackOutput {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

/// `ValidationError`, as CloudFormation words nearly everything.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("ValidationError", message)
}

/// Clients compare this text letter by letter.
pub(crate) fn no_such_stack(name: &str) -> Fault {
    invalid(format!("Stack with id {name} does not exist"))
}

impl Stack {
    /// The pseudo parameters' values.
    pub(crate) fn pseudo(&self) -> Pseudo {
        let mut parts = self.arn.split(':').skip(3);
        let mut next = || parts.next().unwrap_or_default().to_owned();
        Pseudo {
            region: next(),
            account_id: next(),
            stack_name: self.name.clone(),
            stack_id: self.arn.clone(),
            notification_arns: self.settings.notification_arns.clone(),
        }
    }

    pub(crate) fn key(&self) -> StackKey {
        StackKey { id: self.id.clone() }
    }
}

/// The stack of a name, or of an ARN; a deleted one only by its ARN.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<Stack> {
    seek(tx, name).await?.ok_or_else(|| no_such_stack(name).into())
}

/// As [`find`], where absence is no error.
pub(crate) async fn seek(tx: &mut Tx, name: &str) -> Result<Option<Stack>> {
    let id = match name.strip_prefix("arn:") {
        Some(arn) => arn.rsplit('/').next().map(str::to_owned),
        None => tx.get(&NameKey { name: name.to_owned() }).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let stack = tx.get(&StackKey { id }).await?;
    Ok(stack.filter(|stack| !name.starts_with("arn:") || stack.arn == name))
}
