//! The end of a step: what came of it, and what may begin now, in one commit.

use kernel::{Error, Outcome as TaskOutcome, ReplyInput, Result, Tx};

use super::phase::{advance, doomed};
use super::{SETTLE_PAUSE, StepInput, enqueue_step, world};
use crate::api::ResourceStatus;
use crate::keys::StackKey;
use crate::plan::{Kind, Phase, Plan, StepState};
use crate::provider::{Failure, MALFORMED, Made, ResourceType};
use crate::record::{self, Entry};
use crate::resource::{Action, Doing, Resource, ResourceChange, Standing};
use crate::stack::Stack;

/// What came of a step.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It stands.
    Made(Made),
    /// All that was to be deleted is gone.
    Gone,
    /// What has this physical id is going, but not gone.
    Going(String),
    /// Somebody will tell when there is more to say. What is being made has this physical id, if it is known.
    Waiting(Option<String>),
    /// It did not work out.
    Failed {
        /// Shown to the user.
        reason: String,
        /// The physical id of what has been made nevertheless.
        id: Option<String>,
    },
    /// It did not work out, for this reason, and what stood is as it was.
    Untouched(String),
}

impl Outcome {
    pub(super) fn refused(reason: String) -> Outcome {
        Outcome::Failed { reason, id: None }
    }

    /// A failure in the words of resource handlers.
    pub(super) fn failed(failure: &Failure, logical_id: &str, request: &str) -> Outcome {
        let Failure { fault, service, id, untouched } = failure;
        let code = match fault {
            fault if crate::provider::is_taken(fault) => "AlreadyExists",
            fault if fault.code.contains("NotFound") || fault.code.contains("DoesNotExist") => "NotFound",
            fault if fault.code.contains("AccessDenied") => "AccessDenied",
            fault if fault.status >= 500 => "GeneralServiceException",
            _ => "InvalidRequest",
        };
        let mut reason = format!(
            "Resource handler returned message: \"{} (Service: {service}, Status Code: {}, Request ID: {request})\" \
             (RequestToken: {request}, HandlerErrorCode: {code})",
            fault.message, fault.status
        );
        if fault.code == MALFORMED {
            let what = &fault.message;
            reason = format!("Properties validation failed for resource {logical_id} with message: [{what}]");
        }
        match untouched {
            true => Outcome::Untouched(reason),
            false => Outcome::Failed { reason, id: id.clone() },
        }
    }
}

/// Takes a step's outcome, unless another run has ended the step.
pub(super) async fn end(tx: &mut Tx, (input, outcome): (StepInput, Outcome)) -> Result<()> {
    let Some((stack, plan)) = current(tx, &input).await? else { return Ok(()) };
    let resource = match tx.get(&input.row()).await? {
        Some(resource) => resource,
        None => {
            let template = world::template(tx, &stack, &plan).await?;
            let declared = template.resources.get(&input.logical_id);
            Resource::new(declared.map_or("", |declared| &declared.kind), tx.now())
        }
    };
    conclude(tx, &input, (stack, plan), resource, outcome).await
}

/// Ends a step in the transaction that began it.
pub(super) async fn conclude_here(
    tx: &mut Tx,
    input: &StepInput,
    resource: Resource,
    outcome: Outcome,
) -> Result<()> {
    match current(tx, input).await? {
        Some(current) => conclude(tx, input, current, resource, outcome).await,
        None => Ok(()),
    }
}

/// The stack and the plan, guarded; `None` if the step is not under way any more.
async fn current(tx: &mut Tx, input: &StepInput) -> Result<Option<(Stack, Plan)>> {
    let plan = tx.get(&input.plan()).await?;
    let Some(plan) = plan.filter(|plan| plan.is_running(&input.logical_id, input.generation)) else {
        return Ok(None);
    };
    let stack = tx.get(&StackKey { id: input.stack.clone() }).await?;
    Ok(Some((stack.ok_or_else(|| Error::bug("end a step: the stack is gone"))?, plan)))
}

/// The task of a step has ended: if it was given up, the step has failed.
pub(crate) async fn step_ended(tx: &mut Tx, reply: ReplyInput<StepInput>) -> Result<()> {
    match reply.outcome {
        TaskOutcome::Succeeded(_) => Ok(()),
        TaskOutcome::Failed(fault) => {
            let outcome = Outcome::refused(format!("Internal Failure: {}", fault.message));
            end(tx, (reply.context, outcome)).await
        }
    }
}

