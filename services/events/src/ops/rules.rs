//! Rules.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    DeleteRuleInput, DeleteRuleOutput, DescribeRuleInput, DescribeRuleOutput, DisableRuleInput,
    DisableRuleOutput, EnableRuleInput, EnableRuleOutput, ListRulesInput, ListRulesOutput, Rule as Shown,
    RuleState,
};
use crate::bus;
use crate::fault;
use crate::keys::{Rule, RuleKey};
use crate::managed;
use crate::ops::{after, limit, page};
use crate::rule;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html>
pub(crate) async fn describe_rule(tx: &mut Tx, input: DescribeRuleInput) -> Result<DescribeRuleOutput> {
    let (key, rule) =
        rule::find(tx, input.event_bus_name.as_deref(), &input.name, "events:DescribeRule").await?;
    Ok(DescribeRuleOutput {
        arn: Some(rule::arn(tx, &key)),
        name: Some(key.name),
        state: Some(state(&rule)),
        event_pattern: rule.pattern,
        schedule_expression: rule.schedule.map(|schedule| schedule.expression),
        description: rule.description,
        role_arn: rule.role_arn,
        managed_by: rule.managed_by,
        event_bus_name: Some(key.bus),
        created_by: Some(rule.created_by),
    })
}

/// A rule that is not there is no error, as at AWS.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html>
pub(crate) async fn delete_rule(tx: &mut Tx, input: DeleteRuleInput) -> Result<DeleteRuleOutput> {
    let named = input.event_bus_name.as_deref();
    let bus = bus::enter_to(tx, named, "events:DeleteRule", Some(&input.name)).await?;
    bus::find(tx, &bus).await?;
    let key = RuleKey { bus, name: input.name };
    let Some(rule) = tx.get(&key).await? else { return Ok(DeleteRuleOutput {}) };
    managed::check(&key, &rule, input.force.unwrap_or(false))?;
    if !rule.targets.is_empty() {
        return Err(fault::invalid("Rule can't be deleted since it has targets.").into());
    }
    rule::remove(tx, &key, &rule).await?;
    Ok(DeleteRuleOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html>
pub(crate) async fn enable_rule(tx: &mut Tx, input: EnableRuleInput) -> Result<EnableRuleOutput> {
    switch(tx, input.event_bus_name.as_deref(), &input.name, true).await?;
    Ok(EnableRuleOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html>
pub(crate) async fn disable_rule(tx: &mut Tx, input: DisableRuleInput) -> Result<DisableRuleOutput> {
    switch(tx, input.event_bus_name.as_deref(), &input.name, false).await?;
    Ok(DisableRuleOutput {})
}

async fn switch(tx: &mut Tx, bus: Option<&str>, name: &str, enabled: bool) -> Result<()> {
    let action = if enabled { "events:EnableRule" } else { "events:DisableRule" };
    let (key, before) = rule::find(tx, bus, name, action).await?;
    managed::check(&key, &before, false)?;
    if before.enabled == enabled {
        return Ok(());
    }
    rule::write(tx, &key, &Rule { enabled, ..before.clone() }, Some(&before)).await
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html>
pub(crate) async fn list_rules(tx: &mut Tx, input: ListRulesInput) -> Result<ListRulesOutput> {
    let bus = bus::enter_to(tx, input.event_bus_name.as_deref(), "events:ListRules", None).await?;
    bus::find(tx, &bus).await?;
    let limit = limit(input.limit);
    let parts = Parts::of(&bus).and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match after(input.next_token)? {
        None => tx.scan::<RuleKey>(parts, limit + 1).await?,
        Some(name) => tx.scan_after(parts, &RuleKey { bus, name }, limit + 1, Direction::Forward).await?,
    };
    let (rows, next_token) = page(rows, limit, |(key, _)| key.name.clone());
    let show = |(key, rule): (RuleKey, Rule)| Shown {
        arn: Some(rule::arn(tx, &key)),
        name: Some(key.name),
        state: Some(state(&rule)),
        event_pattern: rule.pattern,
        schedule_expression: rule.schedule.map(|schedule| schedule.expression),
        description: rule.description,
        role_arn: rule.role_arn,
        managed_by: rule.managed_by,
        event_bus_name: Some(key.bus),
    };
    Ok(ListRulesOutput { rules: Some(rows.into_iter().map(show).collect()), next_token })
}

fn state(rule: &Rule) -> RuleState {
    match (rule.enabled, rule.sees_reads) {
        (false, _) => RuleState::Disabled,
        (true, false) => RuleState::Enabled,
        (true, true) => RuleState::EnabledWithAllCloudtrailManagementEvents,
    }
}
