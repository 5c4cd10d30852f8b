//! The beginning of an operation: the stack's row, its plan and its first steps, in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::Fault;
use kernel::{Call, Caller, NewTask, Result, Tx};

use super::phase::{advance, clear, resources, revert, steps, undo};
use super::{SERVICE, TIME_OUT, TimeOut};
use crate::api::{ResourceStatus, StackStatus};
use crate::export;
use crate::keys::{NameKey, OriginalKey, ResourceKey, TemplateKey};
use crate::plan::{Kind, Phase, Plan};
use crate::policy::{Deed, Policy};
use crate::record;
use crate::resource::Resource;
use crate::stack::{Deployed, FailureMode, Stack, invalid};
use crate::template::Template;

/// What a stack shall be.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub template: Arc<Template>,
    /// The text that the steps work with, if it is a new one.
    pub text: Option<String>,
    /// The text as its author wrote it, if transforms have made another one of it.
    pub original: Option<String>,
    pub deployed: Deployed,
    /// Names of the exports that it imports.
    pub imports: BTreeSet<String>,
}

/// Begins to make a stack.
pub(crate) async fn create(tx: &mut Tx, stack: &mut Stack, wanted: Wanted) -> Result<()> {
    tx.put(&NameKey { name: stack.name.clone() }, &stack.id)?;
    let target = store_template(tx, stack, &wanted)?;
    stack.deployed = target.clone();
    stack.imports.clone_from(&wanted.imports);
    let mut plan = plan(tx, stack, Kind::Create, target);
    plan.imports = export::import(tx, stack, &wanted.imports).await?;
    plan.steps = steps(&wanted.template, &plan.target);
    record::stack(tx, stack, StackStatus::CreateInProgress, Some("User Initiated".to_owned())).await?;
    if let Some(minutes) = stack.settings.timeout_minutes {
        let input = TimeOut { stack: stack.id.clone(), generation: plan.generation };
        let due = tx.now() + Duration::from_secs(60 * u64::try_from(minutes).unwrap_or(0));
        tx.enqueue(due, NewTask::new(Call::new(SERVICE, TIME_OUT, &input)?))?;
    }
    advance(tx, stack, plan).await
}

/// Begins to change a stack.
pub(crate) async fn update(
    tx: &mut Tx,
    stack: &mut Stack,
    wanted: Wanted,
    (on_failure, policy): (FailureMode, Option<String>),
) -> Result<()> {
    stack.updated = Some(tx.now());
    let target = store_template(tx, stack, &wanted)?;
    let mut plan = Plan { on_failure, policy, ..plan(tx, stack, Kind::Update, target) };
    let standing = resources(tx, stack).await?;
    if let Some(refusal) = retyped(&standing, &wanted) {
        return Err(invalid(refusal).into());
    }
    check_removals(&standing, &plan, &wanted.template)?;
    plan.imports = export::import(tx, stack, &wanted.imports).await?;
    record::stack(tx, stack, StackStatus::UpdateInProgress, Some("User Initiated".to_owned())).await?;
    clear(tx, stack, &mut plan).await?;
    advance(tx, stack, plan).await
}

/// Refuses an update that would take away what the stack's policy keeps.
fn check_removals(
    standing: &BTreeMap<String, Resource>,
    plan: &Plan,
    template: &Template,
) -> Result<(), Fault> {
    let Some(policy) = plan.policy.as_deref().map(Policy::parse).transpose()? else { return Ok(()) };
    for (logical_id, resource) in standing {
        let stays = template.resources.contains_key(logical_id)
            && template.exists(logical_id, &plan.target.conditions);
        if !stays && resource.standing.is_some() {
            policy.check(Deed::Delete, logical_id, &resource.kind).map_err(invalid)?;
        }
    }
    Ok(())
}

/// A resource keeps its type for as long as it stands: another one under its logical id would cost it its data.
pub(crate) fn retyped(standing: &BTreeMap<String, Resource>, wanted: &Wanted) -> Option<String> {
    let (template, conditions) = (&wanted.template, &wanted.deployed.conditions);
    let differs = |(name, resource): &(&String, &Resource)| {
        let declared = template.resources.get(*name).filter(|_| template.exists(name, conditions));
        let kind = resource.standing.as_ref().map(|standing| &standing.kind);
        declared.zip(kind).is_some_and(|(declared, kind)| declared.kind != *kind)
    };
    let names: Vec<&str> = standing.iter().filter(differs).map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following \
             resources: [{}]",
            names.join(", ")
        )
    })
}

