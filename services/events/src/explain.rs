//! Why an event went where it went: every rule of its bus as it stood when the event came.

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::{Direction, Parts, Result, Tx};
use pattern::{Event, Explanation, Pattern};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::bus;
use crate::keys::{Accepted, BusKey, EventKey, PastRuleKey, PlaceKey, Rule, RuleKey};
use crate::rule::RULES_MAX;
use crate::validation;

/// The internal operation that explains an event; `null` if no bus has it.
pub const EXPLAIN: &str = "ExplainEvent";

/// Which event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExplainInput {
    /// Its id.
    pub id: Uuid,
    /// Its bus; all are looked through if it is not given.
    #[serde(default)]
    pub bus: Option<String>,
}

/// An event and what every rule made of it.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The bus that it came to.
    pub bus: String,
    /// When it came.
    pub ingested_at: Timestamp,
    /// Its chain of causes.
    pub root: Uuid,
    /// The whole event.
    pub event: Value,
    /// The whole event as its producer wrote it: numbers keep their digits, members their order.
    pub text: String,
    /// Every rule of the bus as it stood then, by name; none if the event was kept back.
    pub rules: Vec<ExplainedRule>,
    /// What was wrong with it, if it broke the schema that it was checked against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<validation::Validated>,
}

/// What a rule made of the event.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedRule {
    /// The rule's name.
    pub name: String,
    /// The pattern that it had; empty if it has a schedule only.
    pub pattern: String,
    /// The service that manages it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Its answer.
    pub verdict: Verdict,
    /// Where it would have sent the event, or did.
    pub targets: Vec<ExplainedTarget>,
}

/// A rule's answer.
#[derive(Clone, Debug, Serialize)]
pub enum Verdict {
    /// The event was sent to the targets.
    Matched,
    /// It was not, for these reasons.
    NotMatched(Box<Explanation>),
    /// The rule was disabled; nothing was asked.
    Disabled,
}

/// A target of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedTarget {
    /// Its id in the rule.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

pub(crate) async fn explain_event(tx: &mut Tx, input: ExplainInput) -> Result<Option<Explained>> {
    let Some((bus, accepted)) = find(tx, &input).await? else {
        return validation::kept_back(tx, &input).await;
    };
    let event = Event::parse(accepted.envelope.as_bytes())
        .map_err(|invalid| kernel::Error::bug(format!("read a stored event: {invalid:?}")))?;
    let mut rules = Vec::new();
    for (name, rule) in rules_at(tx, &bus, accepted.at).await? {
        // A replay to some rules, or a rule's own timer, asks no others.
        if accepted.asked.as_ref().is_some_and(|asked| !asked.contains(&name)) {
            continue;
        }
        let Some(verdict) = judge(&rule, &event, accepted.asked.is_some()) else { continue };
        let targets =
            rule.targets.into_values().map(|target| ExplainedTarget { id: target.id, arn: target.arn });
        rules.push(ExplainedRule {
            name,
            pattern: rule.pattern.unwrap_or_default(),
            managed_by: rule.managed_by,
            verdict,
            targets: targets.collect(),
        });
    }
    let text = accepted.envelope;
    let event = serde_json::from_str(&text)?;
    let validation = validation::validated(tx, &bus, input.id).await?;
    Ok(Some(Explained { bus, ingested_at: accepted.at, root: accepted.root, event, text, rules, validation }))
}

/// `None` for a rule that has no pattern and whose time it was not.
fn judge(rule: &Rule, event: &Event<'_>, named: bool) -> Option<Verdict> {
    let Some(pattern) = &rule.pattern else { return named.then_some(Verdict::Matched) };
    if !rule.enabled {
        return Some(Verdict::Disabled);
    }
    Some(match Pattern::parse(pattern) {
        Ok(pattern) => {
            let explanation = pattern::explain(&pattern, event);
            if explanation.matched { Verdict::Matched } else { Verdict::NotMatched(Box::new(explanation)) }
        }
        Err(_) => Verdict::Disabled,
    })
}

/// The event of that id, and its bus. One that came several times is shown as it came first.
async fn find(tx: &mut Tx, input: &ExplainInput) -> Result<Option<(String, Accepted)>> {
    for bus in buses(tx, input.bus.as_deref()).await? {
        if let Some((_, accepted)) = event_of(tx, &bus, input.id).await? {
            return Ok(Some((bus, accepted)));
        }
    }
    Ok(None)
}

/// The bus that is named, or all, the default one first.
pub(crate) async fn buses(tx: &mut Tx, named: Option<&str>) -> Result<Vec<String>> {
    if let Some(bus) = named {
        return Ok(vec![bus.to_owned()]);
    }
    let rows = tx.scan::<BusKey>(Parts::none(), 1_000).await?;
    let others = rows.into_iter().map(|(key, _)| key.name).filter(|name| name != bus::DEFAULT);
    Ok(std::iter::once(bus::DEFAULT.to_owned()).chain(others).collect())
}

/// The event as it came to the bus first, as far as that is kept.
pub(crate) async fn event_of(tx: &mut Tx, bus: &str, id: Uuid) -> Result<Option<(EventKey, Accepted)>> {
    let own = EventKey { bus: bus.to_owned(), place: id };
    if let Some(accepted) = tx.peek(&own).await? {
        return Ok(Some((own, accepted)));
    }
    let Some((other, ())) = tx.scan::<PlaceKey>(Parts::of(bus).and(&id), 1).await?.pop() else {
        return Ok(None);
    };
    let key = EventKey { bus: other.bus, place: other.place };
    Ok(tx.peek(&key).await?.map(|accepted| (key, accepted)))
}

/// The rules as they stood at a time: today's that are as old, and for the others the version that held then.
async fn rules_at(tx: &mut Tx, bus: &str, at: Timestamp) -> Result<BTreeMap<String, Rule>> {
    let mut rules = BTreeMap::new();
    for (key, rule) in tx.scan::<RuleKey>(Parts::of(bus), RULES_MAX as usize).await? {
        if rule.since <= at {
            rules.insert(key.name, rule);
        }
    }
    let parts = Parts::of(bus);
    let from = parts.clone().and(&at);
    let past = tx
        .scan_between::<PastRuleKey>(parts, Some(from), None, RULES_MAX as usize, Direction::Forward)
        .await?;
    for (key, rule) in past {
        // A change in the event's own millisecond came before or after it; the version that still stands is taken.
        if rule.since <= at && key.until > at {
            rules.entry(key.name).or_insert(rule);
        }
    }
    Ok(rules)
}