/// Writes the outcome into the row, the log and the plan, and goes on.
async fn conclude(
    tx: &mut Tx,
    input: &StepInput,
    (mut stack, mut plan): (Stack, Plan),
    mut resource: Resource,
    outcome: Outcome,
) -> Result<()> {
    let state = match outcome {
        Outcome::Waiting(id) => {
            wait(&mut resource, id);
            return tx.put(&input.row(), &resource);
        }
        Outcome::Made(made) if !made.ready && plan.halted.is_none() => {
            settle(&mut resource, made);
            tx.put(&input.row(), &resource)?;
            return again(tx, &stack, &plan, input);
        }
        Outcome::Going(id) => {
            resource.going = Some(id);
            tx.put(&input.row(), &resource)?;
            return again(tx, &stack, &plan, input);
        }
        Outcome::Made(made) => {
            complete(tx, &stack, &plan, (&input.logical_id, &mut resource), made).await?;
            tx.put(&input.row(), &resource)?;
            StepState::Done
        }
        Outcome::Gone => {
            gone(tx, (&stack, &plan), input, resource).await?;
            StepState::Done
        }
        Outcome::Untouched(reason) => {
            resource.doing = None;
            failed(tx, &stack, &plan, (&input.logical_id, &mut resource), (reason, None)).await?;
            tx.put(&input.row(), &resource)?;
            StepState::Failed
        }
        Outcome::Failed { reason, id } => {
            failed(tx, &stack, &plan, (&input.logical_id, &mut resource), (reason, id)).await?;
            tx.put(&input.row(), &resource)?;
            StepState::Failed
        }
    };
    plan.mark(&input.logical_id, state);
    advance(tx, &mut stack, plan).await
}

/// The template wants what stands.
pub(super) async fn unchanged(
    tx: &mut Tx,
    input: &StepInput,
    mut resource: Resource,
    target: Standing,
) -> Result<()> {
    let Some((mut stack, mut plan)) = current(tx, input).await? else { return Ok(()) };
    if let Some(standing) = &mut resource.standing {
        standing.masked = target.masked;
        standing.needs = target.needs;
        standing.deletion_policy = target.deletion_policy;
        standing.replace_policy = target.replace_policy;
    }
    if resource.status == ResourceStatus::UpdateFailed {
        let status = ResourceStatus::UpdateComplete;
        record::change(tx, &stack, (&input.logical_id, &mut resource), status, None).await?;
    }
    tx.put(&input.row(), &resource)?;
    plan.mark(&input.logical_id, StepState::Done);
    advance(tx, &mut stack, plan).await
}

/// It is being made under this id.
fn wait(resource: &mut Resource, id: Option<String>) {
    if let (Some(doing), Some(id)) = (&mut resource.doing, id) {
        doing.settling = true;
        doing.target.id = id;
    }
}

fn again(tx: &mut Tx, stack: &Stack, plan: &Plan, input: &StepInput) -> Result<()> {
    let due = tx.now() + SETTLE_PAUSE;
    enqueue_step(tx, stack, plan, &input.logical_id, due)
}

/// It stands but is not ready: the next run only looks.
fn settle(resource: &mut Resource, made: Made) {
    if let Some(doing) = &mut resource.doing {
        doing.settling = true;
        doing.target.id = made.id;
    }
}

/// What stands now. An update does not tell again what only the creation could tell: a secret key, say.
fn with(doing: Doing, made: Made, before: Option<&Standing>) -> Standing {
    let mut attributes = made.attributes;
    if let Some(before) = before.filter(|before| before.id == made.id && before.kind == doing.target.kind) {
        let known = ResourceType::find(&before.kind).map_or(&[][..], |kind| kind.attributes);
        for (name, _) in known {
            if let (None, Some(value)) = (attributes.get(*name), before.attributes.get(*name)) {
                attributes.insert((*name).to_owned(), value.clone());
            }
        }
    }
    Standing { id: made.id, reference: made.reference, attributes, ..doing.target }
}

