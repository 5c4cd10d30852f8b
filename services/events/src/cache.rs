//! A bus's rules and targets, compiled. Kept outside the store and checked against one row, so that an event reads that
//! row and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::{Arn, Fault};
use kernel::{DeadLetter, DeadLetterStyle, Parts, Result, RetryPolicy, Tx};
use pattern::{Pattern, RuleSet};
use store::Version;

use crate::api::Target;
use crate::input::Input;
use crate::keys::{Rule, RuleKey, RulesKey};
use crate::rule::{self, RULES_MAX};

/// The rules of a bus, ready to match.
pub(crate) struct Compiled {
    version: Option<Version>,
    pub rules: RuleSet<usize>,
    /// By the number that the rule set gives.
    pub list: Vec<CompiledRule>,
}

/// An enabled rule.
pub(crate) struct CompiledRule {
    pub name: String,
    pub arn: String,
    pub targets: Vec<CompiledTarget>,
}

/// A target.
pub(crate) struct CompiledTarget {
    pub id: String,
    pub arn: Arn,
    pub lane: String,
    pub input: Input,
    pub retry: RetryPolicy,
    pub dead_letter: Option<Arn>,
    pub parameters: base::Document,
}

/// The compiled rules of every bus, by account, region and name.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, Arc<Compiled>>>);

impl Cache {
    /// The bus's rules as this transaction sees them.
    pub(crate) async fn rules(&self, tx: &mut Tx, bus: &str) -> Result<Arc<Compiled>> {
        let version = tx.version_of(&RulesKey { bus: bus.to_owned() }).await?;
        let name = format!("{}/{}/{bus}", tx.scope().account, tx.scope().region);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(known) = known.filter(|known| known.version == version) {
            return Ok(known);
        }
        let rows = tx.scan::<RuleKey>(Parts::of(bus), RULES_MAX as usize).await?;
        let compiled = Arc::new(compile(tx, version, rows)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn compile(tx: &Tx, version: Option<Version>, rows: Vec<(RuleKey, Rule)>) -> Result<Compiled> {
    let (mut list, mut patterns) = (Vec::new(), Vec::new());
    for (key, rule) in rows {
        if !rule.enabled {
            continue;
        }
        // It was checked when it was put; a stored pattern that is refused now is our mistake.
        let pattern = Pattern::parse(&rule.pattern).map_err(|invalid| {
            kernel::Error::bug(format!("compile rule {}: {}", key.name, invalid.message))
        })?;
        patterns.push((list.len(), Arc::new(pattern)));
        let targets = rule.targets.values().map(compile_target).collect::<Result<_, Fault>>()?;
        list.push(CompiledRule { arn: rule::arn(tx, &key), name: key.name, targets });
    }
    Ok(Compiled { version, rules: RuleSet::new(patterns), list })
}

fn compile_target(target: &Target) -> Result<CompiledTarget, Fault> {
    let arn: Arn = target.arn.parse().map_err(|_| crate::fault::invalid_parameter("Arn", "It is no ARN."))?;
    let mut retry = RetryPolicy::event_bridge();
    if let Some(policy) = &target.retry_policy {
        let attempts = policy.maximum_retry_attempts.map(i32::unsigned_abs);
        retry.retries_max = attempts.unwrap_or(retry.retries_max);
        let age_s = policy.maximum_event_age_in_seconds.map(|age_s| u64::from(age_s.unsigned_abs()));
        retry.age_ms_max = age_s.map_or(retry.age_ms_max, |age_s| age_s * 1_000);
    }
    let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref());
    Ok(CompiledTarget {
        id: target.id.clone(),
        lane: target.arn.clone(),
        arn,
        input: Input::compile(target)?,
        retry,
        dead_letter: target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref()?.parse().ok()),
        parameters: group
            .map_or(base::Document::Null, |group| serde_json::json!({ "MessageGroupId": group })),
    })
}

impl CompiledTarget {
    /// Where a delivery goes that has failed for good.
    pub(crate) fn dead_letter(&self, rule: &CompiledRule, body: &str) -> Option<DeadLetter> {
        self.dead_letter.as_ref().map(|arn| DeadLetter {
            arn: arn.clone(),
            body: Some(body.to_owned()),
            attributes: vec![("RULE_ARN".into(), rule.arn.clone()), ("TARGET_ARN".into(), self.lane.clone())],
            style: DeadLetterStyle::EventBridge,
        })
    }
}
