//! Stacks inside stacks: a step begins an operation on the other stack, and goes on when that is over.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html>

use base::{Document, Fault};
use kernel::{Effect, Error, Result, Tx};
use serde_json::Map;

use super::begin::Making;
use super::end::Outcome;
use super::{StepInput, enqueue_step};
use crate::api::{
    CreateStackInput, DeleteStackInput, DeploymentConfig, Parameter, StackStatus, Tag, UpdateStackInput,
};
use crate::keys::{PlanKey, StackKey};
use crate::ops::{create_stack, delete_stack, update_stack};
use crate::provider::{Made, Properties};
use crate::resource::{Action, Standing};
use crate::stack::{self, FailureMode, Parent, Stack};

/// Makes or changes the inner stack, or looks at it.
pub(super) async fn make(effect: &Effect, input: &StepInput, making: &Making) -> Result<Outcome> {
    let outer = effect.transact("ReadStack", read_by_id, input.stack.clone()).await?;
    let target = &making.doing.target;
    let token = token(input, making.doing.generation);
    let updates = making.doing.action == Action::Update;
    let name = if updates || making.doing.settling { Some(target.id.clone()) } else { target.name.clone() };
    let name = name.ok_or_else(|| Error::bug("name a nested stack: it has none"))?;
    let inner = effect.transact("ReadStack", seek, name.clone()).await?;
    let mut stands = false;
    let begun = inner.as_ref().is_some_and(|inner| inner.token.as_deref() == Some(&token));
    if !begun {
        let wanted = match InnerStack::read(&target.properties) {
            Ok(wanted) => wanted,
            Err(message) => return Ok(Outcome::refused(message)),
        };
        let result = match updates {
            true => wanted.update(effect, &outer, (name.clone(), token)).await,
            false => wanted.create(effect, (&outer, input), (name.clone(), token)).await,
        };
        match result {
            Err(Error::Fault(fault)) if is_nothing_to_do(&fault) => stands = true,
            Err(Error::Fault(fault)) if fault.status < 500 => return Ok(Outcome::refused(fault.message)),
            other => other?,
        }
    }
    let inner = effect.transact("ReadStack", seek, name).await?;
    let inner = inner.ok_or_else(|| Error::bug("look at a nested stack: it is gone"))?;
    Ok(if stands { Outcome::Made(made(&inner)) } else { judge(&inner, updates) })
}

/// Takes the inner stack away, or looks at whether it is.
pub(super) async fn delete(effect: &Effect, input: &StepInput, standing: &Standing) -> Result<Outcome> {
    let token = token(input, input.generation);
    let Some(inner) = effect.transact("ReadStack", seek, standing.id.clone()).await? else {
        return Ok(Outcome::Gone);
    };
    if inner.token.as_deref() != Some(&token) && inner.status != StackStatus::DeleteComplete {
        let request = DeleteStackInput {
            stack_name: standing.id.clone(),
            client_request_token: Some(token),
            ..DeleteStackInput::default()
        };
        match effect.transact("DeleteStack", delete_stack::delete_stack, request).await {
            Err(Error::Fault(fault)) if fault.status < 500 => return Ok(Outcome::refused(fault.message)),
            other => other.map(drop)?,
        }
    }
    let inner = effect.transact("ReadStack", seek, standing.id.clone()).await?;
    Ok(match inner {
        Some(inner) if inner.status == StackStatus::DeleteFailed => Outcome::refused(format!(
            "Embedded stack {} was not successfully deleted: {}",
            inner.arn,
            inner.reason.unwrap_or_default()
        )),
        Some(inner) if inner.status != StackStatus::DeleteComplete => Outcome::Waiting(None),
        _ => Outcome::Gone,
    })
}

/// Names the operation on the inner stack, so that a second run knows the first one's.
fn token(input: &StepInput, generation: u64) -> String {
    format!("{}-{}-{generation}", input.stack, input.logical_id)
}

fn is_nothing_to_do(fault: &Fault) -> bool {
    fault.message == "No updates are to be performed."
}

async fn read_by_id(tx: &mut Tx, id: String) -> Result<Stack> {
    let stack = tx.peek(&StackKey { id }).await?;
    stack.ok_or_else(|| Error::bug("read the outer stack: it is gone"))
}

async fn seek(tx: &mut Tx, name: String) -> Result<Option<Stack>> {
    stack::seek(tx, &name).await
}

/// What the inner stack's status means for the step.
fn judge(inner: &Stack, updates: bool) -> Outcome {
    let id = inner.arn.clone();
    match inner.status {
        StackStatus::CreateComplete | StackStatus::UpdateComplete => Outcome::Made(made(inner)),
        status if status.as_str().ends_with("_IN_PROGRESS") => Outcome::Waiting(Some(id)),
        status => {
            let verb = if updates { "updated" } else { "created" };
            let reason = inner.reason.clone().unwrap_or_else(|| format!("it is in {status}"));
            let reason = format!("Embedded stack {id} was not successfully {verb}: {reason}");
            Outcome::Failed { reason, id: Some(id) }
        }
    }
}

