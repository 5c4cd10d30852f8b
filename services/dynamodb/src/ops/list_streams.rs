//! `ListStreams`: the streams of all tables, or of one, by table and age; those disabled within a day included.

use base::{Arn, Fault};
use kernel::{Direction, Parts, Result, Tx};

use crate::api_streams::{ListStreamsInput, ListStreamsOutput, Stream};
use crate::keys::StreamKey;
use crate::stream;

const STREAMS_MAX: usize = 100;

pub(crate) async fn list_streams(tx: &mut Tx, input: ListStreamsInput) -> Result<ListStreamsOutput> {
    let wanted = input.limit.and_then(|limit| usize::try_from(limit).ok());
    let limit = wanted.unwrap_or(STREAMS_MAX).min(STREAMS_MAX);
    let parts = match &input.table_name {
        Some(table) => Parts::of(stream::table_name(table)),
        None => Parts::none(),
    };
    let rows = match &input.exclusive_start_stream_arn {
        None => tx.scan::<StreamKey>(parts, limit + 1).await?,
        Some(text) => {
            let after = text.parse::<Arn>().ok().as_ref().and_then(stream::key_of);
            let after = after.ok_or_else(|| Fault::validation(format!("Invalid StreamArn: {text}")))?;
            tx.scan_after(parts, &after, limit + 1, Direction::Forward).await?
        }
    };
    let more = rows.len() > limit;
    let streams: Vec<Stream> = rows.into_iter().take(limit).map(|(key, _)| shown(tx, key)).collect();
    let last_evaluated_stream_arn = streams.last().filter(|_| more).and_then(|last| last.stream_arn.clone());
    Ok(ListStreamsOutput { streams: Some(streams), last_evaluated_stream_arn })
}

fn shown(tx: &Tx, key: StreamKey) -> Stream {
    Stream {
        stream_arn: Some(stream::arn(tx.scope(), &key.table, &key.label)),
        table_name: Some(key.table),
        stream_label: Some(key.label),
    }
}
