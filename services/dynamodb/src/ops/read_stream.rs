//! Internal: what those who read a stream for others (event source mappings, pipes) need beyond the API. A position is a
//! sequence number that can be kept for ever, and each record comes with the chain of causes that it belongs to.

use base::{Document, Fault, Timestamp};
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::get_records::shown;
use crate::stream::read::RECORDS_MAX;
use crate::stream::{self, position, read};

/// The internal operation that says where a reader begins.
pub(crate) const POSITION: &str = "FindStreamPosition";
/// The internal operation that reads from a position on.
pub(crate) const READ: &str = "ReadStream";

/// The input of [`POSITION`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FindPosition {
    /// The stream.
    pub(crate) stream_arn: String,
    /// `LATEST`, `TRIM_HORIZON` or `AT_TIMESTAMP`.
    pub(crate) starting_position: String,
    /// For `AT_TIMESTAMP`, in milliseconds since the epoch.
    pub(crate) timestamp_ms: Option<i64>,
}

/// Answers `{"Position": sequence number, "ShardId": …}`: the next record is at the position or behind it.
pub(crate) async fn find_position(tx: &mut Tx, input: FindPosition) -> Result<Document> {
    let (key, row) = stream::find(tx, &input.stream_arn).await?;
    let at = match (input.starting_position.as_str(), input.timestamp_ms) {
        ("LATEST", _) => position::next(position::end_of(tx.seq())),
        ("TRIM_HORIZON", _) => read::horizon(&row),
        ("AT_TIMESTAMP", Some(ms)) => read::at_time(tx, (&key, &row), Timestamp::from_millis(ms)).await?,
        (other, _) => return Err(Fault::validation(format!("Invalid StartingPosition: {other}")).into()),
    };
    Ok(json!({ "Position": position::sequence_number(at), "ShardId": stream::shard_id(&row) }))
}

/// The input of [`READ`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReadStream {
    /// The stream.
    pub(crate) stream_arn: String,
    /// From where; what was trimmed in between is not there any more.
    pub(crate) position: String,
    /// How many records at most; 1,000 if absent.
    pub(crate) limit: Option<usize>,
}

/// Answers `{"Records": […], "Traces": […], "Next": sequence number, "Ended": bool}`: records as functions and pipes get
/// them, for each the trace header of what caused it, the position to go on from, and whether nothing will ever follow.
pub(crate) async fn read_stream(tx: &mut Tx, input: ReadStream) -> Result<Document> {
    let (key, row) = stream::find(tx, &input.stream_arn).await?;
    let invalid = || Fault::validation(format!("Invalid Position: {}", input.position));
    let from = position::parse(&input.position).ok_or_else(invalid)?;
    let limit = input.limit.unwrap_or(RECORDS_MAX).clamp(1, RECORDS_MAX);
    let page = read::page(tx, (&key, &row), from, limit).await?;
    let region = tx.scope().region.to_string();
    let (mut records, mut traces) = (Vec::new(), Vec::new());
    for placed in page.records {
        traces.push(placed.change.trace.to_header());
        let record = serde_json::to_value(shown(placed, &row, &input.stream_arn, &region))?;
        records.push(as_event(record, &input.stream_arn));
    }
    Ok(json!({
        "Records": records,
        "Traces": traces,
        "Next": position::sequence_number(page.next),
        "Ended": page.ended,
    }))
}

/// A record as consumers get it: with the stream's ARN, and the identity's members in small letters.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
fn as_event(mut record: Document, stream: &str) -> Document {
    record["eventSourceARN"] = stream.into();
    if let Some(identity) = record.get_mut("userIdentity") {
        *identity = json!({ "type": identity["Type"], "principalId": identity["PrincipalId"] });
    }
    record
}
