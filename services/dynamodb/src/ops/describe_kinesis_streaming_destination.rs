//! `DescribeKinesisStreamingDestination`: no table has one, for none can be enabled.

use kernel::{Result, Tx};

use crate::api::{DescribeKinesisStreamingDestinationInput, DescribeKinesisStreamingDestinationOutput};
use crate::tables;

pub(crate) async fn describe_kinesis_streaming_destination(
    tx: &mut Tx,
    input: DescribeKinesisStreamingDestinationInput,
) -> Result<DescribeKinesisStreamingDestinationOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    Ok(DescribeKinesisStreamingDestinationOutput {
        table_name: Some(table.name.clone()),
        kinesis_data_stream_destinations: Some(Vec::new()),
    })
}
