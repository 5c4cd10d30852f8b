//! What came to a bus lately: searched from the newest on, or followed as it comes.

use std::time::Duration;

use base::{Fault, Timestamp};
use kernel::{Direction, Effect, Parts, Result, Tx};
use pattern::Pattern;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bus;
use crate::fault;
use crate::keys::{Accepted, EventKey};
use crate::rule;

/// The internal operation that searches a bus's events, newest first.
pub const SEARCH: &str = "SearchEvents";
/// The internal operation that gives the events that came after a cursor.
pub const TAIL: &str = "TailEvents";

/// Rows looked at in one call.
const LOOKED_AT_MAX: usize = 10_000;
/// Rows read at once.
const PAGE: usize = 50;
/// The most events of one answer.
const LIMIT_MAX: usize = 1_000;
/// Commits may come to be seen in another order than their ids by about this much.
const OVERLAP_MS: i64 = 2_000;
/// The longest that a tail waits.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// What to look for. What is not given does not restrict.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SearchInput {
    /// The bus, by its name or ARN; the default one if it is not given.
    pub event_bus_name: Option<String>,
    /// The event's source, exactly.
    pub source: Option<String>,
    /// The event's detail type, exactly.
    pub detail_type: Option<String>,
    /// A text anywhere in the event, in whatever case.
    pub text: Option<String>,
    /// A pattern that the event matches.
    pub event_pattern: Option<String>,
    /// Milliseconds since the epoch: what came at this time or later.
    pub from: Option<Timestamp>,
    /// Milliseconds since the epoch: what came before this time.
    pub to: Option<Timestamp>,
    /// The most events of the answer; 50 if it is not given, at most 1,000.
    pub limit: Option<usize>,
    /// Where the last answer ended.
    pub next_token: Option<String>,
}

/// A page of events, newest first. It may be empty and still have a token: then so many events were looked at in vain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SearchOutput {
    /// The events.
    pub events: Vec<FoundEvent>,
    /// Given if older events have not been looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An event that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FoundEvent {
    /// Its id.
    pub event_id: Uuid,
    /// The name of its bus.
    pub event_bus_name: String,
    /// Milliseconds since the epoch: when it came to the bus.
    pub ingested_at: Timestamp,
    /// The event's `source`.
    pub source: String,
    /// The event's `detail-type`.
    pub detail_type: String,
    /// The event's `time`, as it is written there.
    pub time: String,
    /// The account it comes from.
    pub account: String,
    /// The region it comes from.
    pub region: String,
    /// ARNs of what it is about.
    pub resources: Vec<String>,
    /// The replay that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_name: Option<String>,
    /// The whole event as JSON text, as its producer wrote it.
    pub event: String,
}

/// Which events to follow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TailInput {
    /// The bus, by its name or ARN; the default one if it is not given.
    pub event_bus_name: Option<String>,
    /// Where the last answer ended; the present if it is not given.
    pub cursor: Option<String>,
    /// A pattern that the events match.
    pub event_pattern: Option<String>,
    /// The most events of the answer; 100 if it is not given, at most 1,000.
    pub limit: Option<usize>,
    /// How long to wait if there is none; at most 20 seconds, 0 if it is not given.
    pub wait_seconds: Option<u64>,
}

/// Events that came, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TailOutput {
    /// The events; none if none came in time.
    pub events: Vec<FoundEvent>,
    /// For the next call.
    pub cursor: String,
}

/// The members of an envelope that a list shows.
#[derive(Deserialize)]
struct Head {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: String,
    account: String,
    region: String,
    resources: Vec<String>,
    #[serde(rename = "replay-name")]
    replay_name: Option<String>,
}

/// What an event must have.
struct Wanted {
    source: Option<String>,
    detail_type: Option<String>,
    text: Option<String>,
    pattern: Option<Pattern>,
}

impl Wanted {
    fn of(input: &SearchInput) -> Result<Wanted, Fault> {
        Ok(Wanted {
            source: input.source.clone(),
            detail_type: input.detail_type.clone(),
            text: input.text.as_ref().map(|text| text.to_lowercase()),
            pattern: input.event_pattern.as_deref().map(parse).transpose()?,
        })
    }

    fn found(&self, key: EventKey, accepted: Accepted) -> Result<Option<FoundEvent>> {
        let envelope = accepted.envelope;
        if self.text.as_ref().is_some_and(|text| !envelope.to_lowercase().contains(text)) {
            return Ok(None);
        }
        let head: Head = serde_json::from_str(&envelope)?;
        let differs = |wanted: &Option<String>, is: &str| wanted.as_ref().is_some_and(|wanted| wanted != is);
        if differs(&self.source, &head.source) || differs(&self.detail_type, &head.detail_type) {
            return Ok(None);
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&envelope).unwrap_or(false)) {
            return Ok(None);
        }
        Ok(Some(FoundEvent {
            event_id: accepted.id.unwrap_or(key.place),
            event_bus_name: key.bus,
            ingested_at: accepted.at,
            source: head.source,
            detail_type: head.detail_type,
            time: head.time,
            account: head.account,
            region: head.region,
            resources: head.resources,
            replay_name: head.replay_name,
            event: envelope,
        }))
    }
}

