//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>

use base::Fault;
use kernel::{Effect, Result, Tx};

use super::prepare::{self, Asked, Source};
use super::{Unsupported, failure_mode, mode, source};
use crate::api::{self, CreateStackInput, CreateStackOutput, StackStatus};
use crate::deploy::{self, Wanted};
use crate::keys::{NameKey, StackKey};
use crate::stack::{Deployed, Parent, Settings, Stack, invalid};

/// Checks the template and everything around it, then begins to make the stack.
pub(crate) async fn create_stack(effect: &Effect, input: CreateStackInput) -> Result<CreateStackOutput> {
    let arn = create(effect, input, None).await?;
    Ok(CreateStackOutput { stack_id: Some(arn), operation_id: None })
}

/// As the operation, also for a stack inside another one. Returns the ARN.
pub(crate) async fn create(
    effect: &Effect,
    input: CreateStackInput,
    parent: Option<Parent>,
) -> Result<String> {
    refuse(&input)?;
    let settings = settings(&input)?;
    let given = (input.stack_policy_body.clone(), input.stack_policy_url.clone());
    let policy = source::policy(effect, given).await?;
    let text = source::text(effect, input.template_body, input.template_url).await?;
    let text = text.ok_or_else(|| invalid("Either Template URL or Template Body must be specified."))?;
    let stack = new_stack(effect, input.stack_name, settings, input.client_request_token);
    let stack = Stack { parent, policy, ..stack };
    let asked = Asked {
        source: Source { text, is_new: true },
        parameters: prepare::given(input.parameters)?,
        previous: Default::default(),
        tags: input.tags.unwrap_or_default(),
        capabilities: stack.settings.capabilities.clone(),
    };
    let wanted = prepare::prepare(effect, &stack.pseudo(), asked).await?;
    effect.transact("CreateStack", begin, (stack, wanted)).await
}

/// Refuses what cannot name a stack.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if !first || name.len() > 128 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )));
    }
    Ok(())
}

fn refuse(input: &CreateStackInput) -> Result<(), Fault> {
    check_name(&input.stack_name)?;
    Unsupported { resource_types: &input.resource_types, rollback: &input.rollback_configuration }
        .refuse()?;
    match input.retain_except_on_create {
        Some(true) => Err(invalid("RetainExceptOnCreate is not supported by Buswork")),
        _ => Ok(()),
    }
}

fn settings(input: &CreateStackInput) -> Result<Settings, Fault> {
    Ok(Settings {
        on_failure: failure_mode(input.on_failure, input.disable_rollback, &input.deployment_config)?,
        mode: mode(&input.deployment_config),
        timeout_minutes: input.timeout_in_minutes,
        role_arn: input.role_arn.clone(),
        notification_arns: input.notification_arns.clone().unwrap_or_default(),
        capabilities: input.capabilities.clone().unwrap_or_default(),
        termination_protection: input.enable_termination_protection.unwrap_or_default(),
    })
}

/// A stack that nothing has been made of.
pub(super) fn new_stack(effect: &Effect, name: String, settings: Settings, token: Option<String>) -> Stack {
    let id = effect.id().to_string();
    let caller = effect.caller();
    let resource = format!("stack/{name}/{id}");
    Stack {
        arn: base::Arn::new("cloudformation", &caller.region, &caller.account, resource).to_string(),
        id,
        name,
        created: effect.now(),
        updated: None,
        deleted: None,
        status: StackStatus::CreateInProgress,
        reason: None,
        deployed: Deployed::default(),
        settings,
        outputs: Vec::new(),
        imports: Default::default(),
        template_version: 0,
        generation: 0,
        token,
        change_set: None,
        parent: None,
        policy: None,
        unstable: false,
    }
}

/// Takes the name and begins. A repeated request with the same token finds the stack that the first one made.
async fn begin(tx: &mut Tx, (mut stack, wanted): (Stack, Wanted)) -> Result<String> {
    if let Some(id) = tx.get(&NameKey { name: stack.name.clone() }).await? {
        let known = tx.get(&StackKey { id }).await?;
        return match known {
            Some(known) if known.token.is_some() && known.token == stack.token => Ok(known.arn),
            _ => {
                let message = format!("Stack [{}] already exists", stack.name);
                Err(api::error::already_exists_exception(message).into())
            }
        };
    }
    deploy::create(tx, &mut stack, wanted).await?;
    Ok(stack.arn)
}
