//! `DescribeTimeToLive`: which attribute tells when an item expires.

use kernel::{Result, Tx};

use crate::api::{
    DescribeTimeToLiveInput, DescribeTimeToLiveOutput, TimeToLiveDescription, TimeToLiveStatus,
};
use crate::tables;

pub(crate) async fn describe_time_to_live(
    tx: &mut Tx,
    input: DescribeTimeToLiveInput,
) -> Result<DescribeTimeToLiveOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    let status = match table.ttl_attribute {
        Some(_) => TimeToLiveStatus::Enabled,
        None => TimeToLiveStatus::Disabled,
    };
    Ok(DescribeTimeToLiveOutput {
        time_to_live_description: Some(TimeToLiveDescription {
            time_to_live_status: Some(status),
            attribute_name: table.ttl_attribute.clone(),
        }),
    })
}
