//! Streams.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CreateLogStreamInput, CreateLogStreamOutput, DeleteLogStreamInput, DeleteLogStreamOutput,
    DescribeLogStreamsInput, DescribeLogStreamsOutput, LogStream, OrderBy,
};
use crate::fault;
use crate::keys::{GroupKey, Stream, StreamKey};
use crate::ops::{find_group, group, remove};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 50;
/// Streams read to order them by their last event.
const STREAMS_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html>
pub(crate) async fn create_log_stream(
    tx: &mut Tx,
    input: CreateLogStreamInput,
) -> Result<CreateLogStreamOutput> {
    // Guarded: a group that is being deleted gets no stream.
    if tx.get(&GroupKey { name: input.log_group_name.clone() }).await?.is_none() {
        return Err(fault::no_such_group().into());
    }
    let key = StreamKey { group: input.log_group_name, name: input.log_stream_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("stream").into());
    }
    let stream = Stream {
        created_at: tx.now(),
        first_event_at: None,
        last_event_at: None,
        last_ingested_at: None,
        next_place: None,
    };
    tx.put(&key, &stream)?;
    Ok(CreateLogStreamOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html>
pub(crate) async fn delete_log_stream(
    tx: &mut Tx,
    input: DeleteLogStreamInput,
) -> Result<DeleteLogStreamOutput> {
    let (group, _) = find_group(tx, Some(input.log_group_name), None).await?;
    let key = StreamKey { group: group.name, name: input.log_stream_name };
    if tx.get(&key).await?.is_none() {
        return Err(fault::no_such_stream().into());
    }
    tx.delete(&key);
    remove::events_of(tx, &key)?;
    Ok(DeleteLogStreamOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html>
pub(crate) async fn describe_log_streams(
    tx: &mut Tx,
    input: DescribeLogStreamsInput,
) -> Result<DescribeLogStreamsOutput> {
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let (group_key, _) = find_group(tx, input.log_group_name, input.log_group_identifier).await?;
    let by_time = input.order_by == Some(OrderBy::LastEventTime);
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(fault::invalid("Cannot order by LastEventTime with a logStreamNamePrefix.").into());
    }
    let prefix = input.log_stream_name_prefix.unwrap_or_default();
    let parts = Parts::of(&group_key.name).and_starting_with(&prefix);
    let mut streams = tx.scan::<StreamKey>(parts, STREAMS_MAX).await?;
    if by_time {
        streams.sort_by_key(|(_, stream)| stream.last_event_at);
    }
    if input.descending == Some(true) {
        streams.reverse();
    }
    if let Some(token) = input.next_token {
        let at = streams.iter().position(|(key, _)| key.name == token);
        let at = at.ok_or_else(|| fault::invalid("The specified nextToken is invalid."))?;
        streams.drain(..=at);
    }
    let more = streams.len() > limit;
    streams.truncate(limit);
    let next_token = streams.last().filter(|_| more).map(|(key, _)| key.name.clone());
    let arn = group::arn(tx, &group_key.name);
    let streams = streams.into_iter().map(|(key, stream)| show(&arn, key.name, &stream)).collect();
    Ok(DescribeLogStreamsOutput { log_streams: Some(streams), next_token })
}

/// The streams of a group whose names begin with `prefix`, by name.
pub(crate) async fn names(tx: &mut Tx, group: &str, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let parts = Parts::of(group).and_starting_with(prefix);
    let mut rows = tx.scan::<StreamKey>(parts.clone(), STREAMS_MAX).await?;
    while let Some((last, _)) = rows.last() {
        let last = last.clone();
        names.extend(rows.drain(..).map(|(key, _)| key.name));
        rows = tx.scan_after(parts.clone(), &last, STREAMS_MAX, Direction::Forward).await?;
    }
    Ok(names)
}

fn show(group_arn: &str, name: String, stream: &Stream) -> LogStream {
    LogStream {
        arn: Some(format!("{group_arn}:log-stream:{name}")),
        log_stream_name: Some(name),
        creation_time: Some(stream.created_at.as_millis()),
        first_event_timestamp: stream.first_event_at.map(|at| at.as_millis()),
        last_event_timestamp: stream.last_event_at.map(|at| at.as_millis()),
        last_ingestion_time: stream.last_ingested_at.map(|at| at.as_millis()),
        upload_sequence_token: stream.last_ingested_at.map(|at| at.as_millis().to_string()),
        stored_bytes: Some(0),
    }
}
