//! `TagResource`, `UntagResource`, `ListTagsForResource`.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::arn::machine_name;
use crate::fault;
use crate::keys::MachineKey;
use crate::machine::{StateMachine, add_tags};

/// Adds tags or gives them other values.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut machine) = find(tx, &input.resource_arn).await?;
    add_tags(&mut machine.tags, input.tags, &input.resource_arn)?;
    tx.put(&key, &machine)?;
    Ok(TagResourceOutput {})
}

/// Removes tags; those that are not there are no error.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let (key, mut machine) = find(tx, &input.resource_arn).await?;
    machine.tags.retain(|name, _| !input.tag_keys.contains(name));
    tx.put(&key, &machine)?;
    Ok(UntagResourceOutput {})
}

/// The machine's tags.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let (_, machine) = find(tx, &input.resource_arn).await?;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    Ok(ListTagsForResourceOutput { tags: Some(machine.tags.into_iter().map(tag).collect()) })
}

async fn find(tx: &mut Tx, arn: &str) -> Result<(MachineKey, StateMachine)> {
    let not_found = |fault: Fault| match &*fault.code {
        "StateMachineDoesNotExist" => fault::resource_not_found(arn),
        _ => fault,
    };
    let key = MachineKey { name: machine_name(tx.scope(), arn).map_err(not_found)? };
    match tx.get(&key).await? {
        Some(machine) => Ok((key, machine)),
        None => Err(fault::resource_not_found(arn).into()),
    }
}
