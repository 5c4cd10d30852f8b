//! Tags of registries, schemas and discoverers.

use base::tags::{self, Refused, Tags};
use base::{Arn, Fault};
use kernel::{Result, Scope, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::fault;
use crate::keys::{Discoverer, DiscovererKey, Registry, RegistryKey, Schema, SchemaKey};
use crate::ops::{discoverers, registries};
use crate::version;

/// Refuses more tags than a resource may have, and AWS's own.
pub(crate) fn checked(given: Tags) -> Result<Tags, Fault> {
    tags::collect(given).map_err(refused)
}

fn refused(why: Refused) -> Fault {
    fault::bad_request(why.to_string())
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/tags-resource-arn.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tags::merge(tagged.tags(), input.tags).map_err(refused)?;
    tagged.put(tx)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/tags-resource-arn.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tagged.tags().retain(|name, _| !input.tag_keys.contains(name));
    tagged.put(tx)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/tags-resource-arn.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    Ok(ListTagsForResourceOutput { tags: Some(std::mem::take(tagged.tags())) })
}

/// A resource that has tags.
enum Tagged {
    Registry(RegistryKey, Registry),
    Schema(SchemaKey, Schema),
    Discoverer(DiscovererKey, Discoverer),
}

impl Tagged {
    async fn find(tx: &mut Tx, text: &str) -> Result<Tagged> {
        let invalid = || fault::bad_request(format!("{text} is no ARN of a registry, schema or discoverer."));
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let (Some(account), Some(region)) = (arn.account_id(), arn.region_name()) else {
            return Err(invalid().into());
        };
        tx.enter(Scope { account, region });
        let mut parts = arn.resource.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("registry"), Some(name), None, None) => {
                let (key, registry) = registries::find(tx, name).await?;
                Ok(Tagged::Registry(key, registry))
            }
            (Some("schema"), Some(registry), Some(name), None) => {
                let (key, schema) = version::find_schema(tx, registry, name).await?;
                Ok(Tagged::Schema(key, schema))
            }
            (Some("discoverer"), Some(id), None, None) => {
                let (key, discoverer) = discoverers::find(tx, id).await?;
                Ok(Tagged::Discoverer(key, discoverer))
            }
            _ => Err(invalid().into()),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Tagged::Registry(_, registry) => &mut registry.tags,
            Tagged::Schema(_, schema) => &mut schema.tags,
            Tagged::Discoverer(_, discoverer) => &mut discoverer.tags,
        }
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Tagged::Registry(key, registry) => tx.put(key, registry),
            Tagged::Schema(key, schema) => tx.put(key, schema),
            Tagged::Discoverer(key, discoverer) => tx.put(key, discoverer),
        }
    }
}