fn made(inner: &Stack) -> Made {
    let output =
        |output: &stack::StackOutput| (format!("Outputs.{}", output.key), output.value.as_str().into());
    let attributes = inner.outputs.iter().map(output).collect::<Map<_, _>>();
    Made { id: inner.arn.clone(), reference: inner.arn.as_str().into(), attributes, ready: true }
}

/// What the properties ask for.
pub(crate) struct InnerStack {
    pub template_url: String,
    pub parameters: Vec<Parameter>,
    pub tags: Vec<Tag>,
    timeout_minutes: Option<i32>,
}

impl InnerStack {
    /// # Errors
    /// Why they ask for nothing that could be made.
    pub(crate) fn read(properties: &Properties) -> Result<InnerStack, String> {
        let url = properties.get("TemplateURL").and_then(Document::as_str);
        let url = url.ok_or("Properties validation failed: required key [TemplateURL] not found")?;
        let given = properties.get("Parameters").and_then(Document::as_object);
        let parameter = |(key, value): (&String, &Document)| Parameter {
            parameter_key: Some(key.clone()),
            parameter_value: Some(joined(value)),
            ..Parameter::default()
        };
        let tag = |tag: &Document| {
            Some(Tag { key: tag.get("Key")?.as_str()?.to_owned(), value: joined(tag.get("Value")?) })
        };
        let tags = properties.get("Tags").and_then(Document::as_array);
        let timeout = properties.get("TimeoutInMinutes").map(joined);
        Ok(InnerStack {
            template_url: url.to_owned(),
            parameters: given.into_iter().flatten().map(parameter).collect(),
            tags: tags.into_iter().flatten().filter_map(tag).collect(),
            timeout_minutes: timeout.and_then(|text| text.parse().ok()),
        })
    }

    async fn create(
        self,
        effect: &Effect,
        (outer, step): (&Stack, &StepInput),
        (name, token): (String, String),
    ) -> Result<()> {
        let request = CreateStackInput {
            stack_name: name,
            template_url: Some(self.template_url),
            parameters: Some(self.parameters),
            tags: Some(self.tags),
            timeout_in_minutes: self.timeout_minutes,
            capabilities: Some(outer.settings.capabilities.clone()),
            role_arn: outer.settings.role_arn.clone(),
            disable_rollback: Some(outer.settings.on_failure == FailureMode::Nothing),
            client_request_token: Some(token),
            deployment_config: Some(mode(outer)),
            ..CreateStackInput::default()
        };
        let parent = Parent {
            stack: outer.id.clone(),
            arn: outer.arn.clone(),
            root_arn: outer
                .parent
                .as_ref()
                .map_or_else(|| outer.arn.clone(), |parent| parent.root_arn.clone()),
            logical_id: step.logical_id.clone(),
        };
        create_stack::create(effect, request, Some(parent)).await.map(drop)
    }

    async fn update(self, effect: &Effect, outer: &Stack, (name, token): (String, String)) -> Result<()> {
        let request = UpdateStackInput {
            stack_name: name,
            template_url: Some(self.template_url),
            parameters: Some(self.parameters),
            tags: Some(self.tags),
            capabilities: Some(outer.settings.capabilities.clone()),
            client_request_token: Some(token),
            deployment_config: Some(mode(outer)),
            disable_rollback: Some(false),
            ..UpdateStackInput::default()
        };
        update_stack::update_stack(effect, request).await.map(drop)
    }
}

/// Inner stacks are deployed in the outer one's mode.
fn mode(outer: &Stack) -> DeploymentConfig {
    DeploymentConfig { mode: Some(outer.settings.mode), disable_rollback: None }
}

/// Parameters are texts: a list becomes one, its items between commas.
fn joined(value: &Document) -> String {
    match value {
        Document::String(text) => text.clone(),
        Document::Array(items) => items.iter().map(joined).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// An operation on a stack is over: the step of the stack around it goes on.
pub(super) async fn tell_parent(tx: &mut Tx, inner: &Stack) -> Result<()> {
    let Some(parent) = &inner.parent else { return Ok(()) };
    let Some(plan) = tx.peek(&PlanKey { stack: parent.stack.clone() }).await? else { return Ok(()) };
    let Some(outer) = tx.peek(&StackKey { id: parent.stack.clone() }).await? else { return Ok(()) };
    if plan.is_running(&parent.logical_id, plan.generation) {
        let now = tx.now();
        enqueue_step(tx, &outer, &plan, &parent.logical_id, now)?;
    }
    Ok(())
}
