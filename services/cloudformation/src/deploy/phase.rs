//! From phase to phase: which steps begin, what a phase's end means for the stack, and what comes next.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Parts, Result, Tx};

use super::world::{self, Evaluation, World};
use super::{enqueue_step, nested, outputs, wait};
use crate::api::{ResourceStatus, StackStatus};
use crate::change_set;
use crate::export;
use crate::keys::{NameKey, PlanKey, ResourceKey};
use crate::plan::{Kind, Phase, Plan, Step, StepState, reversed};
use crate::record::{self, Entry};
use crate::resource::{Resource, ResourceChange, Standing};
use crate::stack::{Deployed, FailureMode, Stack};
use crate::template::{DeletionPolicy, Template};

/// More than a stack can have: its own resources and those that an update leaves out.
const RESOURCES_MAX: usize = 2_000;

/// Begins what may begin; where a phase is over, goes on to the next. Writes the stack and the plan.
pub(crate) async fn advance(tx: &mut Tx, stack: &mut Stack, mut plan: Plan) -> Result<()> {
    let key = PlanKey { stack: stack.id.clone() };
    for cancelled in wait::call_off(tx, stack, &plan).await? {
        plan.mark(&cancelled, StepState::Failed);
    }
    loop {
        let ready = plan.begin_ready();
        for logical_id in &ready {
            let now = tx.now();
            enqueue_step(tx, stack, &plan, logical_id, now)?;
        }
        if !ready.is_empty() || !plan.is_idle() {
            tx.put(&key, &plan)?;
            break;
        }
        if !next(tx, stack, &mut plan).await? {
            nested::tell_parent(tx, stack).await?;
            tx.delete(&key);
            break;
        }
    }
    tx.put(&stack.key(), stack)
}

/// All resources of the stack.
pub(super) async fn resources(tx: &mut Tx, stack: &Stack) -> Result<BTreeMap<String, Resource>> {
    let rows = tx.scan::<ResourceKey>(Parts::of(&stack.id), RESOURCES_MAX).await?;
    Ok(rows.into_iter().map(|(key, resource)| (key.logical_id, resource)).collect())
}

fn key(stack: &Stack, logical_id: &str) -> ResourceKey {
    ResourceKey { stack: stack.id.clone(), logical_id: logical_id.to_owned() }
}

