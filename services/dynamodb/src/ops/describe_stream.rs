//! `DescribeStream`: a stream with its one shard, which is closed once the stream is disabled.

use kernel::{Result, Tx};

use crate::api_streams::{
    DescribeStreamInput, DescribeStreamOutput, SequenceNumberRange, Shard, StreamDescription, StreamStatus,
};
use crate::keys::{StreamKey, StreamRow};
use crate::stream::{self, position, read};

pub(crate) async fn describe_stream(tx: &mut Tx, input: DescribeStreamInput) -> Result<DescribeStreamOutput> {
    let (key, row) = stream::find(tx, &input.stream_arn).await?;
    let shard = shard(tx, &key, &row).await?;
    // No shard has children here, and none stands behind the only one.
    let is_behind =
        input.exclusive_start_shard_id.is_some_and(|start| Some(&start) >= shard.shard_id.as_ref());
    let shards = if is_behind || input.shard_filter.is_some() { Vec::new() } else { vec![shard] };
    Ok(DescribeStreamOutput {
        stream_description: Some(StreamDescription {
            stream_arn: Some(stream::arn(tx.scope(), &key.table, &key.label)),
            stream_label: Some(key.label),
            stream_status: Some(match row.disabled {
                None => StreamStatus::Enabled,
                Some(_) => StreamStatus::Disabled,
            }),
            stream_view_type: Some(row.view.into()),
            creation_request_date_time: Some(row.created),
            table_name: Some(key.table),
            key_schema: Some(stream::key_schema(&row.keys)),
            shards: Some(shards),
            last_evaluated_shard_id: None,
        }),
    })
}

async fn shard(tx: &mut Tx, key: &StreamKey, row: &StreamRow) -> Result<Shard> {
    let ending = match row.disabled {
        None => None,
        Some(_) => Some(position::sequence_number(read::last(tx, key, row).await?)),
    };
    Ok(Shard {
        shard_id: Some(stream::shard_id(row)),
        sequence_number_range: Some(SequenceNumberRange {
            starting_sequence_number: Some(position::sequence_number(position::end_of(row.begins))),
            ending_sequence_number: ending,
        }),
        parent_shard_id: None,
    })
}

impl From<crate::api::StreamViewType> for crate::api_streams::StreamViewType {
    fn from(view: crate::api::StreamViewType) -> crate::api_streams::StreamViewType {
        use crate::api::StreamViewType as Own;
        match view {
            Own::NewImage => Self::NewImage,
            Own::OldImage => Self::OldImage,
            Own::NewAndOldImages => Self::NewAndOldImages,
            Own::KeysOnly => Self::KeysOnly,
        }
    }
}
