//! An event meets a bus: it is kept, matched, and becomes a task for every matched target, in one commit.

use base::Document;
use kernel::{Delivery, NewTask, Result, Tx};
use serde_json::{Value, json};

use crate::cache::{Cache, CompiledRule, CompiledTarget};
use crate::event::NewEvent;
use crate::input::Context;
use crate::keys::{Accepted, EventKey};
use crate::sweep;

/// Puts an event on a bus of the transaction's scope. The bus exists.
pub(crate) async fn publish(tx: &mut Tx, bus: &str, event: NewEvent) -> Result<()> {
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    publish_envelope(tx, bus, event, envelope).await
}

/// The same for an event that keeps the envelope it had on another bus.
pub(crate) async fn publish_envelope(
    tx: &mut Tx,
    bus: &str,
    event: NewEvent,
    envelope: String,
) -> Result<()> {
    let cache = tx.state::<Cache>()?;
    let rules = cache.rules(tx, bus).await?;
    let mut matched = Vec::new();
    rules
        .rules
        .matches_json(&envelope, &mut matched)
        .map_err(|invalid| kernel::Error::bug(format!("match an event: {invalid:?}")))?;
    matched.sort_unstable();
    let parsed = if matched
        .iter()
        .flat_map(|rule| &rules.list[*rule].targets)
        .any(|target| target.input.reads_event())
    {
        serde_json::from_str(&envelope)?
    } else {
        Value::Null
    };
    for number in &matched {
        let rule = &rules.list[*number];
        for target in &rule.targets {
            deliver(tx, rule, target, &event, &envelope, &parsed)?;
        }
    }
    let names: Vec<&str> = matched.iter().map(|rule| rules.list[*rule].name.as_str()).collect();
    let detail = json!({
        "source": event.source, "detail-type": event.detail_type, "bus": bus,
        "account": tx.scope().account, "region": tx.scope().region, "matched": names,
    });
    let id = event.id.to_string();
    // An event that began its own chain is found by the chain's root; the others need a row that leads to it.
    if tx.trace().root == event.id {
        tx.fact("event", &id, Some(detail));
    } else {
        tx.note("event", &id, Some(detail));
    }
    sweep::ensure(tx).await?;
    let accepted = Accepted { envelope, at: tx.now(), root: tx.trace().root };
    tx.put(&EventKey { bus: bus.to_owned(), id: event.id }, &accepted)
}

fn deliver(
    tx: &mut Tx,
    rule: &CompiledRule,
    target: &CompiledTarget,
    event: &NewEvent,
    envelope: &str,
    parsed: &Document,
) -> Result<()> {
    let context = Context { rule_arn: &rule.arn, rule_name: &rule.name, ingested_at: tx.now() };
    let payload = target.input.make(envelope, parsed, &context);
    // The target was in the table when it was put. If its service is not part of this server any more, the delivery is
    // tried, fails, and is dead-lettered or kept, like every other.
    let Some(kind) = tx.targets().find(&target.arn).copied() else {
        return Err(kernel::Error::bug(format!("deliver to {}: no service serves it", target.lane)));
    };
    let dead_letter = target.dead_letter(rule, &payload);
    let order = event.order.as_ref().map(|order| format!("{}|{}|{order}", rule.arn, target.id));
    let delivery = Delivery {
        payload,
        attributes: Vec::new(),
        parameters: target.parameters.clone(),
        order: order.clone(),
        idempotency_key: format!("{}_{}", event.id, target.id),
    };
    let call = (kind.call)(&target.arn, delivery)?;
    let account = target.arn.account_id().unwrap_or_else(|| tx.scope().account.clone());
    let region = target.arn.region_name().unwrap_or_else(|| tx.scope().region.clone());
    let caller = tx.caller().as_service("events.amazonaws.com", account, region);
    tx.enqueue(
        tx.now(),
        NewTask {
            retry: target.retry.clone(),
            dead_letter,
            lane: Some(target.lane.clone()),
            order,
            note: Some(format!("rule {}", rule.name)),
            caller: Some(caller),
            ..NewTask::new(call)
        },
    )?;
    Ok(())
}
