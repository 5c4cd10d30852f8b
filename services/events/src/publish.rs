//! An event meets a bus: it is kept, matched, and becomes a task for every matched target, in one commit; or in several
//! that follow each other, if it is large and its targets are many.

use std::borrow::Cow;
use std::sync::Arc;

use base::Document;
use kernel::{DeadLetter, DeadLetterStyle, Delivery, NewTask, Reply, Result, Tx};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::archive;
use crate::bus_log::{self, Lines};
use crate::cache::{Cache, Compiled, CompiledRule, CompiledTarget};
use crate::event::{self, NewEvent};
use crate::input::Context;
use crate::keys::{Accepted, EventKey, PlaceKey};
use crate::send::{From, Wanted, send};
use crate::sweep;

/// What the events of one commit may write, in bytes as [`weigh`] reckons them. A commit takes 10 MB; the rest is for
/// what is not reckoned.
pub(crate) const PAGE_BYTES_MAX: usize = 6_000_000;
/// Texts that are too short to be worth an exact reckoning.
const SMALL_BYTES: usize = 16 << 10;
/// What a task is besides its payload, and more.
const TASK_BYTES: usize = 2_000;

/// Which rules an event asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// All of the bus.
    All,
    /// These, by their names, as far as they match.
    Only(&'a [String]),
    /// This one, whatever its pattern: its time has come.
    Timer(&'a str),
}

/// An event at the door of a bus.
pub(crate) struct Arrival<'a> {
    pub bus: &'a str,
    pub event: NewEvent,
    /// The whole event as JSON text.
    pub envelope: String,
    /// Its place among the bus's events: its id, if it comes for the first time and at once.
    pub place: Uuid,
    pub asked: Asked<'a>,
}

/// What deliveries of one event have in common.
pub(crate) struct Sent<'a> {
    pub rules: &'a Compiled,
    pub bus: &'a str,
    pub event: &'a NewEvent,
    pub envelope: &'a str,
    /// The parsed envelope, or null if no target reads it.
    pub parsed: &'a Document,
    /// With the target's id, the same for every attempt of a delivery and for no other delivery.
    pub place: Uuid,
}

/// Puts an event on a bus of the transaction's scope. The bus exists.
pub(crate) async fn publish(tx: &mut Tx, bus: &str, event: NewEvent) -> Result<()> {
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    let place = event.id;
    arrive(tx, Arrival { bus, event, envelope, place, asked: Asked::All }).await.map(drop)
}

/// The same with more to say of it. Returns how many rules matched.
pub(crate) async fn arrive(tx: &mut Tx, arrival: Arrival<'_>) -> Result<usize> {
    let Arrival { bus, event, envelope, place, asked } = arrival;
    let rules = compiled(tx, bus).await?;
    let matched = matching(&rules, &event, &envelope, asked)?;
    let parsed = parse_for(&rules, &matched, &envelope)?;
    let sent = Sent { rules: &rules, bus, event: &event, envelope: &envelope, parsed: &parsed, place };
    let mut lines = Lines::open(tx, &sent);
    let from = From { rules: Cow::Borrowed(&matched), after: None };
    send(tx, &sent, place, from, &Wanted::default(), &mut lines).await?;
    lines.close(tx, matched.is_empty())?;
    remember(tx, &rules, &matched, bus, &event, None);
    sweep::ensure(tx).await?;
    let id = (place != event.id).then_some(event.id);
    if let Some(id) = id {
        tx.put(&PlaceKey { bus: bus.to_owned(), id, place }, &())?;
    }
    let asked = match asked {
        Asked::All => None,
        Asked::Only(names) => Some(names.to_vec()),
        Asked::Timer(name) => Some(vec![name.to_owned()]),
    };
    let accepted = Accepted { envelope, at: tx.now(), root: tx.trace().root, id, asked };
    tx.put(&EventKey { bus: bus.to_owned(), place }, &accepted)?;
    Ok(matched.len())
}

