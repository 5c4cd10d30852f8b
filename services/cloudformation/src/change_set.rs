//! A change set: what a stack would become, computed and kept until somebody says yes.

use std::collections::BTreeSet;

use base::{Fault, Timestamp};
use kernel::{Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{
    self, Capability, Change, ChangeSetStatus, DeploymentConfigMode, ExecutionStatus, OnStackFailure,
};
use crate::keys::{ChangeSetIdKey, ChangeSetKey};
use crate::stack::{self, Deployed, Stack, invalid};

/// A row of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    /// The last part of the ARN.
    pub id: String,
    /// The ARN, which the API calls the change set's id.
    pub arn: String,
    pub name: String,
    pub created: Timestamp,
    pub description: Option<String>,
    /// `ClientToken` of the request.
    pub token: Option<String>,
    /// It makes the stack instead of changing it.
    pub creates: bool,
    /// Why it cannot be executed.
    pub failure: Option<String>,
    /// The stack's generation when the change set was computed: any operation since makes it obsolete.
    pub generation: u64,
    /// Somebody has said yes.
    pub executed: bool,
    /// The processed text of the new template; `None`: the stack's own.
    pub text: Option<String>,
    /// The text of the new template before its transforms, if it has any.
    #[serde(default)]
    pub original: Option<String>,
    /// What the stack would be.
    pub deployed: Deployed,
    /// Names of the exports that it would import.
    pub imports: BTreeSet<String>,
    /// With values before and after.
    pub changes: Vec<Change>,
    pub capabilities: Vec<Capability>,
    pub role_arn: Option<String>,
    /// The topics that the stack would tell; `None`: those that it tells already.
    #[serde(default)]
    pub notification_arns: Option<Vec<String>>,
    pub on_stack_failure: Option<OnStackFailure>,
    /// `DeploymentConfig.Mode`.
    #[serde(default)]
    pub mode: DeploymentConfigMode,
    /// `DeploymentConfig.DisableRollback`.
    pub disable_rollback: Option<bool>,
    /// `IncludeNestedStacks`.
    pub nested: bool,
    /// The ARN of the change set around this one.
    #[serde(default)]
    pub parent: Option<String>,
    /// The ARN of the outermost one.
    #[serde(default)]
    pub root: Option<String>,
    /// All others of the hierarchy, if this is its root.
    #[serde(default)]
    pub family: Vec<Nested>,
}

/// A change set inside another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nested {
    /// The id of its stack.
    pub stack: String,
    pub name: String,
    /// The last part of its ARN.
    pub id: String,
    /// Its stack is there for its review only.
    pub reviewed: bool,
}
store::stored!(ChangeSet, format = 1);

impl ChangeSet {
    /// Computed, or failed.
    pub(crate) fn status(&self) -> ChangeSetStatus {
        match self.failure {
            None => ChangeSetStatus::CreateComplete,
            Some(_) => ChangeSetStatus::Failed,
        }
    }

    /// What has become of it, which is what has become of its stack.
    pub(crate) fn execution_status(&self, stack: &Stack) -> ExecutionStatus {
        let stands = stack.status.as_str();
        match (&self.failure, self.executed) {
            (Some(_), _) => ExecutionStatus::Unavailable,
            (None, false) if stack.generation != self.generation => ExecutionStatus::Obsolete,
            (None, false) => ExecutionStatus::Available,
            (None, true) if stands.contains("ROLLBACK") || stands.contains("FAILED") => {
                ExecutionStatus::ExecuteFailed
            }
            (None, true) if stands.ends_with("_IN_PROGRESS") && !stands.contains("CLEANUP") => {
                ExecutionStatus::ExecuteInProgress
            }
            (None, true) => ExecutionStatus::ExecuteComplete,
        }
    }

    pub(crate) fn key(&self, stack: &Stack) -> ChangeSetKey {
        ChangeSetKey { stack: stack.id.clone(), name: self.name.clone() }
    }
}

fn missing(name: &str) -> Fault {
    api::error::change_set_not_found_exception(format!("ChangeSet [{name}] does not exist"))
}

/// The change set of an ARN, or of a name and its stack, with the stack.
pub(crate) async fn find(tx: &mut Tx, name: &str, stack: Option<&str>) -> Result<(Stack, ChangeSet)> {
    let (stack, found) = seek(tx, name, stack).await?;
    match (stack, found) {
        (Some(stack), Some(found)) => Ok((stack, found)),
        _ => Err(missing(name).into()),
    }
}

/// As [`find`], where the absence of the change set is no error, but that of its stack is.
pub(crate) async fn seek(
    tx: &mut Tx,
    name: &str,
    stack: Option<&str>,
) -> Result<(Option<Stack>, Option<ChangeSet>)> {
    let Some(arn) = name.strip_prefix("arn:") else {
        let required = || invalid("StackName must be specified if ChangeSetName is not specified as an ARN.");
        let stack_name = stack.ok_or_else(required)?;
        let gone = || invalid(format!("Stack [{stack_name}] does not exist"));
        let stack = stack::seek(tx, stack_name).await?.ok_or_else(gone)?;
        let key = ChangeSetKey { stack: stack.id.clone(), name: name.to_owned() };
        let found = tx.get(&key).await?;
        return Ok((Some(stack), found));
    };
    let mut parts = arn.rsplit('/');
    let (id, set_name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(stack) = tx.get(&ChangeSetIdKey { id: id.to_owned() }).await? else { return Ok((None, None)) };
    let found = tx.get(&ChangeSetKey { stack: stack.clone(), name: set_name.to_owned() }).await?;
    let stack = tx.get(&crate::keys::StackKey { id: stack }).await?;
    Ok((stack, found.filter(|found| found.arn == name)))
}

/// Writes a change set and the way to it.
pub(crate) fn put(tx: &mut Tx, stack: &Stack, change_set: &ChangeSet) -> Result<()> {
    tx.put(&ChangeSetIdKey { id: change_set.id.clone() }, &stack.id)?;
    tx.put(&change_set.key(stack), change_set)
}

/// Takes a change set away, and those inside it.
pub(crate) fn remove(tx: &mut Tx, stack: &Stack, change_set: &ChangeSet) {
    remove_nested(tx, change_set);
    tx.delete(&ChangeSetIdKey { id: change_set.id.clone() });
    tx.delete(&change_set.key(stack));
}

/// Takes those inside a change set away, and the stacks that are there for their review.
pub(crate) fn remove_nested(tx: &mut Tx, change_set: &ChangeSet) {
    for Nested { stack, name, id, reviewed } in &change_set.family {
        tx.delete(&ChangeSetIdKey { id: id.clone() });
        tx.delete(&ChangeSetKey { stack: stack.clone(), name: name.clone() });
        if *reviewed {
            tx.delete(&crate::keys::StackKey { id: stack.clone() });
        }
    }
}

/// Takes all change sets of a stack away, but for the one that is `kept`.
pub(crate) async fn remove_all(tx: &mut Tx, stack: &Stack, kept: Option<&str>) -> Result<()> {
    for (_, change_set) in tx.scan::<ChangeSetKey>(Parts::of(&stack.id), usize::MAX).await? {
        if kept != Some(&change_set.id) {
            remove(tx, stack, &change_set);
        }
    }
    Ok(())
}
