use std::collections::HashSet;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{PutTargetsInput, PutTargetsOutput, Target};
use crate::fault;
use crate::managed;
use crate::rule;
use crate::target;

/// The most targets of a rule.
const TARGETS_MAX: usize = 5;

/// Adds targets to a rule, or changes those of the same id. All of them or, if one cannot be served, none.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>
pub(crate) async fn put_targets(tx: &mut Tx, input: PutTargetsInput) -> Result<PutTargetsOutput> {
    check_ids(&input.targets)?;
    let (key, before) =
        rule::find(tx, input.event_bus_name.as_deref(), &input.rule, "events:PutTargets").await?;
    managed::check(&key, &before, false)?;
    for target in &input.targets {
        target::check(tx, target)?;
    }
    let mut changed = before.clone();
    changed.targets.extend(input.targets.into_iter().map(|target| (target.id.clone(), target)));
    if changed.targets.len() > TARGETS_MAX {
        return Err(fault::limit_exceeded().into());
    }
    rule::write(tx, &key, &changed, Some(&before)).await?;
    Ok(PutTargetsOutput { failed_entry_count: Some(0), failed_entries: Some(Vec::new()) })
}

fn check_ids(targets: &[Target]) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    match targets.iter().find(|target| !seen.insert(&target.id)) {
        Some(target) => Err(fault::invalid(format!("Duplicate target id {} in the request.", target.id))),
        None => Ok(()),
    }
}
