//! Tags of secrets.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{Tag, TagResourceInput, TagResourceOutput, UntagResourceInput, UntagResourceOutput};
use crate::fault;
use crate::secret::find;

/// The most tags of a secret.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut secret) = find(tx, &input.secret_id).await?;
    secret.tags.extend(checked(input.tags)?);
    count(&secret.tags)?;
    secret.changed_at = tx.now();
    tx.put(&key, &secret)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut secret) = find(tx, &input.secret_id).await?;
    secret.tags.retain(|name, _| !input.tag_keys.contains(name));
    secret.changed_at = tx.now();
    tx.put(&key, &secret)?;
    Ok(UntagResourceOutput {})
}

/// Tags as they are kept. AWS's own names are refused.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    let tags: BTreeMap<String, String> =
        tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    if tags.keys().any(|name| name.is_empty() || name.starts_with("aws:")) {
        return Err(fault::parameter("Tag keys are not empty and do not begin with aws:."));
    }
    count(&tags)?;
    Ok(tags)
}

fn count(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(fault::parameter(format!("A secret can have at most {TAGS_MAX} tags.")))
}
