//! Tags of parameters.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    AddTagsToResourceInput, AddTagsToResourceOutput, ListTagsForResourceInput, ListTagsForResourceOutput,
    RemoveTagsFromResourceInput, RemoveTagsFromResourceOutput, Tag,
};
use crate::keys::{Parameter, ParameterKey};

/// The most tags of a parameter.
const TAGS_MAX: usize = 50;

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html>
pub(crate) async fn add_tags_to_resource(
    tx: &mut Tx,
    input: AddTagsToResourceInput,
) -> Result<AddTagsToResourceOutput> {
    let (key, mut parameter) = find(tx, input.resource_type, input.resource_id).await?;
    parameter.tags.extend(checked(input.tags)?);
    count(&parameter.tags)?;
    tx.put(&key, &parameter)?;
    Ok(AddTagsToResourceOutput {})
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RemoveTagsFromResource.html>
pub(crate) async fn remove_tags_from_resource(
    tx: &mut Tx,
    input: RemoveTagsFromResourceInput,
) -> Result<RemoveTagsFromResourceOutput> {
    let (key, mut parameter) = find(tx, input.resource_type, input.resource_id).await?;
    parameter.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &parameter)?;
    Ok(RemoveTagsFromResourceOutput {})
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, parameter) = find(tx, input.resource_type, input.resource_id).await?;
    let tags = parameter.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(ListTagsForResourceOutput { tag_list: Some(tags) })
}

async fn find(tx: &mut Tx, kind: String, id: String) -> Result<(ParameterKey, Parameter)> {
    if kind != "Parameter" {
        let message = format!("the resource type {kind} is not implemented by Buswork");
        return Err(Fault::new("InvalidResourceType", message).into());
    }
    let key = ParameterKey { name: id };
    match tx.get(&key).await? {
        Some(parameter) => Ok((key, parameter)),
        None => {
            let message = format!("The resource ID {} is not valid. Verify the ID and try again.", key.name);
            Err(Fault::new("InvalidResourceId", message).into())
        }
    }
}

/// Tags as they are kept. AWS's own names are refused.
pub(crate) fn checked(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    if tags.iter().any(|tag| tag.key.starts_with("aws:")) {
        return Err(Fault::validation("Tags that begin with aws: are reserved."));
    }
    let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    count(&tags)?;
    Ok(tags)
}

fn count(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Fault::new("TooManyTagsError", format!("A parameter can have at most {TAGS_MAX} tags.")))
}