/// Begins to take a stack away.
pub(crate) async fn delete(tx: &mut Tx, stack: &mut Stack, retain: BTreeSet<String>) -> Result<()> {
    let target = stack.deployed.clone();
    let mut plan = Plan { retain, ..plan(tx, stack, Kind::Delete, target) };
    export::give_up_all(tx, stack).await?;
    for output in &mut stack.outputs {
        output.export = None;
    }
    record::stack(tx, stack, StackStatus::DeleteInProgress, Some("User Initiated".to_owned())).await?;
    undo(tx, stack, &mut plan).await?;
    advance(tx, stack, plan).await
}

/// Begins, or begins again, to bring a stack back to what it was before an update. Resources that are `skipped` stay as they are.
///
/// # Errors
/// One that is skipped is not among those that failed.
pub(crate) async fn go_back(tx: &mut Tx, stack: &mut Stack, skipped: &BTreeSet<String>) -> Result<()> {
    let target = stack.deployed.clone();
    let mut plan = plan(tx, stack, Kind::Update, target);
    let reason = Some("User Initiated".to_owned());
    record::stack(tx, stack, StackStatus::UpdateRollbackInProgress, reason).await?;
    for logical_id in skipped {
        let key = ResourceKey { stack: stack.id.clone(), logical_id: logical_id.clone() };
        let row = tx.get(&key).await?.filter(|row| row.status == ResourceStatus::UpdateFailed);
        let Some(mut row) = row else {
            let message =
                format!("Resource {logical_id} is not in UPDATE_FAILED state and cannot be skipped.");
            return Err(invalid(message).into());
        };
        row.forget_former();
        let reason = Some("Resource was skipped by user".to_owned());
        record::change(tx, stack, (logical_id, &mut row), ResourceStatus::UpdateComplete, reason).await?;
        tx.put(&key, &row)?;
    }
    revert(tx, stack, &mut plan).await?;
    advance(tx, stack, plan).await
}

/// Begins to take away what a failed creation has left.
pub(crate) async fn undo_creation(tx: &mut Tx, stack: &mut Stack) -> Result<()> {
    let target = stack.deployed.clone();
    let plan = plan(tx, stack, Kind::Create, target);
    let mut plan = Plan { on_failure: FailureMode::Rollback, ..plan };
    record::stack(tx, stack, StackStatus::RollbackInProgress, Some("User Initiated".to_owned())).await?;
    undo(tx, stack, &mut plan).await?;
    advance(tx, stack, plan).await
}

fn plan(tx: &mut Tx, stack: &mut Stack, kind: Kind, target: Deployed) -> Plan {
    stack.generation += 1;
    let caller = acting(tx.caller(), stack.settings.role_arn.as_deref());
    Plan {
        kind,
        phase: Phase::Forward,
        generation: stack.generation,
        target,
        imports: BTreeMap::new(),
        steps: BTreeMap::new(),
        on_failure: stack.settings.on_failure,
        retain: BTreeSet::new(),
        halted: None,
        token: stack.token.clone(),
        policy: None,
        trace: tx.trace(),
        caller,
    }
}

/// With a service role, the steps are done in the role's name.
fn acting(caller: &Caller, role_arn: Option<&str>) -> Caller {
    match role_arn {
        None => caller.clone(),
        Some(role) => Caller { principal: role.to_owned(), ..caller.clone() },
    }
}

fn store_template(tx: &mut Tx, stack: &mut Stack, wanted: &Wanted) -> Result<Deployed> {
    let Some(text) = &wanted.text else {
        return Ok(Deployed { template: stack.deployed.template, ..wanted.deployed.clone() });
    };
    stack.template_version += 1;
    let version = stack.template_version;
    tx.put(&TemplateKey { stack: stack.id.clone(), version }, text)?;
    if let Some(original) = &wanted.original {
        tx.put(&OriginalKey { stack: stack.id.clone(), version }, original)?;
    }
    Ok(Deployed { template: version, ..wanted.deployed.clone() })
}