/// About how many bytes [`arrive`] writes for this event.
pub(crate) async fn weight(tx: &mut Tx, arrival: &Arrival<'_>) -> Result<usize> {
    let rules = compiled(tx, arrival.bus).await?;
    let matched = matching(&rules, &arrival.event, &arrival.envelope, arrival.asked)?;
    Ok(weigh(&rules, &matched, &arrival.envelope))
}

/// About how many bytes an event writes that matched these rules: itself, and for every target a task with its payload,
/// which a dead letter has once more. Many events of one commit must not outgrow it together.
pub(crate) fn weigh(rules: &Compiled, matched: &[usize], envelope: &str) -> usize {
    let text = escaped_len(envelope);
    let targets = matched.iter().flat_map(|number| &rules.list[*number].targets);
    let targets = targets.map(|target| target_bytes(rules, target, text));
    let lines = rules.log.map_or(0, |log| TASK_BYTES + log.details() * text);
    text + lines + targets.sum::<usize>()
}

/// At most the length of a text within a document: what JSON escapes takes two bytes. What is small is not looked at.
pub(crate) fn escaped_len(text: &str) -> usize {
    if text.len() < SMALL_BYTES {
        return 2 * text.len();
    }
    let escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t');
    text.len() + text.bytes().filter(escaped).count()
}

/// About how many bytes one delivery writes, for an event of so many bytes as [`escaped_len`] has them.
pub(crate) fn target_bytes(rules: &Compiled, target: &CompiledTarget, text: usize) -> usize {
    let letters = usize::from(target.dead_letter.is_some() || rules.dead_letter.is_some());
    TASK_BYTES + (1 + letters) * target.input.bytes_max(text)
}

/// The bus's rules as they stand.
pub(crate) async fn compiled(tx: &mut Tx, bus: &str) -> Result<Arc<Compiled>> {
    let cache = tx.state::<Cache>()?;
    cache.rules(tx, bus).await
}

/// The numbers of the rules that send the event on, in the order of their names.
pub(crate) fn matching(
    rules: &Compiled,
    event: &NewEvent,
    envelope: &str,
    asked: Asked<'_>,
) -> Result<Vec<usize>> {
    if let Asked::Timer(name) = asked {
        return Ok(rules.list.iter().position(|rule| rule.name == name).into_iter().collect());
    }
    let mut matched = Vec::new();
    if rules.list.is_empty() {
        return Ok(matched);
    }
    rules
        .rules
        .matches_json(envelope, &mut matched)
        .map_err(|invalid| kernel::Error::bug(format!("match an event: {invalid:?}")))?;
    matched.sort_unstable();
    // A combination of alternatives is a rule of its own to the set.
    matched.dedup();
    if event::only_reads(event) {
        matched.retain(|number| rules.list[*number].sees_reads);
    }
    if let Asked::Only(names) = asked {
        matched.retain(|number| names.contains(&rules.list[*number].name));
    }
    Ok(matched)
}

/// The event, parsed, if a target of these rules reads it.
pub(crate) fn parse_for(rules: &Compiled, matched: &[usize], envelope: &str) -> Result<Document> {
    let mut targets = matched.iter().flat_map(|rule| &rules.list[*rule].targets);
    Ok(if targets.any(CompiledTarget::reads_event) { serde_json::from_str(envelope)? } else { Value::Null })
}

/// Says on the trace what became of the event.
pub(crate) fn remember(
    tx: &mut Tx,
    rules: &Compiled,
    matched: &[usize],
    bus: &str,
    event: &NewEvent,
    again: Option<&str>,
) {
    let names: Vec<&str> = matched.iter().map(|rule| rules.list[*rule].name.as_str()).collect();
    let mut detail = json!({
        "source": event.source, "detail-type": event.detail_type, "bus": bus,
        "account": tx.scope().account, "region": tx.scope().region, "matched": names,
    });
    if let Some(again) = again {
        detail["again"] = json!(again);
    }
    let id = event.id.to_string();
    // An event that began its own chain is found by the chain's root; the others need a row that leads to it.
    if tx.trace().root == event.id {
        tx.fact("event", &id, Some(detail));
    } else {
        tx.note("event", &id, Some(detail));
    }
}

