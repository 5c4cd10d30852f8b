use std::collections::BTreeSet;

use kernel::{Effect, Result};

use crate::api::{GetTagKeysInput, GetTagKeysOutput};
use crate::{page, resource};

/// Keys of one page.
pub(crate) const PAGE: usize = 1_000;

/// Every key that a resource of the region has, by its name.
///
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetTagKeys.html>
pub(crate) async fn get_tag_keys(effect: &Effect, input: GetTagKeysInput) -> Result<GetTagKeysOutput> {
    let tagged = resource::all_tagged(effect).await?;
    let keys: BTreeSet<String> = tagged.into_iter().flat_map(|(_, tags)| tags.into_keys()).collect();
    let (keys, next) = page::of(keys, input.pagination_token.as_deref(), PAGE)?;
    Ok(GetTagKeysOutput { tag_keys: Some(keys), pagination_token: Some(next) })
}