/// Ends the plan's phase; `false` if the operation is over.
async fn next(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<bool> {
    match plan.phase {
        Phase::Forward => match forward_failure(tx, stack, plan).await? {
            Some(reason) => fail(tx, stack, plan, reason).await,
            None => succeed(tx, stack, plan).await,
        },
        Phase::Clear => cleared(tx, stack, plan).await,
        Phase::Cleanup => finish(tx, stack, StackStatus::UpdateComplete).await,
        Phase::Revert => reverted(tx, stack, plan).await,
        Phase::RevertCleanup => finish(tx, stack, StackStatus::UpdateRollbackComplete).await,
        Phase::Undo => undone(tx, stack, plan).await,
    }
}

/// Begins to take away what an operation that failed has left half made; without any, begins with the target at once.
pub(super) async fn clear(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<()> {
    let mut needs = BTreeMap::new();
    for (logical_id, mut resource) in resources(tx, stack).await? {
        if resource.clear() {
            let needed = resource.predecessors().flat_map(|old| old.needs.clone()).collect();
            tx.put(&key(stack, &logical_id), &resource)?;
            needs.insert(logical_id, needed);
        }
    }
    match needs.is_empty() {
        true => forward(tx, stack, plan).await,
        false => {
            plan.enter(Phase::Clear, plan.generation, reversed(&needs));
            Ok(())
        }
    }
}

/// Nothing half made is left.
async fn cleared(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<bool> {
    let failed = plan.failed().join(", ");
    if !failed.is_empty() {
        let reason = format!("The following resource(s) failed to delete: [{failed}]. ");
        record::stack(tx, stack, StackStatus::UpdateFailed, Some(reason)).await?;
        return Ok(false);
    }
    stack.generation += 1;
    forward(tx, stack, plan).await?;
    Ok(true)
}

/// On to the target: one step for each resource that shall exist.
async fn forward(tx: &mut Tx, stack: &Stack, plan: &mut Plan) -> Result<()> {
    let template = world::template(tx, stack, plan).await?;
    plan.enter(Phase::Forward, stack.generation, steps(&template, &plan.target));
    Ok(())
}

/// One step for each resource that shall exist.
pub(super) fn steps(template: &Template, target: &Deployed) -> BTreeMap<String, Step> {
    let existing = template.resources.keys().filter(|name| template.exists(name, &target.conditions));
    existing.map(|name| (name.clone(), Step::new(template.needs(name, Some(&target.conditions))))).collect()
}

/// Why the target cannot be reached, if so: what has called it off, what failed to be made, what failed to be changed.
async fn forward_failure(tx: &mut Tx, stack: &Stack, plan: &Plan) -> Result<Option<String>> {
    let (mut created, mut updated) = (Vec::new(), Vec::new());
    for logical_id in plan.failed() {
        let row = tx.peek(&key(stack, logical_id)).await?;
        match row.is_some_and(|row| row.status == ResourceStatus::CreateFailed) {
            true => created.push(logical_id),
            false if plan.kind == Kind::Create => created.push(logical_id),
            false => updated.push(logical_id),
        }
    }
    let mut reasons: Vec<String> = plan.halted.iter().cloned().collect();
    for (verb, names) in [("create", created), ("update", updated)] {
        if !names.is_empty() {
            reasons.push(format!("The following resource(s) failed to {verb}: [{}]. ", names.join(", ")));
        }
    }
    Ok((!reasons.is_empty()).then(|| reasons.join(if plan.halted.is_some() { " " } else { "" })))
}

/// A reason as a sentence, with another one behind it.
fn and(reason: &str, more: &str) -> String {
    let reason = reason.trim_end();
    let stop = if reason.is_empty() || reason.ends_with('.') { "" } else { "." };
    format!("{reason}{stop} {more}").trim_start().to_owned()
}

/// The target stands: outputs and exports, then what the target no longer has.
async fn succeed(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<bool> {
    let template = world::template(tx, stack, plan).await?;
    let pseudo = stack.pseudo();
    let standing = resources(tx, stack).await?;
    let standing =
        standing.into_iter().filter_map(|(name, resource)| Some((name, resource.standing?))).collect();
    let world = World { stack: &stack.arn, standing, imports: &plan.imports };
    let evaluation = Evaluation { template: &template, plan, pseudo: &pseudo, world: &world };
    let evaluated = match outputs::evaluate(&evaluation) {
        Ok(evaluated) => evaluated,
        Err(error) => return fail(tx, stack, plan, error.to_string()).await,
    };
    match export::replace(tx, stack, &evaluated).await {
        Err(kernel::Error::Fault(fault)) => return fail(tx, stack, plan, fault.message).await,
        result => result?,
    }
    stack.outputs = evaluated;
    if plan.kind == Kind::Create {
        return finish(tx, stack, StackStatus::CreateComplete).await;
    }
    stack.deployed = plan.target.clone();
    let unused: Vec<String> =
        stack.imports.iter().filter(|name| !plan.imports.contains_key(*name)).cloned().collect();
    export::forget(tx, stack, unused.iter()).await?;
    stack.imports = plan.imports.keys().cloned().collect();
    record::stack(tx, stack, StackStatus::UpdateCompleteCleanupInProgress, None).await?;
    take_away(tx, stack, plan, Phase::Cleanup).await?;
    Ok(true)
}

/// The target cannot be reached.
async fn fail(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan, reason: String) -> Result<bool> {
    let requested = and(&reason, "Rollback requested by user.");
    match (plan.kind, plan.on_failure) {
        // A stack that has never been whole has nothing to go back to.
        (Kind::Update, mode) if mode == FailureMode::Nothing || stack.unstable => {
            record::stack(tx, stack, StackStatus::UpdateFailed, Some(reason)).await?;
            Ok(false)
        }
        (Kind::Update, _) => {
            record::stack(tx, stack, StackStatus::UpdateRollbackInProgress, Some(reason)).await?;
            revert(tx, stack, plan).await?;
            Ok(true)
        }
        (_, FailureMode::Nothing) => {
            stack.unstable = true;
            record::stack(tx, stack, StackStatus::CreateFailed, Some(reason)).await?;
            Ok(false)
        }
        (_, FailureMode::Rollback) => {
            record::stack(tx, stack, StackStatus::RollbackInProgress, Some(requested)).await?;
            undo(tx, stack, plan).await?;
            Ok(true)
        }
        (_, FailureMode::Delete) => {
            record::stack(tx, stack, StackStatus::DeleteInProgress, Some(reason)).await?;
            undo(tx, stack, plan).await?;
            Ok(true)
        }
    }
}

/// The operation is over and what stands is right.
async fn finish(tx: &mut Tx, stack: &mut Stack, status: StackStatus) -> Result<bool> {
    for (logical_id, mut resource) in resources(tx, stack).await? {
        if resource.change.is_some() || !resource.former.is_empty() {
            resource.forget_former();
            tx.put(&key(stack, &logical_id), &resource)?;
        }
    }
    stack.unstable = false;
    record::stack(tx, stack, status, None).await?;
    Ok(false)
}

/// Back to what was deployed: what was replaced stands again at once, what was changed in place is changed back.
pub(super) async fn revert(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<()> {
    let mut needs = BTreeMap::new();
    for (logical_id, mut resource) in resources(tx, stack).await? {
        resource.restore();
        resource.doing = None;
        if resource.change == Some(ResourceChange::Updated) {
            let before = resource.former.first().map(|former| former.needs.clone());
            needs.insert(logical_id.clone(), before.unwrap_or_default());
        }
        tx.put(&key(stack, &logical_id), &resource)?;
    }
    let names: BTreeSet<String> = needs.keys().cloned().collect();
    let step = |(name, needs): (String, BTreeSet<String>)| (name, Step::new(&needs & &names));
    stack.generation += 1;
    plan.enter(Phase::Revert, stack.generation, needs.into_iter().map(step).collect());
    Ok(())
}

async fn reverted(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<bool> {
    let failed = plan.failed().join(", ");
    let unused: Vec<String> =
        plan.imports.keys().filter(|name| !stack.imports.contains(*name)).cloned().collect();
    export::forget(tx, stack, unused.iter()).await?;
    if !failed.is_empty() {
        let reason = format!("The following resource(s) failed to update: [{failed}]. ");
        record::stack(tx, stack, StackStatus::UpdateRollbackFailed, Some(reason)).await?;
        return Ok(false);
    }
    record::stack(tx, stack, StackStatus::UpdateRollbackCompleteCleanupInProgress, None).await?;
    take_away(tx, stack, plan, Phase::RevertCleanup).await?;
    Ok(true)
}

/// Everything is to be taken away.
pub(super) async fn undo(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<()> {
    take_away(tx, stack, plan, Phase::Undo).await
}

/// Begins a phase that deletes.
async fn take_away(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan, phase: Phase) -> Result<()> {
    stack.generation += 1;
    plan.enter(phase, stack.generation, BTreeMap::new());
    let template = world::template(tx, stack, plan).await?;
    let mut needs = BTreeMap::new();
    for (logical_id, mut resource) in resources(tx, stack).await? {
        let exists = template.exists(&logical_id, &plan.target.conditions)
            && template.resources.contains_key(&logical_id);
        let doomed = doomed(plan, (&logical_id, &resource), exists);
        if doomed.keeps.is_some() || (doomed.deletes.is_empty() && doomed.row_goes) {
            skip(tx, stack, (&logical_id, &mut resource), &doomed).await?;
        }
        if !doomed.deletes.is_empty() {
            needs.insert(
                logical_id.clone(),
                doomed.deletes.iter().flat_map(|old| old.needs.clone()).collect(),
            );
        }
    }
    plan.steps = reversed(&needs);
    Ok(())
}

/// What a deleting phase means for one resource.
pub(super) struct Doomed {
    /// What is deleted.
    pub deletes: Vec<Standing>,
    /// What stands and is left alone although the stack lets go of it.
    pub keeps: Option<Standing>,
    /// The stack does not have the resource any more.
    pub row_goes: bool,
}

/// Decides what becomes of a resource; `exists`: the target has it.
pub(super) fn doomed(plan: &Plan, (logical_id, resource): (&str, &Resource), exists: bool) -> Doomed {
    let lets_go = match plan.phase {
        Phase::Undo => true,
        Phase::Cleanup => !exists,
        Phase::RevertCleanup => {
            let never_stood = resource.standing.is_none() && resource.former.is_empty();
            never_stood || resource.change == Some(ResourceChange::Created)
        }
        Phase::Clear => resource.standing.is_none(),
        Phase::Forward | Phase::Revert => false,
    };
    let created_now = plan.kind == Kind::Create || plan.phase == Phase::RevertCleanup;
    let retains = |standing: &Standing| match standing.deletion_policy {
        _ if plan.retain.contains(logical_id) => true,
        DeletionPolicy::Delete => false,
        DeletionPolicy::Retain => true,
        DeletionPolicy::RetainExceptOnCreate => !created_now,
    };
    // A successor that is taken back is nobody's data yet: only predecessors have a policy.
    let back = matches!(plan.phase, Phase::Clear | Phase::RevertCleanup);
    let replaced = |old: &&Standing| back || old.replace_policy == DeletionPolicy::Delete;
    let mut deletes: Vec<Standing> = resource.predecessors().filter(replaced).cloned().collect();
    let mut keeps = None;
    if lets_go {
        match resource.standing.clone() {
            Some(standing) if retains(&standing) => keeps = Some(standing),
            Some(standing) => deletes.push(standing),
            None => {}
        }
    }
    let row_goes = lets_go && plan.phase != Phase::Undo;
    Doomed { deletes, keeps, row_goes }
}

/// Lets go of a resource without touching it.
async fn skip(
    tx: &mut Tx,
    stack: &Stack,
    (logical_id, resource): (&str, &mut Resource),
    doomed: &Doomed,
) -> Result<()> {
    if let Some(kept) = &doomed.keeps {
        record::resource(
            tx,
            stack,
            Entry {
                logical_id,
                kind: &kept.kind,
                physical_id: &kept.id,
                status: ResourceStatus::DeleteSkipped,
                reason: None,
                properties: None,
            },
        )
        .await?;
        resource.status = ResourceStatus::DeleteSkipped;
        resource.standing = None;
        resource.former.retain(|former| former.id != kept.id);
    }
    match doomed.row_goes && doomed.deletes.is_empty() {
        true => tx.delete(&key(stack, logical_id)),
        false => tx.put(&key(stack, logical_id), resource)?,
    }
    Ok(())
}

/// Everything that could be taken away is.
async fn undone(tx: &mut Tx, stack: &mut Stack, plan: &mut Plan) -> Result<bool> {
    let deletes = plan.kind == Kind::Delete || plan.on_failure == FailureMode::Delete;
    let failed = plan.failed().join(", ");
    if !failed.is_empty() {
        let reason = format!("The following resource(s) failed to delete: [{failed}]. ");
        let status = if deletes { StackStatus::DeleteFailed } else { StackStatus::RollbackFailed };
        record::stack(tx, stack, status, Some(reason)).await?;
        return Ok(false);
    }
    let imports: BTreeSet<String> = std::mem::take(&mut stack.imports);
    export::forget(tx, stack, imports.iter()).await?;
    if deletes {
        stack.deleted = Some(tx.now());
        change_set::remove_all(tx, stack, None).await?;
        tx.delete(&NameKey { name: stack.name.clone() });
        record::stack(tx, stack, StackStatus::DeleteComplete, None).await?;
    } else {
        record::stack(tx, stack, StackStatus::RollbackComplete, None).await?;
    }
    Ok(false)
}
