//! Targets of rules.

use kernel::{Parts, Result, Tx};

use crate::api::{
    ListRuleNamesByTargetInput, ListRuleNamesByTargetOutput, ListTargetsByRuleInput, ListTargetsByRuleOutput,
    RemoveTargetsInput, RemoveTargetsOutput, RemoveTargetsResultEntry,
};
use crate::bus;
use crate::keys::RuleKey;
use crate::managed;
use crate::ops::{after, limit, page};
use crate::rule::{self, RULES_MAX};

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html>
pub(crate) async fn remove_targets(tx: &mut Tx, input: RemoveTargetsInput) -> Result<RemoveTargetsOutput> {
    let (key, before) =
        rule::find(tx, input.event_bus_name.as_deref(), &input.rule, "events:RemoveTargets").await?;
    managed::check(&key, &before, input.force.unwrap_or(false))?;
    let mut changed = before.clone();
    let mut failed = Vec::new();
    for id in input.ids {
        if changed.targets.remove(&id).is_none() {
            failed.push(RemoveTargetsResultEntry {
                error_code: Some("ResourceNotFoundException".to_owned()),
                error_message: Some(format!("Target {id} does not exist on rule {}.", key.name)),
                target_id: Some(id),
            });
        }
    }
    if changed.targets.len() != before.targets.len() {
        rule::write(tx, &key, &changed, Some(&before)).await?;
    }
    Ok(RemoveTargetsOutput {
        failed_entry_count: Some(i32::try_from(failed.len()).unwrap_or(i32::MAX)),
        failed_entries: Some(failed),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html>
pub(crate) async fn list_targets_by_rule(
    tx: &mut Tx,
    input: ListTargetsByRuleInput,
) -> Result<ListTargetsByRuleOutput> {
    let limit = limit(input.limit);
    let (_, rule) =
        rule::find(tx, input.event_bus_name.as_deref(), &input.rule, "events:ListTargetsByRule").await?;
    let after = after(input.next_token)?.unwrap_or_default();
    let rest = rule.targets.into_values().filter(|target| target.id > after).take(limit + 1).collect();
    let (targets, next_token) = page(rest, limit, |target| target.id.clone());
    Ok(ListTargetsByRuleOutput { targets: Some(targets), next_token })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html>
pub(crate) async fn list_rule_names_by_target(
    tx: &mut Tx,
    input: ListRuleNamesByTargetInput,
) -> Result<ListRuleNamesByTargetOutput> {
    let limit = limit(input.limit);
    let bus =
        bus::enter_to(tx, input.event_bus_name.as_deref(), "events:ListRuleNamesByTarget", None).await?;
    bus::find(tx, &bus).await?;
    let after = after(input.next_token)?.unwrap_or_default();
    let rules = tx.scan::<RuleKey>(Parts::of(&bus), RULES_MAX as usize).await?;
    let names = rules
        .into_iter()
        .filter(|(key, rule)| {
            key.name > after && rule.targets.values().any(|target| target.arn == input.target_arn)
        })
        .map(|(key, _)| key.name)
        .take(limit + 1)
        .collect();
    let (names, next_token) = page(names, limit, String::clone);
    Ok(ListRuleNamesByTargetOutput { rule_names: Some(names), next_token })
}
