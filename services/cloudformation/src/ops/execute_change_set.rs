//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>

use base::Fault;
use kernel::{Result, Tx};

use super::nested_change_sets::refuse_nested;
use super::{check_paused, get_template, prepare, update_stack};
use crate::api::{
    self, DeploymentConfigMode, ExecuteChangeSetInput, ExecuteChangeSetOutput, ExecutionStatus,
    OnStackFailure,
};
use crate::change_set::{self, ChangeSet};
use crate::deploy::{self, Wanted};
use crate::stack::{FailureMode, Stack, invalid};

/// Begins what a change set has computed. All other change sets of the stack are gone with it.
pub(crate) async fn execute_change_set(
    tx: &mut Tx,
    input: ExecuteChangeSetInput,
) -> Result<ExecuteChangeSetOutput> {
    if input.retain_except_on_create == Some(true) {
        return Err(invalid("RetainExceptOnCreate is not supported by Buswork").into());
    }
    let (mut stack, mut found) =
        change_set::find(tx, &input.change_set_name, input.stack_name.as_deref()).await?;
    refuse_nested(&found)?;
    check(&stack, &found)?;
    if !found.creates {
        update_stack::live(tx, &stack.arn).await?;
    }
    let on_failure = failure_mode(&found, input.disable_rollback)?;
    if !found.creates {
        check_paused(&stack, on_failure)?;
    }
    found.executed = true;
    // The deployment makes and changes the stacks inside by itself.
    change_set::remove_nested(tx, &found);
    found.family.clear();
    change_set::put(tx, &stack, &found)?;
    change_set::remove_all(tx, &stack, Some(&found.id)).await?;
    stack.token = input.client_request_token;
    stack.change_set = Some(found.arn.clone());
    stack.settings.mode = found.mode;
    stack.settings.capabilities.clone_from(&found.capabilities);
    if found.role_arn.is_some() {
        stack.settings.role_arn.clone_from(&found.role_arn);
    }
    if let Some(topics) = &found.notification_arns {
        stack.settings.notification_arns.clone_from(topics);
    }
    let creates = found.creates;
    let wanted = wanted(tx, &stack, found).await?;
    if creates {
        stack.settings.on_failure = on_failure;
        deploy::create(tx, &mut stack, wanted).await?;
    } else {
        let policy = stack.policy.clone();
        deploy::update(tx, &mut stack, wanted, (on_failure, policy)).await?;
    }
    Ok(ExecuteChangeSetOutput {})
}

fn check(stack: &Stack, found: &ChangeSet) -> Result<(), Fault> {
    let status = found.execution_status(stack);
    if status == ExecutionStatus::Available {
        return Ok(());
    }
    let message = format!(
        "ChangeSet [{}] cannot be executed in its current execution status of [{}]",
        found.arn,
        status.as_str()
    );
    Err(api::error::invalid_change_set_status_exception(message))
}

/// `DisableRollback` of the request goes before what the change set says.
fn failure_mode(found: &ChangeSet, disable_rollback: Option<bool>) -> Result<FailureMode, Fault> {
    if found.on_stack_failure.is_some() && disable_rollback.is_some() {
        let message =
            "DisableRollback cannot be specified if the change set was created with OnStackFailure.";
        return Err(invalid(message));
    }
    let disable =
        disable_rollback.or(found.disable_rollback).unwrap_or(found.mode == DeploymentConfigMode::Express);
    Ok(match found.on_stack_failure {
        Some(OnStackFailure::DoNothing) => FailureMode::Nothing,
        Some(OnStackFailure::Delete) => FailureMode::Delete,
        Some(OnStackFailure::Rollback) => FailureMode::Rollback,
        None if disable => FailureMode::Nothing,
        None => FailureMode::Rollback,
    })
}

async fn wanted(tx: &mut Tx, stack: &Stack, found: ChangeSet) -> Result<Wanted> {
    let template = match &found.text {
        Some(text) => prepare::parse(text)?,
        None => prepare::parse(&get_template::text(tx, stack).await?)?,
    };
    Ok(Wanted {
        template,
        text: found.text,
        original: found.original,
        deployed: found.deployed,
        imports: found.imports,
    })
}
