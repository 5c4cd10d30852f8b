//! `GetRecords`: the records from an iterator's place on, and the iterator that goes on behind them.

use base::{Fault, Timestamp};
use kernel::{Result, Tx};
use sha2::{Digest as _, Sha256};

use super::get_shard_iterator::check_untrimmed;
use crate::api_streams::{GetRecordsInput, GetRecordsOutput, Identity, OperationType, Record, StreamRecord};
use crate::border::ItemForm;
use crate::keys::{EventName, StreamRow};
use crate::stored::StoredItem;
use crate::stream::iterator::Iterator;
use crate::stream::read::{Placed, RECORDS_MAX};
use crate::stream::{self, position, read};

pub(crate) async fn get_records(tx: &mut Tx, input: GetRecordsInput) -> Result<GetRecordsOutput> {
    if input.limit.is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| limit > RECORDS_MAX)) {
        return Err(Fault::validation(format!(
            "1 validation error detected: Value '{}' at 'limit' failed to satisfy constraint: Member must have value \
             less than or equal to {RECORDS_MAX}",
            input.limit.unwrap_or_default()
        ))
        .into());
    }
    let now = tx.now();
    let iterator = Iterator::parse(&input.shard_iterator, now)?;
    let (key, row) = stream::find(tx, &iterator.stream).await?;
    if let Some(from) = iterator.from {
        check_untrimmed(&row, from)?;
    }
    let wanted = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(RECORDS_MAX);
    let from = iterator.from.unwrap_or_default();
    let page = read::page(tx, (&key, &row), from, wanted.min(RECORDS_MAX)).await?;
    let region = tx.scope().region.to_string();
    let records = page.records.into_iter().map(|placed| shown(placed, &row, &iterator.stream, &region));
    let records = records.collect();
    let next = Iterator { given: now, from: Some(page.next), ..iterator };
    Ok(GetRecordsOutput { records: Some(records), next_shard_iterator: (!page.ended).then(|| next.text()) })
}

/// A record as the API shows it.
pub(crate) fn shown(placed: Placed, row: &StreamRow, stream: &str, region: &str) -> Record {
    let Placed { position, change } = placed;
    let number = position::sequence_number(position);
    let form = |bytes| ItemForm::Stored(StoredItem::from_bytes(bytes));
    let digest = Sha256::digest(format!("{stream}|{number}"));
    Record {
        event_id: Some(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()),
        event_name: Some(match change.event {
            EventName::Insert => OperationType::Insert,
            EventName::Modify => OperationType::Modify,
            EventName::Remove => OperationType::Remove,
        }),
        event_version: Some("1.1".to_owned()),
        event_source: Some("aws:dynamodb".to_owned()),
        aws_region: Some(region.to_owned()),
        dynamodb: Some(StreamRecord {
            // Whole seconds, as at AWS.
            approximate_creation_date_time: Some(Timestamp::from_millis(change.at.as_secs() * 1_000)),
            keys: Some(form(change.keys)),
            new_image: change.images.new.map(form),
            old_image: change.images.old.map(form),
            sequence_number: Some(number),
            size_bytes: i64::try_from(change.size).ok(),
            stream_view_type: Some(row.view.into()),
        }),
        user_identity: change.expired.then(|| Identity {
            principal_id: Some("dynamodb.amazonaws.com".to_owned()),
            r#type: Some("Service".to_owned()),
        }),
    }
}
