use std::collections::BTreeSet;

use kernel::{Effect, Result};

use super::get_tag_keys::PAGE;
use crate::api::{GetTagValuesInput, GetTagValuesOutput};
use crate::{page, resource};

/// Every value that a key has at a resource of the region, sorted.
///
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetTagValues.html>
pub(crate) async fn get_tag_values(effect: &Effect, input: GetTagValuesInput) -> Result<GetTagValuesOutput> {
    let tagged = resource::all_tagged(effect).await?;
    let values: BTreeSet<String> =
        tagged.into_iter().filter_map(|(_, mut tags)| tags.remove(&input.key)).collect();
    let (values, next) = page::of(values, input.pagination_token.as_deref(), PAGE)?;
    Ok(GetTagValuesOutput { tag_values: Some(values), pagination_token: Some(next) })
}
