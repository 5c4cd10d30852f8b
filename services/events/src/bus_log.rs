//! What a bus says of its work, as lines of a log group.
//!
//! AWS hands the lines to whatever delivery is configured in CloudWatch Logs; here they go to the group
//! `/aws/vendedlogs/events/event-bus/NAME`, which is made when the first line comes. Lines of one bus stand in the order
//! of its events. Single attempts are on the trace and not here.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-logs-schema.html>

use base::{Fault, Timestamp};
use kernel::{Call, Effect, NewTask, Outcome, ReplyInput, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{IncludeDetail, Level, LogConfig};
use crate::bus;
use crate::cache::{CompiledRule, CompiledTarget};
use crate::publish::Sent;

/// The internal operation that writes lines to the bus's group.
pub(crate) const WRITE: &str = "WriteBusLog";
/// The internal operation that hears how a delivery ended.
pub(crate) const OUTCOME: &str = "LogDelivery";

/// What a bus that logs is asked to log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogSettings {
    level: Level,
    detail: bool,
}

impl LogSettings {
    /// `None` if nothing is logged.
    pub(crate) fn of(config: &LogConfig) -> Option<LogSettings> {
        let level = config.level.filter(|level| *level != Level::Off)?;
        Some(LogSettings { level, detail: config.include_detail == Some(IncludeDetail::Full) })
    }

    /// How many lines of an event have its detail.
    pub(crate) fn details(self) -> usize {
        if self.detail { 4 } else { 0 }
    }

    fn writes(self, level: Level) -> bool {
        rank(self.level) >= rank(level)
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Off => 0,
        Level::Error => 1,
        Level::Info => 2,
        Level::Trace => 3,
    }
}

/// The lines that one event brings, if its bus logs.
pub(crate) struct Lines(Option<Open>);

struct Open {
    settings: LogSettings,
    common: Common,
    /// What AWS says of an event: where it comes from and, if asked for, its detail.
    event: Value,
    /// Events of services that match no rule are not logged.
    of_a_service: bool,
    lines: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Common {
    bus: String,
    resource_arn: String,
    request_id: Uuid,
    event_id: Uuid,
    at: Timestamp,
}

/// What the line about a delivery's end needs to know of its beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invocation {
    common: Common,
    id: Uuid,
    rule_arn: String,
    target_arn: String,
    dead_letter: Option<String>,
    level: Level,
}

/// The input of [`WRITE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WriteBusLog {
    bus: String,
    at: Timestamp,
    lines: Vec<String>,
}

impl Lines {
    /// Those of an event that comes.
    pub(crate) fn open(tx: &Tx, sent: &Sent<'_>) -> Lines {
        let mut lines = Lines::go_on(tx, sent);
        if let Some(open) = &mut lines.0 {
            let event = open.event.clone();
            open.line("EVENT_RECEIPT", Level::Info, &event, None);
            open.line("EVENT_INGEST_SUCCESS", Level::Trace, &event, None);
            open.line("RULE_MATCH_START", Level::Info, &event, None);
        }
        lines
    }

    /// Those of an event that came in an earlier commit and still has deliveries.
    pub(crate) fn go_on(tx: &Tx, sent: &Sent<'_>) -> Lines {
        let Some(settings) = sent.rules.log else { return Lines(None) };
        let mut event = json!({
            "caller_account_id": tx.caller().account, "source_time_ms": sent.event.time.as_millis(),
            "source": sent.event.source, "detail_type": sent.event.detail_type,
            "resources": sent.event.resources,
        });
        if settings.detail {
            event["event_detail"] = serde_json::from_str(&sent.event.detail).unwrap_or_default();
        }
        let common = Common {
            bus: sent.bus.to_owned(),
            resource_arn: bus::arn(tx, sent.bus),
            request_id: tx.caller().request_id,
            event_id: sent.event.id,
            at: tx.now(),
        };
        let of_a_service = sent.event.source.starts_with("aws.");
        Lines(Some(Open { settings, common, event, of_a_service, lines: Vec::new() }))
    }

    pub(crate) fn matched(&mut self, rule: &CompiledRule) {
        if let Some(open) = &mut self.0 {
            open.line("RULE_MATCH", Level::Info, &json!({ "rule_arn": rule.arn }), None);
        }
    }

    /// A delivery begins; what it returns is wanted back when it ends.
    pub(crate) fn invoked(
        &mut self,
        tx: &Tx,
        rule: &CompiledRule,
        target: &CompiledTarget,
    ) -> Option<Invocation> {
        let open = self.0.as_mut()?;
        let id = tx.id();
        let details = json!({ "rule_arn": rule.arn, "target_arn": target.lane });
        open.line("INVOCATION_START", Level::Info, &details, Some(id));
        Some(Invocation {
            common: open.common.clone(),
            id,
            rule_arn: rule.arn.clone(),
            target_arn: target.lane.clone(),
            dead_letter: target.dead_letter.as_ref().map(ToString::to_string),
            level: open.settings.level,
        })
    }

