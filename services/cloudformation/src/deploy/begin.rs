//! The beginning of a step: what it shall do, committed before anything is done.

use std::collections::BTreeSet;

use kernel::{Error, Result, Tx};

use super::StepInput;
use super::end::{self, Outcome};
use super::phase::doomed;
use super::world::{self, Evaluation, World};
use crate::api::ResourceStatus;
use crate::keys::StackKey;
use crate::plan::{Phase, Plan};
use crate::policy::{Deed, Policy};
use crate::provider::{Changed, Decision, Properties, ResourceType, Special, decide};
use crate::record::{self, Entry};
use crate::resource::{Action, Doing, Resource, Standing};
use crate::stack::Stack;
use crate::template::{Template, TemplateError};

/// What a step has to do.
#[derive(Clone)]
pub(super) enum Job {
    /// Nothing: another run has done it, or there was nothing to do.
    Over,
    /// Make, change or look at a resource.
    Make(Box<Making>),
    /// Take these away, one after the other.
    Delete(Deleting),
}

/// What has to be taken away.
#[derive(Clone)]
pub(super) struct Deleting {
    pub doomed: Vec<Standing>,
    /// The physical id of what is on its way already.
    pub going: Option<String>,
    /// The physical ids of what is gone already.
    pub gone: BTreeSet<String>,
}

/// What has to be made, and from what.
#[derive(Clone)]
pub(super) struct Making {
    pub kind: &'static ResourceType,
    pub doing: Doing,
    /// The properties that the resource has, if it stands.
    pub old: Properties,
    /// It may be anywhere on the way: an earlier run has begun, or a change that failed is taken back.
    pub again: bool,
}

/// Reads the plan and the row, decides, and writes down what is about to be done.
pub(super) async fn begin(tx: &mut Tx, input: StepInput) -> Result<Job> {
    // Steps side by side read what their neighbours write; only a step that writes the plan guards it.
    let Some(plan) = tx.peek(&input.plan()).await? else { return Ok(Job::Over) };
    if !plan.is_running(&input.logical_id, input.generation) {
        return Ok(Job::Over);
    }
    let stack = tx.peek(&StackKey { id: input.stack.clone() }).await?;
    let stack = stack.ok_or_else(|| Error::bug("begin a step: the stack is gone"))?;
    match plan.phase {
        Phase::Forward => Box::pin(forward(tx, &input, stack, plan)).await,
        Phase::Revert => revert(tx, &input, stack, plan).await,
        Phase::Clear | Phase::Cleanup | Phase::RevertCleanup | Phase::Undo => {
            delete(tx, &input, stack, plan).await
        }
    }
}

/// The provider of a type. Templates with unknown types are refused before anything is made.
pub(super) fn provider(kind: &str) -> Result<&'static ResourceType> {
    ResourceType::find(kind).ok_or_else(|| Error::bug(format!("find the resource type {kind}")))
}

/// A step that an earlier run has begun goes on with what that run meant to do.
fn resumed(resource: &Resource, input: &StepInput) -> Result<Option<Job>> {
    let Some(doing) = resource.doing.clone().filter(|doing| doing.generation == input.generation) else {
        return Ok(None);
    };
    let old = resource.standing.as_ref().map(|standing| standing.properties.clone()).unwrap_or_default();
    Ok(Some(Job::Make(Box::new(Making { kind: provider(&doing.target.kind)?, doing, old, again: true }))))
}

async fn forward(tx: &mut Tx, input: &StepInput, stack: Stack, plan: Plan) -> Result<Job> {
    let existing = tx.get(&input.row()).await?;
    if let Some(resource) = &existing
        && let Some(job) = resumed(resource, input)?
    {
        return Ok(job);
    }
    let template = world::template(tx, &stack, &plan).await?;
    let declared = template.resources.get(&input.logical_id);
    let declared = declared.ok_or_else(|| Error::bug("begin a step: the template has no such resource"))?;
    let is_new = existing.as_ref().is_none_or(|resource| resource.standing.is_none());
    let mut resource = existing.unwrap_or_else(|| Resource::new(&declared.kind, tx.now()));
    resource.kind.clone_from(&declared.kind);
    resource.metadata = declared.metadata.as_ref().map(ToString::to_string);
    let target = match target(tx, input, (&stack, &plan), &template).await? {
        Ok(target) => target,
        Err(error) => {
            let outcome = Outcome::refused(error.to_string());
            let status =
                if is_new { ResourceStatus::CreateInProgress } else { ResourceStatus::UpdateInProgress };
            record::change(tx, &stack, (&input.logical_id, &mut resource), status, None).await?;
            end::conclude_here(tx, input, resource, outcome).await?;
            return Ok(Job::Over);
        }
    };
    // Boxed: a resource and its properties are large.
    Box::pin(start(tx, input, (&stack, &plan), resource, target)).await
}