fn parse(pattern: &str) -> Result<Pattern, Fault> {
    rule::check_pattern(pattern)?;
    Pattern::parse(pattern).map_err(|invalid| fault::invalid_pattern(&invalid.message))
}

/// Searches the events that are kept, from the newest on.
pub(crate) async fn search_events(tx: &mut Tx, input: SearchInput) -> Result<SearchOutput> {
    let wanted = Wanted::of(&input)?;
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find(tx, &bus).await?;
    let limit = input.limit.unwrap_or(50).clamp(1, LIMIT_MAX);
    let mut before = match &input.next_token {
        Some(token) => token.parse().map_err(|_| fault::invalid("The NextToken is not valid."))?,
        None => first_at(input.to.unwrap_or(Timestamp::MAX)),
    };
    let mut events = Vec::new();
    for _ in 0..LOOKED_AT_MAX / PAGE {
        let after = EventKey { bus: bus.clone(), place: before };
        let rows = tx.scan_after(Parts::of(&bus), &after, PAGE, Direction::Backward).await?;
        let last_page = rows.len() < PAGE;
        for (key, accepted) in rows {
            before = key.place;
            if input.from.is_some_and(|from| accepted.at < from) {
                return Ok(SearchOutput { events, next_token: None });
            }
            events.extend(wanted.found(key, accepted)?);
            if events.len() == limit {
                return Ok(SearchOutput { events, next_token: Some(before.to_string()) });
            }
        }
        if last_page {
            return Ok(SearchOutput { events, next_token: None });
        }
    }
    Ok(SearchOutput { events, next_token: Some(before.to_string()) })
}

/// The first id that a time can have.
pub(crate) fn first_at(time: Timestamp) -> Uuid {
    let ms = u64::try_from(time.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid()
}

/// The millisecond of an id.
fn time_of(id: Uuid) -> Timestamp {
    Timestamp::from_millis(i64::try_from(id.as_u128() >> 80).unwrap_or(0))
}

/// How far a tail is: all places before `from` are known, and of the later ones those in `seen`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cursor {
    from: Timestamp,
    seen: Vec<Uuid>,
}

/// Gives what came after the cursor; waits for it if asked to.
pub(crate) async fn tail_events(effect: &Effect, input: TailInput) -> Result<TailOutput> {
    let mut cursor = match &input.cursor {
        Some(text) => serde_json::from_str(text).map_err(|_| fault::invalid("The Cursor is not valid."))?,
        None => Cursor { from: effect.now(), seen: Vec::new() },
    };
    let wait = Duration::from_secs(input.wait_seconds.unwrap_or(0)).min(WAIT_MAX);
    let until = effect.now() + wait;
    let name = input.event_bus_name.as_deref().map_or(bus::DEFAULT, bus::name_in);
    loop {
        // Asked for before the look, so that what comes in between wakes us.
        let wake = effect.watch::<EventKey>(&Parts::of(name));
        let (events, next) = effect.transact(TAIL, read_tail, (input.clone(), cursor)).await?;
        cursor = next;
        if !events.is_empty() || effect.now() >= until {
            return Ok(TailOutput { events, cursor: serde_json::to_string(&cursor)? });
        }
        let sleep = std::pin::pin!(effect.clock().sleep_until(until));
        futures::future::select(wake, sleep).await;
    }
}

async fn read_tail(tx: &mut Tx, (input, cursor): (TailInput, Cursor)) -> Result<(Vec<FoundEvent>, Cursor)> {
    let wanted =
        Wanted::of(&SearchInput { event_pattern: input.event_pattern.clone(), ..SearchInput::default() })?;
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find(tx, &bus).await?;
    let limit = input.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    let mut events = Vec::new();
    let mut seen = cursor.seen.clone();
    let mut after = EventKey { bus: bus.clone(), place: first_at(cursor.from) };
    let (mut looked_at, mut full) = (0, false);
    while !full && looked_at < LOOKED_AT_MAX {
        let rows = tx.scan_after(Parts::of(&bus), &after, PAGE, Direction::Forward).await?;
        let last_page = rows.len() < PAGE;
        for (key, accepted) in rows {
            after = key.clone();
            looked_at += 1;
            if cursor.seen.contains(&key.place) {
                continue;
            }
            seen.push(key.place);
            events.extend(wanted.found(key, accepted)?);
            full = events.len() == limit;
            if full {
                break;
            }
        }
        if last_page {
            break;
        }
    }
    Ok((events, advance(tx, &cursor, &after, seen)))
}

/// The cursor behind `last`: what may still come to stand shortly before it is looked at again.
fn advance(tx: &Tx, cursor: &Cursor, last: &EventKey, mut seen: Vec<Uuid>) -> Cursor {
    let overlap = Duration::from_millis(OVERLAP_MS.unsigned_abs());
    let reached = time_of(last.place).min(tx.now());
    let from = (reached - overlap).max(cursor.from);
    seen.retain(|place| time_of(*place) >= from);
    Cursor { from, seen }
}