    pub(crate) fn close(self, tx: &mut Tx, unmatched: bool) -> Result<()> {
        let Some(mut open) = self.0 else { return Ok(()) };
        if unmatched {
            if open.of_a_service {
                return Ok(());
            }
            let event = open.event.clone();
            open.line("NO_STANDARD_RULES_MATCHED", Level::Info, &event, None);
        }
        enqueue(tx, &open.common.bus, open.lines)
    }
}

impl Open {
    fn line(&mut self, step: &str, level: Level, details: &Value, invocation: Option<Uuid>) {
        if self.settings.writes(level) {
            self.lines.push(line(&self.common, self.common.at, step, level, details, invocation, None));
        }
    }
}

fn line(
    common: &Common,
    at: Timestamp,
    step: &str,
    level: Level,
    details: &Value,
    invocation: Option<Uuid>,
    fault: Option<&Fault>,
) -> String {
    let mut line = json!({
        "resource_arn": common.resource_arn, "message_timestamp_ms": at.as_millis(),
        "event_bus_name": common.bus, "request_id": common.request_id, "event_id": common.event_id,
    });
    if let Some(id) = invocation {
        line["invocation_id"] = json!(id);
    }
    line["message_type"] = json!(step);
    line["log_level"] = json!(level.as_str());
    line["details"] = details.clone();
    if let Some(fault) = fault {
        line["error"] = json!({
            "http_status_code": fault.status, "error_message": fault.message, "error_code": fault.code,
        });
    }
    line.to_string()
}

/// Logs how a delivery ended.
pub(crate) async fn log_delivery(tx: &mut Tx, input: ReplyInput<Invocation>) -> Result<()> {
    let Invocation { common, id, rule_arn, target_arn, dead_letter, level } = input.context;
    let settings = LogSettings { level, detail: false };
    let now = tx.now();
    let details = json!({
        "rule_arn": rule_arn, "target_arn": target_arn,
        "ingestion_to_complete_latency_ms": now.as_millis() - common.at.as_millis(),
    });
    let mut lines = Vec::new();
    let mut say = |step: &str, level: Level, details: &Value, fault: Option<&Fault>| {
        if settings.writes(level) {
            lines.push(line(&common, now, step, level, details, Some(id), fault));
        }
    };
    match &input.outcome {
        Outcome::Succeeded(_) => say("INVOCATION_SUCCESS", Level::Info, &details, None),
        Outcome::Failed(fault) => {
            say("INVOCATION_FAILURE", Level::Error, &details, Some(fault));
            if let Some(queue) = dead_letter {
                say("INVOCATION_DLQ", Level::Error, &json!({ "dlq_arn": queue }), None);
            }
        }
    }
    let scope = arn_scope(&common.resource_arn);
    if let Some(scope) = scope {
        tx.enter(scope);
    }
    enqueue(tx, &common.bus, lines)
}

fn arn_scope(arn: &str) -> Option<kernel::Scope> {
    let arn: base::Arn = arn.parse().ok()?;
    Some(kernel::Scope { account: arn.account_id()?, region: arn.region_name()? })
}

fn enqueue(tx: &mut Tx, bus: &str, lines: Vec<String>) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let scope = tx.scope().clone();
    let order = Some(format!("bus log|{}|{}|{bus}", scope.account, scope.region));
    let caller = Some(tx.caller().as_service("events.amazonaws.com", scope.account, scope.region));
    let input = WriteBusLog { bus: bus.to_owned(), at: tx.now(), lines };
    let call = Call::new("events", WRITE, &input)?;
    tx.enqueue_quietly(tx.now(), NewTask { order, caller, ..NewTask::new(call) })?;
    Ok(())
}

/// The group of a bus's lines.
pub(crate) fn group(bus: &str) -> String {
    format!("/aws/vendedlogs/events/event-bus/{bus}")
}

/// Writes the lines. The group and the stream are made if they are not there.
pub(crate) async fn write_bus_log(effect: &Effect, input: WriteBusLog) -> Result<()> {
    let (group, stream) = (group(&input.bus), "log_stream_created_by_eventbridge");
    let events: Vec<Value> = input
        .lines
        .iter()
        .map(|line| json!({ "timestamp": input.at.as_millis(), "message": line }))
        .collect();
    let put = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    let missing = match call(effect, "PutLogEvents", &put).await {
        Err(fault) if fault.code == "ResourceNotFoundException" => true,
        other => return Ok(other?),
    };
    if missing {
        let group = json!({ "logGroupName": group });
        let stream = json!({ "logGroupName": group["logGroupName"], "logStreamName": stream });
        for (operation, input) in [("CreateLogGroup", group), ("CreateLogStream", stream)] {
            match call(effect, operation, &input).await {
                Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault.into()),
                _ => {}
            }
        }
        call(effect, "PutLogEvents", &put).await?;
    }
    Ok(())
}

async fn call(effect: &Effect, operation: &str, input: &Value) -> Result<(), Fault> {
    let answer = effect.call("logs", operation, input.to_string().into()).await?;
    // Every answer of Logs is a document.
    serde_json::from_slice::<&RawValue>(&answer)
        .map(drop)
        .map_err(|error| Fault::validation(error.to_string()))
}
