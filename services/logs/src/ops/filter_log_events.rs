use base::Timestamp;
use kernel::{Direction, Result, Tx};

use crate::api::{FilterLogEventsInput, FilterLogEventsOutput, FilteredLogEvent};
use crate::fault;
use crate::filter::Filter;
use crate::keys::{Event, EventKey, StreamKey};
use crate::ops::get_log_events::Window;
use crate::ops::{find_group, stream};
use crate::token::Place;

/// The page size if none is asked for, and the largest.
const PAGE: usize = 10_000;
/// Events looked at in one call, matching or not: what is left comes with the next page.
const LOOKED_AT_MAX: usize = 20_000;

/// The events of a group that match a pattern, in the order of their time, over all or some of its streams.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
pub(crate) async fn filter_log_events(
    tx: &mut Tx,
    input: FilterLogEventsInput,
) -> Result<FilterLogEventsOutput> {
    let filter = Filter::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let (group_key, group) = find_group(tx, input.log_group_name, input.log_group_identifier).await?;
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let names = match (input.log_stream_names, input.log_stream_name_prefix) {
        (Some(_), Some(_)) => {
            return Err(
                fault::invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.").into()
            );
        }
        (Some(names), None) => {
            for name in &names {
                let key = StreamKey { group: group_key.name.clone(), name: name.clone() };
                tx.peek(&key).await?.ok_or_else(fault::no_such_stream)?;
            }
            names
        }
        (None, prefix) => stream::names(tx, &group_key.name, prefix.as_deref().unwrap_or_default()).await?,
    };
    let after = input.next_token.as_deref().map(Place::parse).transpose()?.map(|(_, place)| place);
    let mut from = input.start_time.map(Timestamp::from_millis).max(group.horizon(tx));
    if let Some(after) = &after {
        from = from.max(Some(Timestamp::from_millis(after.at)));
    }
    // An event at the end itself is wanted here, unlike in GetLogEvents.
    let until = input.end_time.map(|end| Timestamp::from_millis(end.saturating_add(1)));
    let window = Window { from, until };
    let mut events: Vec<(EventKey, Event)> = Vec::new();
    let mut cut_off: Option<Place> = None;
    for name in &names {
        let key = StreamKey { group: group_key.name.clone(), name: name.clone() };
        let page = window.read(tx, &key, None, LOOKED_AT_MAX, Direction::Forward).await?;
        if page.len() == LOOKED_AT_MAX
            && let Some((last, _)) = page.last()
        {
            let last = Place::of(last);
            cut_off = Some(match cut_off {
                Some(cut) => cut.min(last),
                None => last,
            });
        }
        events.extend(page);
    }
    events.sort_by_cached_key(|(key, _)| Place::of(key));
    // What lies behind the point up to which every stream was read comes with the next page.
    let known = |(key, _): &(EventKey, Event)| {
        let place = Place::of(key);
        after.as_ref().is_none_or(|after| place > *after) && cut_off.as_ref().is_none_or(|cut| place <= *cut)
    };
    let mut matching: Vec<(EventKey, Event)> =
        events.into_iter().filter(known).filter(|(_, event)| filter.matches(&event.message)).collect();
    let more = matching.len() > limit;
    matching.truncate(limit);
    let next = match (more, cut_off) {
        (true, _) => matching.last().map(|(key, _)| Place::of(key)),
        (false, cut_off) => cut_off,
    };
    Ok(FilterLogEventsOutput {
        events: Some(matching.into_iter().map(show).collect()),
        searched_log_streams: Some(Vec::new()),
        next_token: next.map(|place| place.token('f')),
    })
}

fn show((key, event): (EventKey, Event)) -> FilteredLogEvent {
    let place = Place::of(&key);
    FilteredLogEvent {
        event_id: Some(place.event_id()),
        log_stream_name: Some(key.stream),
        timestamp: Some(place.at),
        message: Some(event.message),
        ingestion_time: Some(event.ingested_at.as_millis()),
    }
}
