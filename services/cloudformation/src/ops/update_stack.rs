//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>

use std::sync::Arc;

use base::Fault;
use kernel::{Effect, Result, Tx};

use super::prepare::{self, Asked};
use super::{Unsupported, check_paused, failure_mode, get_template, mode, source};
use crate::api::{Capability, DeploymentConfigMode, StackStatus, UpdateStackInput, UpdateStackOutput};
use crate::deploy::{self, Wanted};
use crate::stack::{self, FailureMode, Stack, invalid};
use crate::template::Template;

/// Checks what is new against what stands, then begins to change the stack.
pub(crate) async fn update_stack(effect: &Effect, input: UpdateStackInput) -> Result<UpdateStackOutput> {
    refuse(&input)?;
    let (stack, old_text, original) = effect.transact("ReadStack", read, input.stack_name.clone()).await?;
    let old = prepare::parse(&old_text)?;
    let given = (input.template_body, input.template_url);
    let source = source::template(effect, given, input.use_previous_template, Some(&original)).await?;
    let asked = Asked {
        source,
        parameters: prepare::given(input.parameters)?,
        previous: stack.deployed.parameters.clone(),
        tags: input.tags.unwrap_or_else(|| stack.deployed.tags.clone()),
        capabilities: input.capabilities.clone().unwrap_or_default(),
    };
    let mut pseudo = stack.pseudo();
    pseudo.notification_arns = input.notification_arns.clone().unwrap_or(pseudo.notification_arns);
    let wanted = prepare::prepare(effect, &pseudo, asked).await?;
    let lasting = (input.stack_policy_body, input.stack_policy_url);
    let passing = (input.stack_policy_during_update_body, input.stack_policy_during_update_url);
    let policies = Policies {
        lasting: source::policy(effect, lasting).await?,
        passing: source::policy(effect, passing).await?,
    };
    let change = Change {
        policies,
        before: (stack.id.clone(), stack.generation),
        old,
        wanted,
        on_failure: failure_mode(None, input.disable_rollback, &input.deployment_config)?,
        mode: mode(&input.deployment_config),
        capabilities: input.capabilities.unwrap_or_default(),
        role_arn: input.role_arn,
        notification_arns: input.notification_arns,
        token: input.client_request_token,
    };
    let arn = effect.transact("UpdateStack", begin, (input.stack_name, change)).await?;
    Ok(UpdateStackOutput { stack_id: Some(arn), operation_id: None })
}

/// Which updates are allowed.
#[derive(Clone)]
struct Policies {
    /// From now on.
    lasting: Option<String>,
    /// In this update only.
    passing: Option<String>,
}

#[derive(Clone)]
struct Change {
    policies: Policies,
    /// Id and generation of the stack against which the request was checked.
    before: (String, u64),
    old: Arc<Template>,
    wanted: Wanted,
    on_failure: FailureMode,
    mode: DeploymentConfigMode,
    capabilities: Vec<Capability>,
    role_arn: Option<String>,
    notification_arns: Option<Vec<String>>,
    token: Option<String>,
}

fn refuse(input: &UpdateStackInput) -> Result<(), Fault> {
    Unsupported { resource_types: &input.resource_types, rollback: &input.rollback_configuration }
        .refuse()?;
    match input.retain_except_on_create {
        Some(true) => Err(invalid("RetainExceptOnCreate is not supported by Buswork")),
        _ => Ok(()),
    }
}

/// The stack, its template, and that before its transforms.
async fn read(tx: &mut Tx, name: String) -> Result<(Stack, String, String)> {
    let stack = live(tx, &name).await?;
    let text = get_template::text(tx, &stack).await?;
    let original = get_template::original(tx, &stack).await?;
    Ok((stack, text, original))
}

/// The stack, if it can be updated now.
pub(super) async fn live(tx: &mut Tx, name: &str) -> Result<Stack> {
    let missing = || invalid(format!("Stack [{name}] does not exist"));
    let stack = stack::seek(tx, name).await?.filter(|stack| stack.deleted.is_none()).ok_or_else(missing)?;
    match stack.status {
        StackStatus::CreateComplete
        | StackStatus::CreateFailed
        | StackStatus::UpdateComplete
        | StackStatus::UpdateFailed
        | StackStatus::UpdateRollbackComplete => Ok(stack),
        status => {
            let message = format!("Stack:{} is in {status} state and can not be updated.", stack.arn);
            Err(invalid(message).into())
        }
    }
}

async fn begin(tx: &mut Tx, (name, change): (String, Change)) -> Result<String> {
    let mut stack = live(tx, &name).await?;
    if (stack.id.as_str(), stack.generation) != (change.before.0.as_str(), change.before.1) {
        let message = format!("Stack:{} was changed by another operation; try again", stack.arn);
        return Err(Fault::new("OperationInProgressException", message).into());
    }
    check_paused(&stack, change.on_failure)?;
    // After a failure that was not rolled back, the rows may differ from what is deployed.
    let may_differ = matches!(stack.status, StackStatus::CreateFailed | StackStatus::UpdateFailed);
    if !may_differ && prepare::is_unchanged(&stack, &change.old, &change.wanted) {
        return Err(invalid("No updates are to be performed.").into());
    }
    stack.token = change.token;
    stack.settings.mode = change.mode;
    stack.settings.capabilities = change.capabilities;
    if change.role_arn.is_some() {
        stack.settings.role_arn = change.role_arn;
    }
    if let Some(topics) = change.notification_arns {
        stack.settings.notification_arns = topics;
    }
    if let Some(policy) = change.policies.lasting {
        stack.policy = Some(policy);
    }
    let policy = change.policies.passing.or_else(|| stack.policy.clone());
    deploy::update(tx, &mut stack, change.wanted, (change.on_failure, policy)).await?;
    Ok(stack.arn)
}