/// Decides between making, changing, replacing and leaving alone.
async fn start(
    tx: &mut Tx,
    input: &StepInput,
    (stack, plan): (&Stack, &Plan),
    mut resource: Resource,
    mut target: Standing,
) -> Result<Job> {
    let kind = provider(&target.kind)?;
    let standing = resource.standing.as_ref();
    let unfinished = resource.status == ResourceStatus::UpdateFailed;
    let had = had(&resource, unfinished, &target.properties);
    let decision = had.as_ref().map(|had| decide(kind, had, &target.properties));
    if let (Some(standing), Some(decision)) = (standing, &decision)
        && let Some(message) = objection(kind, standing, &target, decision)
    {
        return refuse(tx, (input, stack), resource, message).await;
    }
    let deed = match decision {
        Some(Decision::Update) => Some(Deed::Modify),
        Some(Decision::Replace) => Some(Deed::Replace),
        _ => None,
    };
    if let (Some(deed), Some(policy)) = (deed, plan.policy.as_deref().map(Policy::parse).transpose()?)
        && let Err(message) = policy.check(deed, &input.logical_id, &target.kind)
    {
        return refuse(tx, (input, stack), resource, message).await;
    }
    let replacing = "Requested update requires the creation of a new physical resource; hence creating one.";
    let (action, status, reason) = match decision {
        None => (Action::Create, ResourceStatus::CreateInProgress, None),
        // As on AWS, an inner stack is always asked whether its template has changed.
        Some(Decision::Nothing) if kind.special == Special::Stack => {
            (Action::Update, ResourceStatus::UpdateInProgress, None)
        }
        Some(Decision::Update) => (Action::Update, ResourceStatus::UpdateInProgress, None),
        Some(Decision::Replace) => {
            (Action::Replace, ResourceStatus::UpdateInProgress, Some(replacing.to_owned()))
        }
        // A name that is taken has met with an objection.
        Some(Decision::Nothing | Decision::NameTaken) => {
            end::unchanged(tx, input, resource, target).await?;
            return Ok(Job::Over);
        }
    };
    let old = resource.standing.clone();
    if action == Action::Update {
        target.id = old.as_ref().map(|old| old.id.clone()).unwrap_or_default();
        target.name = old.as_ref().and_then(|old| old.name.clone());
    } else {
        target.name = name(tx, kind, (&stack.name, &input.logical_id), &target.properties);
    }
    let doing = Doing { generation: input.generation, action, target, sent: false, settling: false };
    resource.doing = Some(doing.clone());
    record::change(tx, stack, (&input.logical_id, &mut resource), status, reason).await?;
    tx.put(&input.row(), &resource)?;
    let old = had.unwrap_or_default();
    Ok(Job::Make(Box::new(Making { kind, doing, old, again: unfinished })))
}

/// The properties that a resource has. One whose change has failed half-way may have those of either side: of each property, the
/// value that is not the one wanted now, so that it is sent again.
fn had(resource: &Resource, unfinished: bool, wanted: &Properties) -> Option<Properties> {
    let mut had = resource.standing.as_ref()?.properties.clone();
    let Some(before) = resource.former.last().filter(|_| unfinished) else { return Some(had) };
    let names: BTreeSet<String> = had.keys().chain(before.properties.keys()).cloned().collect();
    for name in names {
        if before.properties.get(&name) == wanted.get(&name) {
            continue;
        }
        match before.properties.get(&name) {
            Some(value) => drop(had.insert(name, value.clone())),
            None => drop(had.remove(&name)),
        }
    }
    Some(had)
}

/// Why what stands cannot become what the template wants, if so.
fn objection(
    kind: &ResourceType,
    standing: &Standing,
    target: &Standing,
    decision: &Decision,
) -> Option<String> {
    let (old, new) = (&standing.properties, &target.properties);
    if kind.special == Special::Custom && old.get("ServiceToken") != new.get("ServiceToken") {
        return Some("Modifying service token is not allowed.".to_owned());
    }
    match decision {
        Decision::Update if kind.special == Special::WaitCondition => {
            Some(format!("Update to resource type {} is not supported.", kind.name))
        }
        Decision::Update => kind.objection?(&Changed { id: &standing.id, old, new }),
        Decision::NameTaken => {
            let name = kind.name_property().and_then(|name| new.get(name)?.as_str()).unwrap_or_default();
            Some(format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} \
                 and update the stack again."
            ))
        }
        Decision::Nothing | Decision::Replace => None,
    }
}

