//! `GetShardIterator`: a place in a stream from which `GetRecords` reads.

use base::Fault;
use kernel::{Result, Tx};
use store::log::Position;

use crate::api_streams::{GetShardIteratorInput, GetShardIteratorOutput, ShardIteratorType, error};
use crate::keys::{StreamKey, StreamRow};
use crate::stream::iterator::Iterator;
use crate::stream::{self, position, read};

pub(crate) async fn get_shard_iterator(
    tx: &mut Tx,
    input: GetShardIteratorInput,
) -> Result<GetShardIteratorOutput> {
    let (key, row) = stream::find(tx, &input.stream_arn).await?;
    if input.shard_id != stream::shard_id(&row) {
        let text = format!("Requested resource not found: Shard: {} not found", input.shard_id);
        return Err(error::resource_not_found_exception(text).into());
    }
    let from = from(tx, (&key, &row), &input).await?;
    let stream = stream::arn(tx.scope(), &key.table, &key.label);
    let iterator = Iterator { stream, given: tx.now(), from };
    Ok(GetShardIteratorOutput { shard_iterator: Some(iterator.text()) })
}

async fn from(
    tx: &mut Tx,
    (key, row): (&StreamKey, &StreamRow),
    input: &GetShardIteratorInput,
) -> Result<Option<Position>> {
    use ShardIteratorType as Type;
    let kind = input.shard_iterator_type;
    if matches!(kind, Type::TrimHorizon | Type::Latest | Type::AtTimestamp) && input.sequence_number.is_some()
    {
        let text =
            format!("SequenceNumber must not be specified for the ShardIteratorType {}", kind.as_str());
        return Err(Fault::validation(text).into());
    }
    match kind {
        Type::TrimHorizon => Ok(None),
        Type::Latest => Ok(Some(position::next(position::end_of(tx.seq())))),
        Type::AtSequenceNumber => untrimmed(row, numbered(row, input)?),
        Type::AfterSequenceNumber => untrimmed(row, position::next(numbered(row, input)?)),
        Type::AtTimestamp => {
            let text = "Timestamp must be specified for the ShardIteratorType AT_TIMESTAMP";
            let at = input.timestamp.ok_or_else(|| Fault::validation(text))?;
            read::at_time(tx, (key, row), at).await.map(Some)
        }
    }
}

fn untrimmed(row: &StreamRow, at: Position) -> Result<Option<Position>> {
    check_untrimmed(row, at)?;
    Ok(Some(at))
}

/// The place of a given sequence number.
fn numbered(row: &StreamRow, input: &GetShardIteratorInput) -> Result<Position, Fault> {
    let kind = input.shard_iterator_type.as_str();
    let Some(number) = &input.sequence_number else {
        let text = format!("SequenceNumber must be specified for the ShardIteratorType {kind}");
        return Err(Fault::validation(text));
    };
    let invalid = || Fault::validation(format!("Invalid SequenceNumber: {number}"));
    let at = position::parse(number).ok_or_else(invalid)?;
    if at < position::end_of(row.begins) {
        return Err(invalid());
    }
    Ok(at)
}

/// Refuses a place whose record was removed for its age.
pub(crate) fn check_untrimmed(row: &StreamRow, at: Position) -> Result<(), Fault> {
    let horizon = read::horizon(row);
    if row.trimmed.is_some() && at < horizon {
        return Err(error::trimmed_data_access_exception(format!(
            "The operation attempted to read past the oldest stream record in a shard: {} is in front of the trim \
             horizon {}",
            position::sequence_number(at),
            position::sequence_number(horizon)
        )));
    }
    Ok(())
}
