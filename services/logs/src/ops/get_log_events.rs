use base::Timestamp;
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{GetLogEventsInput, GetLogEventsOutput, OutputLogEvent};
use crate::fault;
use crate::keys::{Event, EventKey, StreamKey};
use crate::ops::find_group;
use crate::token::Place;

/// The page size if none is asked for, and the largest.
const PAGE: usize = 10_000;

/// The events of one stream, in the order of their time; the latest page first unless asked otherwise.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>
pub(crate) async fn get_log_events(tx: &mut Tx, input: GetLogEventsInput) -> Result<GetLogEventsOutput> {
    let (group_key, group) = find_group(tx, input.log_group_name, input.log_group_identifier).await?;
    let stream = StreamKey { group: group_key.name, name: input.log_stream_name };
    if tx.version_of(&stream).await?.is_none() {
        return Err(fault::no_such_stream().into());
    }
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let token = input.next_token.as_deref().map(Place::parse).transpose()?;
    let forward = match &token {
        Some((direction, _)) => *direction == 'f',
        None => input.start_from_head.unwrap_or(false),
    };
    let direction = if forward { Direction::Forward } else { Direction::Backward };
    let after = token.as_ref().map(|(_, place)| place.key(&stream.group));
    let from = input.start_time.map(Timestamp::from_millis).max(group.horizon(tx));
    let window = Window { from, until: input.end_time.map(Timestamp::from_millis) };
    let mut events = window.read(tx, &stream, after.as_ref(), limit, direction).await?;
    if !forward {
        events.reverse();
    }
    // At either end, the token that was given comes back: that is how readers know that they are there.
    let nowhere = Place { at: 0, stream: stream.name.clone(), seq: 0, index: 0 };
    let stay = token.map_or(nowhere, |(_, place)| place);
    let first = events.first().map_or_else(|| stay.clone(), |(key, _)| Place::of(key));
    let last = events.last().map_or(stay, |(key, _)| Place::of(key));
    let show = |(key, event): (EventKey, Event)| OutputLogEvent {
        timestamp: Some(key.at.as_millis()),
        message: Some(event.message),
        ingestion_time: Some(event.ingested_at.as_millis()),
    };
    Ok(GetLogEventsOutput {
        events: Some(events.into_iter().map(show).collect()),
        next_forward_token: Some(last.token('f')),
        next_backward_token: Some(first.token('b')),
    })
}

/// A span of time: `from` included, `until` excluded.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Window {
    /// At most `limit` events of a stream in the window, beginning behind `after`.
    pub(crate) async fn read(
        &self,
        tx: &mut Tx,
        stream: &StreamKey,
        after: Option<&EventKey>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(EventKey, Event)>> {
        let parts = Parts::of(&stream.group).and(&stream.name);
        let at = |time: Timestamp| parts.clone().and(&time);
        let (mut from, mut until) = (self.from.map(at), self.until.map(at));
        if let Some(key) = after {
            let place = parts.clone().and(&key.at).and(&key.seq);
            match direction {
                Direction::Forward => from = Some(place.and(&key.index.saturating_add(1))),
                Direction::Backward => until = Some(place.and(&key.index)),
            }
        }
        tx.scan_between::<EventKey>(parts, from, until, limit, direction).await
    }
}
