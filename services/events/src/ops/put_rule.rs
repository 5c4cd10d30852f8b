use kernel::{Result, Tx};

use crate::api::{PutRuleInput, PutRuleOutput, RuleState};
use crate::bus;
use crate::fault;
use crate::keys::{Rule, RuleKey};
use crate::ops::tags;
use crate::rule;

/// Makes a rule or changes one; its targets stay.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
pub(crate) async fn put_rule(tx: &mut Tx, input: PutRuleInput) -> Result<PutRuleOutput> {
    if input.schedule_expression.is_some() {
        return Err(fault::not_honoured("ScheduleExpression of a rule").into());
    }
    let Some(pattern) = input.event_pattern else {
        let message = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
        return Err(fault::invalid(message).into());
    };
    rule::check_pattern(&pattern)?;
    let enabled = match input.state {
        None | Some(RuleState::Enabled) => true,
        Some(RuleState::Disabled) => false,
        // There is no CloudTrail here, so the two enabled states would not differ.
        Some(state) => return Err(fault::not_honoured(&format!("State {}", state.as_str())).into()),
    };
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find_guarded(tx, &bus).await?;
    let key = RuleKey { bus, name: input.name };
    let before = tx.get(&key).await?;
    let new_tags = tags::to_map(input.tags.unwrap_or_default())?;
    let rule = Rule {
        pattern,
        enabled,
        description: input.description,
        role_arn: input.role_arn,
        created_by: before
            .as_ref()
            .map_or_else(|| tx.scope().account.to_string(), |rule| rule.created_by.clone()),
        since: tx.now(),
        // Tags of a rule that exists are changed by TagResource only.
        tags: before.as_ref().map_or(new_tags, |rule| rule.tags.clone()),
        targets: before.as_ref().map(|rule| rule.targets.clone()).unwrap_or_default(),
    };
    rule::write(tx, &key, &rule, before.as_ref()).await?;
    Ok(PutRuleOutput { rule_arn: Some(rule::arn(tx, &key)) })
}
