//! Streams of tables: what changed, in the order of the commits, for twenty-four hours.
//!
//! A change and its record are one commit ([`record::write`]), and the store gives the record its place in the table's
//! log when it commits: sequence numbers rise as commits do, and no reader ever finds a record in front of one that it has
//! read. A stream has one shard for its whole life, so that the order of all of a table's changes is kept, not only that of
//! each item's. Records are removed by a task once they are older than [`RETENTION`]; a stream outlives its table.

pub(crate) mod iterator;
pub(crate) mod position;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod source;

use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use kernel::{Call, NewTask, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use crate::api::StreamViewType;
use crate::api_streams::error;
use crate::keys::{StreamKey, StreamRow};
use crate::table::{KeyNames, Table};
use crate::tables;

/// How long a record can be read, and a stream that was disabled.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
pub(crate) const RETENTION: Duration = Duration::from_secs(24 * 3_600);
/// How often old records are looked for.
pub(crate) const TRIM_EVERY: Duration = Duration::from_secs(3_600);
/// The internal operation that removes old records.
pub(crate) const TRIM: &str = "TrimStream";

/// A table's latest stream, as its row knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Its label: what tells it from other streams of a table of that name.
    pub label: String,
    /// What its records carry; `None` once it is disabled.
    pub view: Option<StreamViewType>,
}

/// The ARN of a stream.
pub fn arn(scope: &Scope, table: &str, label: &str) -> String {
    Arn::new("dynamodb", &scope.region, &scope.account, format!("table/{table}/stream/{label}")).to_string()
}

/// The row that a stream's ARN names.
pub(crate) fn key_of(arn: &Arn) -> Option<StreamKey> {
    let (table, label) = arn.resource_after("table")?.split_once("/stream/")?;
    (arn.service == "dynamodb" && !label.is_empty())
        .then(|| StreamKey { table: table.to_owned(), label: label.to_owned() })
}

/// The stream that an ARN names, in the caller's account and region.
pub(crate) async fn find(tx: &mut Tx, text: &str) -> Result<(StreamKey, StreamRow)> {
    let arn: Option<Arn> = text.parse().ok();
    let Some((arn, key)) = arn.and_then(|arn| key_of(&arn).map(|key| (arn, key))) else {
        return Err(Fault::validation(format!("Invalid StreamArn: {text}")).into());
    };
    let here = arn.account == tx.scope().account.as_str() && arn.region == tx.scope().region.as_str();
    match tx.peek(&key).await? {
        Some(row) if here => Ok((key, row)),
        _ => Err(not_found(text).into()),
    }
}

pub(crate) fn not_found(arn: &str) -> Fault {
    error::resource_not_found_exception(format!("Requested resource not found: Stream: {arn} not found"))
}

/// Begins a stream of `table`, whose row is still to be written.
pub(crate) async fn enable(tx: &mut Tx, table: &mut Table, view: StreamViewType) -> Result<()> {
    let mut created = tx.now();
    let mut key = StreamKey { table: table.name.clone(), label: label(created) };
    // Streams of one name within a millisecond are told apart all the same.
    while tx.get(&key).await?.is_some() {
        created = created + Duration::from_millis(1);
        key.label = label(created);
    }
    let row = StreamRow {
        view,
        created: tx.now(),
        keys: table.keys.clone(),
        begins: tx.seq(),
        shard: tx.random() as u32,
        disabled: None,
        trimmed: None,
    };
    tx.put(&key, &row)?;
    table.stream = Some(Latest { label: key.label.clone(), view: Some(view) });
    plan_trim(tx, &key, created + RETENTION)
}

/// Ends the stream of `table`, if it has one: its records stay until they are old.
pub(crate) async fn disable(tx: &mut Tx, table: &mut Table) -> Result<()> {
    let Some(latest) = table.stream.as_mut() else { return Ok(()) };
    latest.view = None;
    let key = StreamKey { table: table.name.clone(), label: latest.label.clone() };
    if let Some(row) = tx.get(&key).await? {
        let disabled = Some(tx.now());
        tx.put(&key, &StreamRow { disabled, ..row })?;
    }
    Ok(())
}

/// What a request wants of a table's stream, held against what is.
pub(crate) async fn apply(
    tx: &mut Tx,
    table: &mut Table,
    wanted: Option<&crate::api::StreamSpecification>,
) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let enabled = table.stream.as_ref().is_some_and(|latest| latest.view.is_some());
    match (enabled, wanted.stream_enabled, wanted.stream_view_type) {
        (true, true, _) => {
            let text = format!("Table already has an enabled stream: TableName: {}", table.name);
            Err(Fault::validation(text).into())
        }
        (false, true, Some(view)) => enable(tx, table, view).await,
        (true, false, None) => disable(tx, table).await,
        (false, false, None) if table.stream.is_none() => {
            let text = format!("Table has no stream to disable: TableName: {}", table.name);
            Err(Fault::validation(text).into())
        }
        (false, false, None) => {
            let text = format!("Table already has a disabled stream: TableName: {}", table.name);
            Err(Fault::validation(text).into())
        }
        (_, true, None) | (_, false, Some(_)) => Err(check(Some(wanted))
            .err()
            .unwrap_or_else(|| Fault::validation("StreamSpecification is not valid"))
            .into()),
    }
}

/// Refuses a specification that contradicts itself.
pub(crate) fn check(wanted: Option<&crate::api::StreamSpecification>) -> Result<(), Fault> {
    let refused =
        |text: &str| Err(Fault::validation(format!("One or more parameter values were invalid: {text}")));
    match wanted.map(|wanted| (wanted.stream_enabled, wanted.stream_view_type)) {
        Some((true, None)) => refused("StreamViewType must be specified when StreamEnabled is true"),
        Some((false, Some(_))) => refused("StreamViewType must not be specified when StreamEnabled is false"),
        _ => Ok(()),
    }
}

/// `2026-01-01T00:00:00.000`
fn label(at: Timestamp) -> String {
    at.to_iso_millis().trim_end_matches('Z').to_owned()
}

/// The id of a stream's one shard.
pub(crate) fn shard_id(row: &StreamRow) -> String {
    format!("shardId-{:020}-{:08x}", row.created.as_millis(), row.shard)
}

/// The input of [`TRIM`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trim {
    /// The table's name.
    pub(crate) table: String,
    /// The stream's label.
    pub(crate) label: String,
}

/// Looks for old records at `at`.
pub(crate) fn plan_trim(tx: &mut Tx, key: &StreamKey, at: Timestamp) -> Result<()> {
    let input = Trim { table: key.table.clone(), label: key.label.clone() };
    tx.enqueue_quietly(at, NewTask::new(Call::new("dynamodb", TRIM, &input)?))?;
    Ok(())
}

/// The keys of a stream's table as its description shows them.
pub(crate) fn key_schema(keys: &KeyNames) -> Vec<crate::api_streams::KeySchemaElement> {
    use crate::api_streams::{KeySchemaElement, KeyType};
    let kinds = [KeyType::Hash, KeyType::Range];
    let element =
        |(name, key_type): (&str, KeyType)| KeySchemaElement { attribute_name: name.to_owned(), key_type };
    keys.iter().zip(kinds).map(element).collect()
}

/// The table of a `TableName` parameter of the streams' API.
pub(crate) fn table_name(text: &str) -> &str {
    tables::name_of(text)
}
