//! `TagResource`, `UntagResource`, `ListTagsForResource`.

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::activity::Activity;
use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::arn::{activity_name, is_activity, machine_name};
use crate::fault;
use crate::keys::{ActivityKey, MachineKey};
use crate::machine::{StateMachine, add_tags};

/// Adds tags or gives them other values.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    add_tags(tagged.tags(), input.tags, &input.resource_arn)?;
    tagged.put(tx)?;
    Ok(TagResourceOutput {})
}

/// Removes tags; those that are not there are no error.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tagged.tags().retain(|name, _| !input.tag_keys.contains(name));
    tagged.put(tx)?;
    Ok(UntagResourceOutput {})
}

/// The tags of a machine or an activity.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    Ok(ListTagsForResourceOutput { tags: Some(std::mem::take(tagged.tags()).into_iter().map(tag).collect()) })
}

/// What may have tags.
enum Tagged {
    Machine(MachineKey, StateMachine),
    Activity(ActivityKey, Activity),
}

impl Tagged {
    async fn find(tx: &mut Tx, arn: &str) -> Result<Tagged> {
        let not_found = |fault: Fault| match &*fault.code {
            "StateMachineDoesNotExist" | "ActivityDoesNotExist" => fault::resource_not_found(arn),
            _ => fault,
        };
        let found = if is_activity(arn) {
            let key = ActivityKey { name: activity_name(tx.scope(), arn).map_err(not_found)? };
            tx.get(&key).await?.map(|activity| Tagged::Activity(key, activity))
        } else {
            let key = MachineKey { name: machine_name(tx.scope(), arn).map_err(not_found)? };
            tx.get(&key).await?.map(|machine| Tagged::Machine(key, machine))
        };
        found.ok_or_else(|| fault::resource_not_found(arn).into())
    }

    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Tagged::Machine(_, machine) => &mut machine.tags,
            Tagged::Activity(_, activity) => &mut activity.tags,
        }
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Tagged::Machine(key, machine) => tx.put(key, machine),
            Tagged::Activity(key, activity) => tx.put(key, activity),
        }
    }
}
