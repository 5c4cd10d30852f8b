use base::{Arn, Fault};
use kernel::{Effect, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{DescribeSchemaOutput, Type};
use crate::compatibility::{self, Break, Change, Read};
use crate::consumers;
use crate::content;

/// The internal operation that says which consumers a change of a schema breaks.
pub const CHECK_COMPATIBILITY: &str = "CheckCompatibility";

/// The change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckCompatibilityInput {
    /// The schema's registry.
    pub registry_name: String,
    /// The schema, which exists.
    pub schema_name: String,
    /// What it is compared with; the newest version if it is not given.
    #[serde(default)]
    pub schema_version: Option<String>,
    /// The new content.
    pub content: String,
    /// `OpenApi3` or `JSONSchemaDraft4`; that of the version if it is not given.
    #[serde(default, rename = "Type")]
    pub kind: Option<Type>,
}

/// What it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckCompatibilityOutput {
    /// The version that was compared with.
    pub schema_version: String,
    /// Consumers that read what changes. If there are none, no known consumer breaks.
    pub breaks: Vec<Break>,
    /// Every change that a reader of the field would notice.
    pub changes: Vec<Change>,
    /// Consumers that get the event and of which nobody knows what they read; empty if nothing changes.
    pub unchecked: Vec<Unchecked>,
}

/// A consumer of which nobody knows what it reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unchecked {
    /// The target's ARN.
    pub consumer: String,
    /// The ARN of the rule that brings it the event.
    pub rule: String,
}

/// Compares the content with what stands, and asks the deployed system who reads what changes: the patterns and targets of
/// all rules of the account and region, and the definitions of the state machines that they start.
pub(crate) async fn check_compatibility(
    effect: &Effect,
    input: CheckCompatibilityInput,
) -> Result<CheckCompatibilityOutput> {
    let describe = json!({
        "RegistryName": input.registry_name, "SchemaName": input.schema_name, "SchemaVersion": input.schema_version,
    });
    let standing: DescribeSchemaOutput =
        ask(effect, "schemas", "DescribeSchema", &without_nulls(describe)).await?;
    let was = standing
        .r#type
        .as_deref()
        .and_then(|kind| serde_json::from_value(kind.into()).ok())
        .unwrap_or_default();
    let kind = input.kind.unwrap_or(was);
    content::check(kind, &input.content)?;
    let old = content::to_draft_4(was, &standing.content.unwrap_or_default())?;
    let new = content::to_draft_4(kind, &input.content)?;
    let (source, detail_type) = content::describes(&old);
    let source = source.or_else(|| Some(input.schema_name.split_once('@')?.0.to_owned()));
    let (old, new) = if content::is_of_event(&old) { (old, new) } else { (of_event(old), of_event(new)) };
    let changes = compatibility::changes(&old, &new);
    let mut found = Consumers::default();
    if !changes.is_empty() || old != new {
        found.collect(effect, source.as_deref(), detail_type.as_deref()).await?;
    }
    if changes.is_empty() {
        found.unchecked.clear();
    }
    found.unchecked.sort();
    found.unchecked.dedup();
    Ok(CheckCompatibilityOutput {
        schema_version: standing.schema_version.unwrap_or_default(),
        breaks: compatibility::breaks(&old, &new, &found.reads),
        changes,
        unchecked: found.unchecked,
    })
}

