//! Rules that have a schedule: the timer that fires them, and the event that it brings.
//!
//! A rate counts from the time at which the rule was made, changed or enabled, a cron expression runs in UTC. What falls
//! due while the server is down happens once, when it is up again; then the rhythm goes on as if nothing had been.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html>

use base::schedule::{Schedule, Zone};
use base::{Fault, Timestamp};
use kernel::{Call, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::event::NewEvent;
use crate::fault;
use crate::keys::{RuleKey, Scheduled};
use crate::publish::{Arrival, Asked, arrive};
use crate::rule;

/// The internal operation that is run when a rule's time has come.
pub(crate) const FIRE: &str = "FireScheduledRule";

/// A rule's timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timer {
    bus: String,
    rule: String,
    /// A timer whose anchor is not the rule's is stale.
    anchor: Timestamp,
    /// When it was to fire.
    due: Timestamp,
}

/// The expression, if rules may have it.
pub(crate) fn parse(expression: &str) -> Result<Schedule, Fault> {
    Schedule::parse_rule(expression).map_err(|_| fault::invalid("Parameter ScheduleExpression is not valid."))
}

/// Sets the timer of a rule whose schedule begins at its anchor.
pub(crate) fn start(tx: &mut Tx, key: &RuleKey, scheduled: &Scheduled) -> Result<()> {
    let schedule = parse(&scheduled.expression)?;
    match schedule.next_in_rhythm(scheduled.anchor, scheduled.anchor, &Zone::UTC) {
        Some(due) => set(tx, key, scheduled.anchor, due),
        // A cron expression of years that are over.
        None => Ok(()),
    }
}

fn set(tx: &mut Tx, key: &RuleKey, anchor: Timestamp, due: Timestamp) -> Result<()> {
    let timer = Timer { bus: key.bus.clone(), rule: key.name.clone(), anchor, due };
    let scope = tx.scope().clone();
    let caller = tx.caller().as_service("events.amazonaws.com", scope.account, scope.region);
    let call = Call::new("events", FIRE, &timer)?;
    tx.enqueue_quietly(due, NewTask { caller: Some(caller), ..NewTask::new(call) })?;
    Ok(())
}

/// Fires the rule and sets its timer anew.
pub(crate) async fn fire(tx: &mut Tx, timer: Timer) -> Result<()> {
    let key = RuleKey { bus: timer.bus, name: timer.rule };
    let Some(rule) = tx.get(&key).await? else { return Ok(()) };
    let Some(scheduled) = rule.schedule.filter(|found| rule.enabled && found.anchor == timer.anchor) else {
        return Ok(());
    };
    let schedule = parse(&scheduled.expression)?;
    if let Some(due) = schedule.next_in_rhythm(scheduled.anchor, tx.now().max(timer.due), &Zone::UTC) {
        set(tx, &key, scheduled.anchor, due)?;
    }
    let event = NewEvent {
        id: tx.id(),
        source: "aws.events".to_owned(),
        detail_type: "Scheduled Event".to_owned(),
        resources: vec![rule::arn(tx, &key)],
        time: timer.due,
        detail: "{}".to_owned(),
        order: None,
    };
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    let (place, asked) = (event.id, Asked::Timer(&key.name));
    tx.set_trace(kernel::TraceCx::root(event.id));
    arrive(tx, Arrival { bus: &key.bus, event, envelope, place, asked }).await.map(drop)
}
