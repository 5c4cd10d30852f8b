//! A bus's rules and targets, compiled. Kept outside the store and checked against one row, so that an event reads that
//! row and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::{Arn, Fault};
use kernel::{DeadLetter, DeadLetterStyle, Parts, Result, RetryPolicy, Tx};
use pattern::{Pattern, RuleSet};
use store::Version;

use crate::api::Target;
use crate::archive;
use crate::bus_log::LogSettings;
use crate::input::Input;
use crate::keys::{ArchiveKey, Bus, BusKey, Rule, RuleKey, RulesKey};
use crate::parameters::Parameters;
use crate::rule::{self, RULES_MAX};

/// The rules of a bus, ready to match, and what of the bus's own settings every event needs.
pub(crate) struct Compiled {
    version: Option<Version>,
    pub rules: RuleSet<usize>,
    /// By the number that the rule set gives. Rules without a pattern are here too.
    pub list: Vec<CompiledRule>,
    pub log: Option<LogSettings>,
    /// The bus's own dead-letter queue.
    pub dead_letter: Option<Arn>,
}

/// An enabled rule.
pub(crate) struct CompiledRule {
    pub name: String,
    pub arn: String,
    pub sees_reads: bool,
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
    pub parameters: Parameters,
    /// The space of the archive that it is, if it is one.
    pub archive: Option<u64>,
    /// Whether deliveries may share the commit of the event.
    pub at_once: bool,
}

/// The compiled rules of every bus, by account, region and name.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, Arc<Compiled>>>);

impl Cache {
    /// The bus's rules as this transaction sees them.
    pub(crate) async fn rules(&self, tx: &mut Tx, bus: &str) -> Result<Arc<Compiled>> {
        let version = tx.version_of(&RulesKey { bus: bus.to_owned() }).await?;
        let name = format!("{}/{}/{bus}", tx.scope().account, tx.scope().region);
        // Rules that this transaction wrote itself have no version yet, and may never get one.
        let committed = version != Some(Version(0));
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(known) = known.filter(|known| committed && known.version == version) {
            return Ok(known);
        }
        let rows = tx.scan::<RuleKey>(Parts::of(bus), RULES_MAX as usize).await?;
        let settings = tx.peek(&BusKey { name: bus.to_owned() }).await?.unwrap_or_default();
        let compiled = Arc::new(compile(tx, version, rows, &settings).await?);
        if committed {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&compiled));
        }
        Ok(compiled)
    }
}

async fn compile(
    tx: &mut Tx,
    version: Option<Version>,
    rows: Vec<(RuleKey, Rule)>,
    bus: &Bus,
) -> Result<Compiled> {
    let (mut list, mut patterns) = (Vec::new(), Vec::new());
    for (key, rule) in rows {
        if !rule.enabled {
            continue;
        }
        if let Some(text) = &rule.pattern {
            // It was checked when it was put; a stored pattern that is refused now is our mistake.
            let pattern = Pattern::parse(text).map_err(|invalid| {
                kernel::Error::bug(format!("compile rule {}: {}", key.name, invalid.message))
            })?;
            patterns.push((list.len(), Arc::new(pattern)));
        }
        list.push(compile_rule(tx, &key, &rule).await?);
    }
    let log = bus.log.as_ref().and_then(LogSettings::of);
    let dead_letter = bus.dead_letter.as_ref().and_then(|arn| arn.parse().ok());
    Ok(Compiled { version, rules: RuleSet::new(patterns), list, log, dead_letter })
}

pub(crate) async fn compile_rule(tx: &mut Tx, key: &RuleKey, rule: &Rule) -> Result<CompiledRule> {
    let mut targets = Vec::with_capacity(rule.targets.len());
    for target in rule.targets.values() {
        let mut compiled = compile_target(target)?;
        compiled.at_once = tx.targets().find(&compiled.arn).is_some_and(|kind| (kind.at_once)(&compiled.arn));
        if let Some(name) = archive::name_of(&compiled.arn) {
            let archive = tx.peek(&ArchiveKey { name: name.to_owned() }).await?;
            compiled.archive = archive.map(|archive| archive.space);
        }
        targets.push(compiled);
    }
    Ok(CompiledRule { arn: rule::arn(tx, key), name: key.name.clone(), sees_reads: rule.sees_reads, targets })
}

/// A target, ready for deliveries.
pub(crate) fn compile_target(target: &Target) -> Result<CompiledTarget, Fault> {
    let arn: Arn = target.arn.parse().map_err(|_| crate::fault::invalid_parameter("Arn", "It is no ARN."))?;
    let mut retry = RetryPolicy::event_bridge();
    if let Some(policy) = &target.retry_policy {
        let attempts = policy.maximum_retry_attempts.map(i32::unsigned_abs);
        retry.retries_max = attempts.unwrap_or(retry.retries_max);
        let age_s = policy.maximum_event_age_in_seconds.map(|age_s| u64::from(age_s.unsigned_abs()));
        retry.age_ms_max = age_s.map_or(retry.age_ms_max, |age_s| age_s * 1_000);
    }
    Ok(CompiledTarget {
        id: target.id.clone(),
        lane: target.arn.clone(),
        arn,
        input: Input::compile(target)?,
        retry,
        dead_letter: target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref()?.parse().ok()),
        parameters: Parameters::compile(target)?,
        archive: None,
        at_once: false,
    })
}

impl CompiledTarget {
    /// Whether a delivery reads the parsed event.
    pub(crate) fn reads_event(&self) -> bool {
        self.input.reads_event() || self.parameters.reads_event()
    }

    /// Where a delivery goes that has failed for good.
    pub(crate) fn dead_letter(&self, rule_arn: &str, body: &str) -> Option<DeadLetter> {
        self.dead_letter.as_ref().map(|arn| DeadLetter {
            arn: arn.clone(),
            body: Some(body.to_owned()),
            attributes: vec![
                ("RULE_ARN".into(), rule_arn.to_owned()),
                ("TARGET_ARN".into(), self.lane.clone()),
            ],
            style: DeadLetterStyle::EventBridge,
        })
    }
}