async fn complete(
    tx: &mut Tx,
    stack: &Stack,
    plan: &Plan,
    (logical_id, resource): (&str, &mut Resource),
    made: Made,
) -> Result<()> {
    let doing = resource.doing.take().ok_or_else(|| Error::bug("end a step that was not begun"))?;
    let action = doing.action;
    let standing = with(doing, made, resource.standing.as_ref());
    resource.awaiting = None;
    let moved = resource.standing.as_ref().is_some_and(|before| before.id != standing.id);
    match (plan.phase, action) {
        (Phase::Revert, _) => {
            resource.revert(standing);
        }
        (_, Action::Create) => resource.succeed(standing, ResourceChange::Created),
        (_, Action::Update) => resource.succeed(standing, ResourceChange::Updated),
        (_, Action::Replace) => resource.succeed(standing, ResourceChange::Replaced),
    }
    let entry = (logical_id, resource);
    if action == Action::Create {
        let initiated = Some("Resource creation Initiated".to_owned());
        record::change(tx, stack, (entry.0, entry.1), ResourceStatus::CreateInProgress, initiated).await?;
        return record::change(tx, stack, entry, ResourceStatus::CreateComplete, None).await;
    }
    let made = match action {
        Action::Replace => Some("Resource creation Initiated"),
        // A custom resource says by a new id that it has made a new thing.
        _ if moved => Some("Requested update required the provider to create a new physical resource"),
        _ => None,
    };
    if let Some(made) = made {
        let status = ResourceStatus::UpdateInProgress;
        record::change(tx, stack, (entry.0, entry.1), status, Some(made.to_owned())).await?;
    }
    record::change(tx, stack, entry, ResourceStatus::UpdateComplete, None).await
}

async fn failed(
    tx: &mut Tx,
    stack: &Stack,
    plan: &Plan,
    (logical_id, resource): (&str, &mut Resource),
    (reason, id): (String, Option<String>),
) -> Result<()> {
    let doing = resource.doing.take();
    resource.going = None;
    resource.awaiting = None;
    resource.gone.clear();
    if matches!(plan.phase, Phase::Clear | Phase::Cleanup | Phase::RevertCleanup | Phase::Undo) {
        record::change(tx, stack, (logical_id, resource), ResourceStatus::DeleteFailed, Some(reason)).await?;
        if plan.phase == Phase::Clear {
            // The next operation tries again.
            let made = resource.standing.is_some();
            resource.status = if made { ResourceStatus::UpdateFailed } else { ResourceStatus::CreateFailed };
        } else if plan.phase != Phase::Undo {
            // As on AWS: what a cleanup cannot delete is left behind, and the stack goes on without it.
            resource.status = ResourceStatus::UpdateComplete;
            resource.former.clear();
        }
        return Ok(());
    }
    let status = match (plan.phase, &doing, &resource.standing) {
        (_, Some(Doing { action: Action::Create, .. }), _) | (_, None, None) => ResourceStatus::CreateFailed,
        _ => ResourceStatus::UpdateFailed,
    };
    if let (Phase::Forward, Some(doing)) = (plan.phase, doing) {
        let change = match doing.action {
            Action::Create => ResourceChange::Created,
            Action::Update => ResourceChange::Updated,
            Action::Replace => ResourceChange::Replaced,
        };
        let id = id.or_else(|| Some(doing.target.id.clone()).filter(|_| doing.action == Action::Update));
        // What was half made or half changed is remembered as made: it has to be taken away or changed back.
        if let Some(id) = id.or_else(|| Some(doing.target.id.clone()).filter(|id| !id.is_empty())) {
            let standing = resource.standing.as_ref();
            let reference = standing.map(|old| old.reference.clone()).unwrap_or_default();
            let attributes = standing.map(|old| old.attributes.clone()).unwrap_or_default();
            resource.succeed(Standing { id, reference, attributes, ..doing.target }, change);
        }
    }
    record::change(tx, stack, (logical_id, resource), status, Some(reason)).await
}

async fn gone(
    tx: &mut Tx,
    (stack, plan): (&Stack, &Plan),
    input: &StepInput,
    mut resource: Resource,
) -> Result<()> {
    let template = world::template(tx, stack, plan).await?;
    let exists = template.resources.contains_key(&input.logical_id)
        && template.exists(&input.logical_id, &plan.target.conditions);
    let doomed = doomed(plan, (&input.logical_id, &resource), exists);
    for old in &doomed.deletes {
        let entry = Entry {
            logical_id: &input.logical_id,
            kind: &old.kind,
            physical_id: &old.id,
            status: ResourceStatus::DeleteComplete,
            reason: None,
            properties: Some(old.shown()),
        };
        record::resource(tx, stack, entry).await?;
    }
    if doomed.row_goes {
        tx.delete(&input.row());
        return Ok(());
    }
    resource.former.clear();
    resource.going = None;
    resource.awaiting = None;
    resource.gone.clear();
    resource.changed_at = tx.now();
    resource.status = match plan.phase {
        Phase::Undo => ResourceStatus::DeleteComplete,
        _ if plan.kind == Kind::Create => ResourceStatus::CreateComplete,
        _ => ResourceStatus::UpdateComplete,
    };
    if plan.phase == Phase::Undo {
        resource.standing = None;
    }
    tx.put(&input.row(), &resource)
}
