//! The deliveries of an event: as many of them as a commit takes go out with it, the others follow in commits of their own.

use std::borrow::Cow;

use kernel::{Call, NewTask, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bus_log::Lines;
use crate::cache::{Compiled, CompiledTarget};
use crate::event;
use crate::keys::EventKey;
use crate::publish::{PAGE_BYTES_MAX, Sent, compiled, deliver, escaped_len, parse_for, target_bytes};

/// The internal operation that sends an event on to the targets that are left.
pub(crate) const SEND_ON: &str = "SendOn";

/// Which targets of the rules that matched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// This one only.
    pub only: Option<String>,
    /// Whether the event was sent before: archives have it already.
    pub again: bool,
}

impl Wanted {
    pub(crate) fn takes(&self, target: &CompiledTarget) -> bool {
        self.only.as_ref().is_none_or(|arn| *arn == target.lane)
            && !(self.again && target.arn.resource.starts_with("archive/"))
    }
}

/// What is left of an event's deliveries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rest {
    bus: String,
    /// Where the event stands.
    stands: Uuid,
    /// See [`Sent::place`].
    place: Uuid,
    order: Option<String>,
    /// The names of the rules that are left, in order.
    rules: Vec<String>,
    /// The target of the first of them that had its delivery last.
    after: Option<String>,
    wanted: Wanted,
}

/// Where the deliveries of an event begin.
pub(crate) struct From<'a> {
    /// The numbers of the rules, in order.
    pub rules: Cow<'a, [usize]>,
    /// The target of the first of them that had its delivery last.
    pub after: Option<&'a str>,
}

/// Sends the event, which stands at `stands`, to the targets of these rules.
pub(crate) async fn send(
    tx: &mut Tx,
    sent: &Sent<'_>,
    stands: Uuid,
    from: From<'_>,
    wanted: &Wanted,
    lines: &mut Lines,
) -> Result<()> {
    let text = escaped_len(sent.envelope);
    let mut after = from.after;
    let mut begun = false;
    for (n, number) in from.rules.iter().enumerate() {
        let rule = &sent.rules.list[*number];
        if after.is_none() {
            lines.matched(rule);
        }
        let targets = rule.targets.iter().filter(|target| wanted.takes(target));
        // Targets stand in the order of their ids.
        let left = targets.filter(|target| after.is_none_or(|after| target.id.as_str() > after));
        let mut last = after;
        for target in left {
            // The first of a commit of its own goes out whatever its size.
            let full = tx.written_bytes() + target_bytes(sent.rules, target, text) > PAGE_BYTES_MAX;
            if full && (begun || from.after.is_none()) {
                let rest = Rest {
                    bus: sent.bus.to_owned(),
                    stands,
                    place: sent.place,
                    order: sent.event.order.clone(),
                    rules: from.rules[n..].iter().map(|n| sent.rules.list[*n].name.clone()).collect(),
                    // Without a target that had its delivery, all of the rule are left: none has an empty id.
                    after: Some(last.unwrap_or_default().to_owned()),
                    wanted: wanted.clone(),
                };
                return send_later(tx, &rest);
            }
            deliver(tx, sent, rule, target, lines).await?;
            (begun, last) = (true, Some(target.id.as_str()));
        }
        after = None;
    }
    Ok(())
}

fn send_later(tx: &mut Tx, rest: &Rest) -> Result<()> {
    let scope = tx.scope().clone();
    let caller = Some(tx.caller().as_service("events.amazonaws.com", scope.account, scope.region));
    let note = Some("more targets".to_owned());
    let call = Call::new("events", SEND_ON, rest)?;
    tx.go_on(tx.now(), NewTask { caller, note, ..NewTask::new(call) })?;
    Ok(())
}

/// Goes on with an event's deliveries, by its rules as they stand now. What was removed in between gets nothing.
pub(crate) async fn send_on(tx: &mut Tx, rest: Rest) -> Result<()> {
    let key = EventKey { bus: rest.bus.clone(), place: rest.stands };
    let Some(accepted) = tx.peek(&key).await? else { return Ok(()) };
    let mut event = event::open(&accepted.envelope, accepted.at)?;
    event.order = rest.order;
    let rules = compiled(tx, &rest.bus).await?;
    let first = rest.rules.first().and_then(|name| number_of(&rules, name));
    let numbers: Vec<usize> = rest.rules.iter().filter_map(|name| number_of(&rules, name)).collect();
    let parsed = parse_for(&rules, &numbers, &accepted.envelope)?;
    let sent = Sent {
        rules: &rules,
        bus: &rest.bus,
        event: &event,
        envelope: &accepted.envelope,
        parsed: &parsed,
        place: rest.place,
    };
    let mut lines = Lines::go_on(tx, &sent);
    // If the first rule has gone, the next one begins with its first target, which is behind no id at all.
    let after = Some(rest.after.as_deref().filter(|_| first.is_some()).unwrap_or_default());
    let from = From { rules: Cow::Owned(numbers), after };
    send(tx, &sent, rest.stands, from, &rest.wanted, &mut lines).await?;
    lines.close(tx, false)
}

fn number_of(rules: &Compiled, name: &str) -> Option<usize> {
    // The list is in the order of names, as the rows are.
    rules.list.binary_search_by(|rule| rule.name.as_str().cmp(name)).ok()
}
