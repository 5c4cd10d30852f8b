//! Rules: where they stand, what may be set, and how a change of one is written.

use base::{Arn, Fault};
use kernel::{Result, Tx};
use pattern::Pattern;

use crate::bus;
use crate::fault;
use crate::keys::{PastRuleKey, Rule, RuleKey, Rules, RulesKey};
use crate::schedule;

/// The most rules of a bus. AWS's quota is 300 and adjustable; this is what the matching is measured with, and more.
pub(crate) const RULES_MAX: u32 = 10_000;

/// The rule's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, key: &RuleKey) -> String {
    let name = &key.name;
    let resource =
        if key.bus == bus::DEFAULT { format!("rule/{name}") } else { format!("rule/{}/{name}", key.bus) };
    Arn::new("events", &tx.scope().region, &tx.scope().account, resource).to_string()
}

/// The rule that `rule/name` or `rule/bus/name` of an ARN names.
pub(crate) fn key_of_arn(arn: &Arn) -> Option<RuleKey> {
    let path = arn.resource.strip_prefix("rule/")?;
    let (bus, name) = path.rsplit_once('/').unwrap_or((bus::DEFAULT, path));
    Some(RuleKey { bus: bus.to_owned(), name: name.to_owned() })
}

/// Refuses a pattern that EventBridge would not take.
pub(crate) fn check_pattern(text: &str) -> Result<(), Fault> {
    let characters = text.chars().count();
    if characters > pattern::PATTERN_CHARS_MAX {
        let why = format!(
            "The pattern has {characters} characters, and at most {} are allowed",
            pattern::PATTERN_CHARS_MAX
        );
        return Err(fault::invalid_pattern(&why));
    }
    Pattern::parse(text).map(drop).map_err(|invalid| fault::invalid_pattern(&invalid.message))
}

/// The rule, guarded, for what `action` names; its bus may be named by ARN.
pub(crate) async fn find(
    tx: &mut Tx,
    bus: Option<&str>,
    name: &str,
    action: &str,
) -> Result<(RuleKey, Rule)> {
    let bus = bus::enter_to(tx, bus, action, Some(name)).await?;
    let key = RuleKey { bus, name: name.to_owned() };
    match tx.get(&key).await? {
        Some(rule) => Ok((key, rule)),
        None => {
            bus::find(tx, &key.bus).await?;
            Err(fault::no_such_rule(name, &key.bus).into())
        }
    }
}

/// Writes a rule, new or changed; what it was before stays readable for as long as events are kept. A schedule that is
/// new, or enabled again, begins now.
pub(crate) async fn write(tx: &mut Tx, key: &RuleKey, rule: &Rule, before: Option<&Rule>) -> Result<()> {
    change(tx, key, before, i64::from(before.is_none())).await?;
    let mut rule = Rule { since: tx.now(), ..rule.clone() };
    let running = before.filter(|before| before.enabled).and_then(|before| before.schedule.as_ref());
    if let Some(schedule) = rule.schedule.as_mut().filter(|_| rule.enabled)
        && running != Some(&*schedule)
    {
        schedule.anchor = tx.now();
        schedule::start(tx, key, schedule)?;
    }
    tx.put(key, &rule)
}

/// Removes a rule.
pub(crate) async fn remove(tx: &mut Tx, key: &RuleKey, before: &Rule) -> Result<()> {
    change(tx, key, Some(before), -1).await?;
    tx.delete(key);
    Ok(())
}

async fn change(tx: &mut Tx, key: &RuleKey, before: Option<&Rule>, by: i64) -> Result<()> {
    let rules_key = RulesKey { bus: key.bus.clone() };
    let count = tx.get(&rules_key).await?.map_or(0, |rules| rules.count);
    let count = u32::try_from(i64::from(count) + by).unwrap_or(0);
    if count > RULES_MAX {
        return Err(fault::limit_exceeded().into());
    }
    tx.put(&rules_key, &Rules { count })?;
    if let Some(before) = before {
        let past =
            PastRuleKey { bus: key.bus.clone(), until: tx.now(), name: key.name.clone(), salt: tx.random() };
        tx.put(&past, before)?;
    }
    Ok(())
}
