//! Rules that other services make and that users only see.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{RuleState, Target};
use crate::bus;
use crate::fault;
use crate::keys::{Rule, RuleKey};
use crate::{rule, target};

/// The internal operation that makes or changes a managed rule.
pub const PUT_MANAGED_RULE: &str = "PutManagedRule";
/// The internal operation that removes a managed rule with its targets.
pub const DELETE_MANAGED_RULE: &str = "DeleteManagedRule";

/// A rule that a service manages, with all its targets: those that are not named are removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutManagedRuleInput {
    /// The rule.
    pub name: String,
    /// The bus, by its name or ARN; the default one if it is not given.
    #[serde(default)]
    pub event_bus_name: Option<String>,
    /// What it matches.
    pub event_pattern: String,
    /// The principal that manages it, e.g. `schemas.amazonaws.com`.
    pub managed_by: String,
    /// For the reader.
    #[serde(default)]
    pub description: Option<String>,
    /// `ENABLED` if it is not given.
    #[serde(default)]
    pub state: Option<RuleState>,
    /// Where events go.
    pub targets: Vec<Target>,
}

/// What was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutManagedRuleOutput {
    /// The rule's ARN.
    pub rule_arn: String,
}

/// Which rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteManagedRuleInput {
    /// The rule.
    pub name: String,
    /// The bus, by its name or ARN; the default one if it is not given.
    #[serde(default)]
    pub event_bus_name: Option<String>,
    /// The principal that manages it: a rule of somebody else is refused.
    pub managed_by: String,
}

pub(crate) async fn put_managed_rule(
    tx: &mut Tx,
    input: PutManagedRuleInput,
) -> Result<PutManagedRuleOutput> {
    rule::check_pattern(&input.event_pattern)?;
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find_guarded(tx, &bus).await?;
    let key = RuleKey { bus, name: input.name };
    for wanted in &input.targets {
        target::check(tx, wanted)?;
    }
    let state = Some((input.state, input.description));
    write(tx, &key, &input.managed_by, Some(input.event_pattern), state, input.targets).await?;
    Ok(PutManagedRuleOutput { rule_arn: rule::arn(tx, &key) })
}

/// A rule that is not there is no error.
pub(crate) async fn delete_managed_rule(tx: &mut Tx, input: DeleteManagedRuleInput) -> Result<()> {
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    let key = RuleKey { bus, name: input.name };
    match tx.get(&key).await? {
        None => Ok(()),
        Some(before) if before.managed_by.as_ref() == Some(&input.managed_by) => {
            rule::remove(tx, &key, &before).await
        }
        Some(_) => Err(managed(&key.name).into()),
    }
}

/// Writes a managed rule. One of its name that is a user's or another manager's is never replaced.
pub(crate) async fn write(
    tx: &mut Tx,
    key: &RuleKey,
    manager: &str,
    pattern: Option<String>,
    state: Option<(Option<RuleState>, Option<String>)>,
    targets: Vec<Target>,
) -> Result<()> {
    let before = tx.get(key).await?;
    match before.as_ref().map(|before| before.managed_by.as_deref()) {
        Some(None) => return Err(fault::already_exists("Rule", &key.name).into()),
        Some(Some(other)) if other != manager => return Err(managed(&key.name).into()),
        Some(_) | None => {}
    }
    let (state, description) = state.unwrap_or_default();
    let targets: BTreeMap<String, Target> =
        targets.into_iter().map(|target| (target.id.clone(), target)).collect();
    let rule = Rule {
        pattern,
        enabled: state != Some(RuleState::Disabled),
        sees_reads: state == Some(RuleState::EnabledWithAllCloudtrailManagementEvents),
        description,
        created_by: tx.scope().account.to_string(),
        since: tx.now(),
        managed_by: Some(manager.to_owned()),
        targets,
        ..Rule::default()
    };
    rule::write(tx, key, &rule, before.as_ref()).await
}

/// Refuses a user's change of a managed rule; `force` where the operation takes it.
pub(crate) fn check(key: &RuleKey, rule: &Rule, force: bool) -> Result<(), Fault> {
    if rule.managed_by.is_some() && !force { Err(managed(&key.name)) } else { Ok(()) }
}

fn managed(name: &str) -> Fault {
    fault::managed_rule(name)
}