/// What stands cannot become what the template wants.
async fn refuse(
    tx: &mut Tx,
    (input, stack): (&StepInput, &Stack),
    mut resource: Resource,
    message: String,
) -> Result<Job> {
    let status = ResourceStatus::UpdateInProgress;
    record::change(tx, stack, (&input.logical_id, &mut resource), status, None).await?;
    end::conclude_here(tx, input, resource, Outcome::refused(message)).await?;
    Ok(Job::Over)
}

/// The name that the template gives, or a new one.
fn name(
    tx: &Tx,
    kind: &ResourceType,
    (stack, logical_id): (&str, &str),
    properties: &Properties,
) -> Option<String> {
    let naming = kind.naming?;
    let given = properties.get(naming.property).and_then(|name| name.as_str());
    Some(given.map_or_else(|| naming.generate((stack, logical_id), tx.random(), properties), str::to_owned))
}

/// What the template wants of the resource, evaluated.
async fn target(
    tx: &mut Tx,
    input: &StepInput,
    (stack, plan): (&Stack, &Plan),
    template: &Template,
) -> Result<Result<Standing, TemplateError>> {
    let needs = template.needs(&input.logical_id, Some(&plan.target.conditions));
    let standing = world::standing(tx, stack, needs.iter().cloned()).await?;
    let pseudo = stack.pseudo();
    let world = World { stack: &stack.arn, standing, imports: &plan.imports };
    let evaluation = Evaluation { template, plan, pseudo: &pseudo, world: &world };
    let declared = &template.resources[&input.logical_id];
    let tags = &plan.target.tags;
    let properties = match world::properties_of(template, &input.logical_id, &evaluation.scope(), tags) {
        Ok(properties) => properties,
        Err(error) => return Ok(Err(error)),
    };
    let masked = world::masked(template, &input.logical_id, (&evaluation.scope(), tags), &properties);
    Ok(Ok(Standing {
        kind: declared.kind.clone(),
        id: String::new(),
        name: None,
        properties,
        masked,
        live: None,
        reference: base::Document::Null,
        attributes: serde_json::Map::new(),
        needs,
        deletion_policy: declared.deletion_policy,
        replace_policy: declared.update_replace_policy,
    }))
}

/// Changes a resource back to what it was.
async fn revert(tx: &mut Tx, input: &StepInput, stack: Stack, plan: Plan) -> Result<Job> {
    let resource = tx.get(&input.row()).await?;
    let mut resource = resource.ok_or_else(|| Error::bug("revert a resource: its row is gone"))?;
    if let Some(job) = resumed(&resource, input)? {
        return Ok(job);
    }
    let before = resource.former.first().cloned();
    let mut target = before.ok_or_else(|| Error::bug("revert a resource: nothing stood before"))?;
    let kind = provider(&target.kind)?;
    // A custom resource is asked to bring back what it has made last, even if that is a new thing.
    if let (Special::Custom, Some(standing)) = (kind.special, &resource.standing) {
        target.id.clone_from(&standing.id);
    }
    let old = resource.standing.as_ref().map(|standing| standing.properties.clone()).unwrap_or_default();
    let doing =
        Doing { generation: plan.generation, action: Action::Update, target, sent: false, settling: false };
    resource.doing = Some(doing.clone());
    record::change(tx, &stack, (&input.logical_id, &mut resource), ResourceStatus::UpdateInProgress, None)
        .await?;
    tx.put(&input.row(), &resource)?;
    Ok(Job::Make(Box::new(Making { kind, doing, old, again: true })))
}

async fn delete(tx: &mut Tx, input: &StepInput, stack: Stack, plan: Plan) -> Result<Job> {
    let Some(mut resource) = tx.get(&input.row()).await? else { return Ok(Job::Over) };
    let template = world::template(tx, &stack, &plan).await?;
    let exists = template.resources.contains_key(&input.logical_id)
        && template.exists(&input.logical_id, &plan.target.conditions);
    let doomed = doomed(&plan, (&input.logical_id, &resource), exists);
    if resource.status != ResourceStatus::DeleteInProgress {
        for old in &doomed.deletes {
            let entry = Entry {
                logical_id: &input.logical_id,
                kind: &old.kind,
                physical_id: &old.id,
                status: ResourceStatus::DeleteInProgress,
                reason: None,
                properties: Some(old.shown()),
            };
            record::resource(tx, &stack, entry).await?;
        }
        resource.status = ResourceStatus::DeleteInProgress;
        resource.changed_at = tx.now();
        tx.put(&input.row(), &resource)?;
    }
    Ok(Job::Delete(Deleting { doomed: doomed.deletes, going: resource.going, gone: resource.gone }))
}