/// The schema of an event with this detail. What the schema refers to stays where it is found.
fn of_event(mut detail: Value) -> Value {
    let mut event = json!({ "type": "object", "required": ["detail"] });
    for shared in ["definitions", "components"] {
        if let Some(shared_schemas) = detail.as_object_mut().and_then(|members| members.remove(shared)) {
            event[shared] = shared_schemas;
        }
    }
    event["properties"] = json!({ "detail": detail });
    event
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Buses {
    #[serde(default)]
    event_buses: Vec<Bus>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bus {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rules {
    #[serde(default)]
    rules: Vec<Rule>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    name: String,
    arn: String,
    event_pattern: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    #[serde(default)]
    targets: Vec<Target>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    arn: String,
    input: Option<String>,
    input_path: Option<String>,
    input_transformer: Option<Transformer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transformer {
    #[serde(default)]
    input_paths_map: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    input_template: String,
}

#[derive(Deserialize)]
struct Machine {
    definition: String,
}

/// Who reads what.
#[derive(Default)]
struct Consumers {
    reads: Vec<Read>,
    unchecked: Vec<Unchecked>,
}

impl Consumers {
    async fn collect(
        &mut self,
        effect: &Effect,
        source: Option<&str>,
        detail_type: Option<&str>,
    ) -> Result<()> {
        let mut token = None;
        loop {
            let input = without_nulls(json!({ "NextToken": token }));
            let page: Buses = ask(effect, "events", "ListEventBuses", &input).await?;
            for bus in page.event_buses {
                self.of_bus(effect, &bus.name, source, detail_type).await?;
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn of_bus(
        &mut self,
        effect: &Effect,
        bus: &str,
        source: Option<&str>,
        detail_type: Option<&str>,
    ) -> Result<()> {
        let mut token = None;
        loop {
            let input = without_nulls(json!({ "EventBusName": bus, "NextToken": token }));
            let page: Rules = ask(effect, "events", "ListRules", &input).await?;
            for rule in page.rules {
                let pattern = rule.event_pattern.as_ref().and_then(|text| serde_json::from_str(text).ok());
                // A rule without a pattern has a schedule: no event comes to it.
                let Some(pattern): Option<Value> = pattern else { continue };
                if consumers::may_match(&pattern, source, detail_type) {
                    self.of_rule(effect, bus, &rule, &pattern).await?;
                }
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn of_rule(&mut self, effect: &Effect, bus: &str, rule: &Rule, pattern: &Value) -> Result<()> {
        self.reads.extend(consumers::asked(pattern).into_iter().map(|asked| Read {
            consumer: rule.arn.clone(),
            kind: "RulePattern",
            rule: rule.arn.clone(),
            path: asked.path,
            wanted: asked.wanted,
        }));
        let mut token = None;
        loop {
            let input = without_nulls(json!({ "EventBusName": bus, "Rule": rule.name, "NextToken": token }));
            let page: Targets = ask(effect, "events", "ListTargetsByRule", &input).await?;
            for target in page.targets {
                self.of_target(effect, rule, target).await?;
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn of_target(&mut self, effect: &Effect, rule: &Rule, target: Target) -> Result<()> {
        let read = |kind: &'static str, path: Vec<String>| Read {
            consumer: target.arn.clone(),
            kind,
            rule: rule.arn.clone(),
            path,
            wanted: Vec::new(),
        };
        if target.input.is_some() {
            return Ok(());
        }
        if let Some(transformer) = &target.input_transformer {
            let paths = transformer.input_paths_map.values().filter_map(|path| consumers::steps(path));
            self.reads.extend(paths.map(|path| read("InputTransformer", path)));
            if transformer.input_template.contains("<aws.events.event.json>") {
                self.unknown(rule, &target.arn);
            }
            return Ok(());
        }
        let mut prefix = Vec::new();
        if let Some(path) = target.input_path.as_deref().filter(|path| *path != "$") {
            let Some(steps) = consumers::steps(path) else { return Ok(()) };
            self.reads.push(read("InputPath", steps.clone()));
            prefix = steps;
        }
        match definition(effect, &target.arn).await? {
            Some(definition) => {
                let paths = consumers::of_machine(&definition).into_iter();
                let below = |path: Vec<String>| prefix.iter().cloned().chain(path).collect();
                self.reads.extend(paths.map(|path| read("StateMachine", below(path))));
            }
            None => self.unknown(rule, &target.arn),
        }
        Ok(())
    }

    /// A bus is no consumer: the rules behind it are. Nor is a discoverer: it learns whatever comes.
    fn unknown(&mut self, rule: &Rule, target: &str) {
        if !target.contains(":event-bus/") && !target.contains(":discoverer/") {
            self.unchecked.push(Unchecked { consumer: target.to_owned(), rule: rule.arn.clone() });
        }
    }
}

/// The definition, if the target is a state machine that is there.
async fn definition(effect: &Effect, target: &str) -> Result<Option<Value>> {
    let machine = target.parse::<Arn>().is_ok_and(|arn| arn.service == "states");
    if !machine {
        return Ok(None);
    }
    let described: Result<Machine, _> =
        ask(effect, "states", "DescribeStateMachine", &json!({ "stateMachineArn": target })).await;
    match described {
        Ok(machine) => Ok(serde_json::from_str(&machine.definition).ok()),
        // Gone, or not served: then nobody knows what it would read.
        Err(kernel::Error::Fault(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ask<T: DeserializeOwned>(
    effect: &Effect,
    service: &str,
    operation: &str,
    input: &Value,
) -> Result<T> {
    let answer = effect.call(service, operation, serde_json::to_vec(input)?.into()).await?;
    serde_json::from_slice(&answer).map_err(|error| {
        Fault::validation(format!("{service}:{operation} answered unreadably: {error}")).into()
    })
}

fn without_nulls(mut input: Value) -> Value {
    if let Some(members) = input.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    input
}
