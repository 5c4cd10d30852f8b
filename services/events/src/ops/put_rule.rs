use base::Fault;
use kernel::{Result, Tx};

use crate::api::{PutRuleInput, PutRuleOutput, RuleState};
use crate::bus;
use crate::fault;
use crate::keys::{Rule, RuleKey, Scheduled};
use crate::managed;
use crate::ops::tags;
use crate::rule;
use crate::schedule;
use crate::target;

/// Creates a rule, or changes it except for its targets and tags.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
pub(crate) async fn put_rule(tx: &mut Tx, input: PutRuleInput) -> Result<PutRuleOutput> {
    let home = tx.scope().account.to_string();
    let named = input.event_bus_name.as_deref();
    let bus = bus::enter_to(tx, named, "events:PutRule", Some(&input.name)).await?;
    check(&input, &bus)?;
    bus::find_guarded(tx, &bus).await?;
    let key = RuleKey { bus, name: input.name };
    let before = tx.get(&key).await?;
    if let Some(before) = &before {
        managed::check(&key, before, false)?;
    }
    let new_tags = tags::to_map(input.tags.unwrap_or_default())?;
    let known =
        before.clone().unwrap_or_else(|| Rule { created_by: home, tags: new_tags, ..Rule::default() });
    // The anchor of a schedule that goes on is kept, so that its rhythm is.
    let anchor = known
        .schedule
        .as_ref()
        .filter(|known| Some(&known.expression) == input.schedule_expression.as_ref())
        .map_or_else(|| tx.now(), |known| known.anchor);
    let rule = Rule {
        pattern: input.event_pattern,
        schedule: input.schedule_expression.map(|expression| Scheduled { expression, anchor }),
        enabled: input.state != Some(RuleState::Disabled),
        sees_reads: input.state == Some(RuleState::EnabledWithAllCloudtrailManagementEvents),
        description: input.description,
        role_arn: input.role_arn,
        since: tx.now(),
        // Tags of a rule that exists are changed by TagResource only.
        ..known
    };
    rule::write(tx, &key, &rule, before.as_ref()).await?;
    Ok(PutRuleOutput { rule_arn: Some(rule::arn(tx, &key)) })
}

fn check(input: &PutRuleInput, bus: &str) -> Result<(), Fault> {
    if input.event_pattern.is_none() && input.schedule_expression.is_none() {
        return Err(fault::invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    if input.role_arn.as_ref().is_some_and(|role| !target::is_role(role)) {
        return Err(fault::invalid_parameter("RoleArn", "RoleArn is not in correct format."));
    }
    if let Some(pattern) = &input.event_pattern {
        rule::check_pattern(pattern)?;
    }
    if let Some(expression) = &input.schedule_expression {
        if bus != bus::DEFAULT {
            return Err(fault::invalid("ScheduleExpression is supported only on the default event bus."));
        }
        schedule::parse(expression)?;
    }
    Ok(())
}
