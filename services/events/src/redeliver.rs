//! An event that is still kept goes to its targets once more, by the rules as they stand now.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::Target;
use crate::bus;
use crate::bus_log::Lines;
use crate::cache::{Compiled, CompiledRule, compile_target};
use crate::event::{self, NewEvent};
use crate::explain;
use crate::fault;
use crate::keys::{Accepted, EventKey};
use crate::publish::{Asked, PAGE_BYTES_MAX, Sent, compiled, deliver, matching, parse_for, remember, weigh};
use crate::search::first_at;
use crate::send::{From, Wanted, send as send_all};

/// The internal operation that sends events again.
pub const REDELIVER: &str = "RedeliverEvent";

/// Events sent again in one transaction, if they and what they write are small.
const PAGE: usize = 100;
/// Events read at once.
const CHUNK: usize = 20;
/// The whole millisecond of now belongs to it.
const MILLISECOND: Duration = Duration::from_millis(1);

/// What to send again, and where to. One of `event_id` and `from_time` is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RedeliverInput {
    /// One event.
    pub event_id: Option<Uuid>,
    /// All events of the bus that came at this time or later, up to now; milliseconds since the epoch. They go on page
    /// by page after the answer.
    pub from_time: Option<Timestamp>,
    /// The bus, by its name or ARN. Needed with `from_time`; else all buses are looked through.
    pub event_bus_name: Option<String>,
    /// Only to the targets of this rule, which must match.
    pub rule_name: Option<String>,
    /// Only to this target. One event goes there as it is, if no matching rule has the target.
    pub target_arn: Option<String>,
    /// Where the next page begins, and what is the last place of all: set by the operation itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<(Uuid, Uuid)>,
}

/// What was sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RedeliverOutput {
    /// How many events were looked at; with `FromTime`, those of the first page.
    pub events: usize,
    /// The deliveries that were begun.
    pub deliveries: Vec<Redelivery>,
    /// Whether more pages follow.
    pub more: bool,
}

/// A delivery that was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Redelivery {
    /// The event.
    pub event_id: Uuid,
    /// The rule; not given for a target that no rule has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    /// The target's id in its rule.
    pub target_id: String,
    /// The target.
    pub target_arn: String,
}

pub(crate) async fn redeliver_event(tx: &mut Tx, input: RedeliverInput) -> Result<RedeliverOutput> {
    let named = match input.event_bus_name.as_deref() {
        Some(name) => Some(bus::enter(tx, Some(name))?),
        None => None,
    };
    match (input.event_id, input.from_time) {
        (Some(id), None) => one(tx, &input, named.as_deref(), id).await,
        (None, Some(from)) => {
            let Some(bus) = named else {
                return Err(fault::invalid("EventBusName must be given with FromTime.").into());
            };
            bus::find(tx, &bus).await?;
            let between = input.between.unwrap_or_else(|| (first_at(from), first_at(tx.now() + MILLISECOND)));
            page(tx, &input, &bus, between).await
        }
        _ => Err(fault::invalid("One of EventId and FromTime must be given.").into()),
    }
}

async fn one(tx: &mut Tx, input: &RedeliverInput, bus: Option<&str>, id: Uuid) -> Result<RedeliverOutput> {
    for bus in explain::buses(tx, bus).await? {
        let Some((key, accepted)) = explain::event_of(tx, &bus, id).await? else { continue };
        let again = again(tx, input, &bus, &accepted).await?;
        let mut deliveries = send(tx, input, &bus, (key.place, &accepted), &again).await?;
        if let (true, Some(arn), None) = (deliveries.is_empty(), &input.target_arn, &input.rule_name) {
            deliveries.push(send_to(tx, &bus, &accepted, arn).await?);
        }
        if deliveries.is_empty() {
            let message = format!("No rule of bus {bus} that was asked for matches event {id} now.");
            return Err(fault::invalid(message).into());
        }
        return Ok(RedeliverOutput { events: 1, deliveries, more: false });
    }
    Err(fault::no_such("Event", &id.to_string()).into())
}

async fn page(
    tx: &mut Tx,
    input: &RedeliverInput,
    bus: &str,
    (after, last): (Uuid, Uuid),
) -> Result<RedeliverOutput> {
    let mut key = EventKey { bus: bus.to_owned(), place: after };
    let (mut output, mut bytes) = (RedeliverOutput::default(), 0);
    loop {
        let chunk = tx.scan_after(Parts::of(bus), &key, CHUNK, Direction::Forward).await?;
        let full = chunk.len() == CHUNK;
        for (at, accepted) in chunk {
            if at.place >= last {
                return Ok(output);
            }
            let again = again(tx, input, bus, &accepted).await?;
            bytes += weigh(&again.rules, &again.matched, &accepted.envelope);
            if output.events == PAGE || (output.events > 0 && bytes > PAGE_BYTES_MAX) {
                next(tx, input, bus, (key.place, last))?;
                return Ok(RedeliverOutput { more: true, ..output });
            }
            output.deliveries.extend(send(tx, input, bus, (at.place, &accepted), &again).await?);
            output.events += 1;
            key = at;
        }
        if !full {
            return Ok(output);
        }
    }
}

