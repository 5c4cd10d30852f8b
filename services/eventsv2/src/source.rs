//! Event sources: the events of an AWS service come from the default bus, by a rule that EventBridge manages there.
//!
//! The rule is the classic API's; it is made and removed by tasks that call it, and a source is `CREATING`, `UPDATING` or
//! `DELETING` until their answers have come.

use base::Fault;
use kernel::{Call, NewTask, Outcome, Reply, ReplyInput, Result, RetryPolicy, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::{AwsServiceEventsSourceConfiguration, EventSourceConfiguration, EventSourceState};
use crate::arn::{self, Named};
use crate::keys::{Source, SourceKey};
use crate::{NAME, PRINCIPAL, fault};

/// The internal operation that is told whether the rule of a source stands.
pub(crate) const RULE_WRITTEN: &str = "SourceRuleWritten";

/// Which source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    pub name: String,
    pub id: String,
}

/// The source of an ARN, guarded.
pub(crate) async fn find(tx: &mut Tx, text: &str) -> Result<(SourceKey, Source)> {
    let Named::Source { name, id } = arn::parse(tx, text)? else {
        return Err(fault::invalid(format!("{text} is no ARN of an event source.")).into());
    };
    let key = SourceKey { name };
    match tx.get(&key).await?.filter(|found| found.id == id) {
        Some(found) => Ok((key, found)),
        None => Err(fault::not_found("Event source", text).into()),
    }
}

/// The configuration of an AWS service's events.
///
/// # Errors
/// It is of another kind, or its pattern is none that a source may have.
pub(crate) fn aws_events(
    configuration: &EventSourceConfiguration,
) -> Result<&AwsServiceEventsSourceConfiguration, Fault> {
    if configuration.partner_events_configuration.is_some() {
        return Err(fault::not_honoured("PartnerEventsConfiguration"));
    }
    let found = configuration.aws_service_events_configuration.as_ref();
    let found = found.ok_or_else(|| fault::invalid("Configuration must have exactly one variant."))?;
    pattern(found)?;
    Ok(found)
}

/// The pattern of the rule: the service's events, as far as the source's own pattern takes them.
fn pattern(events: &AwsServiceEventsSourceConfiguration) -> Result<Value, Fault> {
    let mut whole: Map<String, Value> = match events.pattern.as_deref().filter(|text| !text.is_empty()) {
        None => Map::new(),
        Some(text) => {
            let invalid = |why: &str| fault::invalid(format!("Pattern is not valid: {why}"));
            pattern::Pattern::parse(text).map_err(|why| invalid(&why.message))?;
            serde_json::from_str(text).map_err(|why| invalid(&why.to_string()))?
        }
    };
    for own in ["source", "account", "region"] {
        if whole.contains_key(own) {
            return Err(fault::invalid(format!("Pattern must not include {own} as a top-level field.")));
        }
    }
    whole.insert("source".to_owned(), json!([events.aws_service]));
    Ok(Value::Object(whole))
}

/// Has the source's rule made or changed.
pub(crate) fn feed(tx: &mut Tx, key: &SourceKey, source: &Source) -> Result<()> {
    let events = aws_events(&source.configuration)?;
    let mut target = json!({ "Id": "bus", "Arn": source.bus_arn });
    let on_failure = events.on_failure_configuration.as_ref().and_then(|config| config.arn.as_ref());
    if let Some(arn) = on_failure {
        target["DeadLetterConfig"] = json!({ "Arn": arn });
    }
    let input = json!({
        "Name": rule_name(&key.name),
        "EventPattern": pattern(events)?.to_string(),
        "ManagedBy": PRINCIPAL,
        "Description": format!("Events of {} for {}", events.aws_service, source.bus_arn),
        "Targets": [target],
    });
    let context = serde_json::to_string(&Written { name: key.name.clone(), id: source.id.clone() })?;
    let reply = Reply { service: NAME.to_owned(), operation: RULE_WRITTEN.to_owned(), context };
    // What fails is shown as the source's state; it is not tried for ever.
    let retry = RetryPolicy { retries_max: 5, ..RetryPolicy::event_bridge() };
    call(tx, "PutManagedRule", &input, Some(reply), retry)
}

/// Has the source's rule removed.
pub(crate) fn unfeed(tx: &mut Tx, name: &str) -> Result<()> {
    let input = json!({ "Name": rule_name(name), "ManagedBy": PRINCIPAL });
    call(tx, "DeleteManagedRule", &input, None, RetryPolicy::internal())
}

fn call(tx: &mut Tx, operation: &str, input: &Value, reply: Option<Reply>, retry: RetryPolicy) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, scope.account, scope.region));
    // The changes of one source's rule take effect in their order.
    let order = Some(format!("source rule|{}|{}", tx.scope().account, input["Name"]));
    let task =
        NewTask { caller, reply, retry, order, ..NewTask::new(Call::new("events", operation, input)?) };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}

/// Rules have at most 64 characters and sources up to 256: a long name goes in as its digest.
fn rule_name(source: &str) -> String {
    let name = format!("EventSource-{source}");
    if name.len() <= 64 {
        name
    } else {
        format!("EventSource-{}", &crate::event::digest(source.as_bytes())[..48])
    }
}

/// The source feeds its bus from now on, or it says that it does not.
pub(crate) async fn rule_written(tx: &mut Tx, reply: ReplyInput<Written>) -> Result<()> {
    let key = SourceKey { name: reply.context.name };
    let Some(found) = tx.get(&key).await?.filter(|found| found.id == reply.context.id) else { return Ok(()) };
    let state = match (reply.outcome, found.state) {
        (Outcome::Succeeded(_), _) => EventSourceState::Active,
        (Outcome::Failed(_), EventSourceState::Creating) => EventSourceState::CreateFailed,
        (Outcome::Failed(_), _) => EventSourceState::UpdateFailed,
    };
    tx.put(&key, &Source { state, ..found })
}