/// One task for one target, or the row of an archive.
pub(crate) async fn deliver(
    tx: &mut Tx,
    sent: &Sent<'_>,
    rule: &CompiledRule,
    target: &CompiledTarget,
    lines: &mut Lines,
) -> Result<()> {
    if archive::name_of(&target.arn).is_some() {
        return match target.archive {
            Some(space) => archive::add(tx, space, sent.event, sent.envelope).await,
            None => Ok(()),
        };
    }
    let context = Context { rule_arn: &rule.arn, rule_name: &rule.name, ingested_at: tx.now() };
    let payload = target.input.make(sent.envelope, sent.parsed, &context);
    let invocation = lines.invoked(tx, rule, target);
    let mut task = NewTask {
        retry: target.retry.clone(),
        dead_letter: dead_letter(sent.rules, rule, target, &payload),
        lane: Some(target.lane.clone()),
        order: sent.event.order.as_ref().map(|order| format!("{}|{}|{order}", rule.arn, target.id)),
        note: Some(format!("rule {}", rule.name)),
        // What is ordered may have something of its order before it.
        at_once: target.at_once && sent.event.order.is_none(),
        ..NewTask::new(call(tx, sent, target, rule, payload)?)
    };
    if let Some(context) = invocation {
        // The log only listens.
        task.kept = true;
        task.reply = Some(Reply {
            service: "events".to_owned(),
            operation: bus_log::OUTCOME.to_owned(),
            context: serde_json::to_string(&context)?,
        });
    }
    let account = target.arn.account_id().unwrap_or_else(|| tx.scope().account.clone());
    let region = target.arn.region_name().unwrap_or_else(|| tx.scope().region.clone());
    task.caller = Some(tx.caller().as_service("events.amazonaws.com", account, region));
    tx.enqueue(tx.now(), task)?;
    Ok(())
}

/// The call that delivers. The target was in the table when it was put; if its service is not part of this server any
/// more, the call is to nobody, fails for good, and is dead-lettered or kept, like every other.
fn call(
    tx: &Tx,
    sent: &Sent<'_>,
    target: &CompiledTarget,
    rule: &CompiledRule,
    payload: String,
) -> Result<kernel::Call> {
    let Some(kind) = tx.targets().find(&target.arn).copied() else {
        return Ok(kernel::Call::new(&target.arn.service, "Deliver", &payload)?);
    };
    let order = sent.event.order.as_ref().map(|order| format!("{}|{}|{order}", rule.arn, target.id));
    let delivery = Delivery {
        payload,
        attributes: Vec::new(),
        parameters: target.parameters.make(sent.parsed),
        order,
        idempotency_key: format!("{}_{}", sent.place, target.id),
    };
    Ok((kind.call)(&target.arn, delivery)?)
}

/// The target's own dead-letter queue; the bus's for targets that nothing serves any more.
fn dead_letter(
    rules: &Compiled,
    rule: &CompiledRule,
    target: &CompiledTarget,
    payload: &str,
) -> Option<DeadLetter> {
    let own = target.dead_letter(&rule.arn, payload);
    own.or_else(|| {
        rules.dead_letter.as_ref().map(|arn| DeadLetter {
            arn: arn.clone(),
            body: Some(payload.to_owned()),
            attributes: vec![
                ("RULE_ARN".into(), rule.arn.clone()),
                ("TARGET_ARN".into(), target.lane.clone()),
            ],
            style: DeadLetterStyle::EventBridge,
        })
    })
}