/// Has the next page follow.
fn next(tx: &mut Tx, input: &RedeliverInput, bus: &str, between: (Uuid, Uuid)) -> Result<()> {
    let event_bus_name = Some(bus::arn(tx, bus));
    let next = RedeliverInput { between: Some(between), event_bus_name, ..input.clone() };
    let call = Call::new("events", REDELIVER, &next)?;
    tx.go_on(tx.now(), NewTask { note: Some("redelivery".to_owned()), ..NewTask::new(call) })?;
    Ok(())
}

/// An event and the rules that are asked for and match it now.
struct Again {
    rules: Arc<Compiled>,
    event: NewEvent,
    matched: Vec<usize>,
}

async fn again(tx: &mut Tx, input: &RedeliverInput, bus: &str, accepted: &Accepted) -> Result<Again> {
    let event = event::open(&accepted.envelope, accepted.at)?;
    let rules = compiled(tx, bus).await?;
    let asked = input.rule_name.as_ref().map_or(Asked::All, |name| Asked::Only(std::slice::from_ref(name)));
    let matched = matching(&rules, &event, &accepted.envelope, asked)?;
    Ok(Again { rules, event, matched })
}

/// Sends the event to the targets that are asked for, of the rules that match now.
async fn send(
    tx: &mut Tx,
    input: &RedeliverInput,
    bus: &str,
    (stands, accepted): (Uuid, &Accepted),
    Again { rules, event, matched }: &Again,
) -> Result<Vec<Redelivery>> {
    let parsed = parse_for(rules, matched, &accepted.envelope)?;
    let (envelope, place) = (accepted.envelope.as_str(), tx.id());
    let sent = Sent { rules, bus, event, envelope, parsed: &parsed, place };
    let wanted = Wanted { only: input.target_arn.clone(), again: true };
    let mut sent_to = Vec::new();
    for rule in matched.iter().map(|number| &rules.list[*number]) {
        let targets = rule.targets.iter().filter(|target| wanted.takes(target));
        sent_to.extend(targets.map(|target| Redelivery {
            event_id: event.id,
            rule_name: Some(rule.name.clone()),
            target_id: target.id.clone(),
            target_arn: target.lane.clone(),
        }));
    }
    if !sent_to.is_empty() {
        let mut lines = Lines::open(tx, &sent);
        let from = From { rules: Cow::Borrowed(matched), after: None };
        send_all(tx, &sent, stands, from, &wanted, &mut lines).await?;
        remember(tx, rules, matched, bus, event, Some("redelivered"));
        lines.close(tx, false)?;
    }
    Ok(sent_to)
}

/// Sends the event as it is to a target that no rule has.
async fn send_to(tx: &mut Tx, bus: &str, accepted: &Accepted, arn: &str) -> Result<Redelivery> {
    let parsed: Arn = arn.parse().map_err(|_| fault::invalid_parameter("TargetArn", "It is no ARN."))?;
    if tx.targets().find(&parsed).is_none() {
        return Err(not_served(tx, arn).into());
    }
    let event = event::open(&accepted.envelope, accepted.at)?;
    let rules = compiled(tx, bus).await?;
    let id = "redelivery".to_owned();
    let target = compile_target(&Target { id: id.clone(), arn: arn.to_owned(), ..Target::default() })?;
    let rule = CompiledRule {
        name: "redelivery".to_owned(),
        arn: bus::arn(tx, bus),
        sees_reads: true,
        targets: Vec::new(),
    };
    let (envelope, place) = (accepted.envelope.as_str(), tx.id());
    let sent = Sent { rules: &rules, bus, event: &event, envelope, parsed: &serde_json::Value::Null, place };
    let mut lines = Lines::open(tx, &sent);
    deliver(tx, &sent, &rule, &target, &mut lines).await?;
    remember(tx, &rules, &[], bus, &event, Some("redelivered"));
    lines.close(tx, false)?;
    Ok(Redelivery { event_id: event.id, rule_name: None, target_id: id, target_arn: arn.to_owned() })
}

fn not_served(tx: &Tx, arn: &str) -> Fault {
    let kinds = tx.targets().names().join(", ");
    fault::invalid_parameter(
        "TargetArn",
        &format!("{arn} is no target that Buswork serves; it serves: {kinds}."),
    )
}
