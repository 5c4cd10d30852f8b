//! `DescribeContributorInsights`: says that they are disabled, for they cannot be enabled.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ContributorInsightsStatus, DescribeContributorInsightsInput, DescribeContributorInsightsOutput,
};
use crate::tables;

pub(crate) async fn describe_contributor_insights(
    tx: &mut Tx,
    input: DescribeContributorInsightsInput,
) -> Result<DescribeContributorInsightsOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    if let Some(name) = input.index_name.as_deref().filter(|name| table.index(name).is_none()) {
        let text = format!("Requested resource not found: Index: {name} not found");
        return Err(Fault::new("ResourceNotFoundException", text).into());
    }
    Ok(DescribeContributorInsightsOutput {
        table_name: Some(table.name.clone()),
        index_name: input.index_name,
        contributor_insights_status: Some(ContributorInsightsStatus::Disabled),
        ..DescribeContributorInsightsOutput::default()
    })
}
