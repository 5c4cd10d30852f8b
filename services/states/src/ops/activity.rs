//! The operations on activities themselves.

use std::collections::BTreeMap;

use kernel::{Direction, Parts, Result, Tx};

use crate::activity::{Activity, find};
use crate::api::{
    ActivityListItem, CreateActivityInput, CreateActivityOutput, DeleteActivityInput, DeleteActivityOutput,
    DescribeActivityInput, DescribeActivityOutput, ListActivitiesInput, ListActivitiesOutput,
};
use crate::arn::{activity_arn, activity_name, check_name};
use crate::keys::ActivityKey;
use crate::machine::{add_tags, check_encryption, encryption};
use crate::page;

/// Creates an activity. One of that name answers as when it was created.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateActivity.html>
pub(crate) async fn create_activity(tx: &mut Tx, input: CreateActivityInput) -> Result<CreateActivityOutput> {
    check_name(&input.name)?;
    check_encryption(input.encryption_configuration.as_ref())?;
    let activity_arn = activity_arn(tx.scope(), &input.name);
    let key = ActivityKey { name: input.name };
    if let Some(known) = tx.get(&key).await? {
        return Ok(CreateActivityOutput { activity_arn, creation_date: known.created_at });
    }
    let mut activity = Activity { created_at: tx.now(), tags: BTreeMap::new() };
    add_tags(&mut activity.tags, input.tags.unwrap_or_default(), &activity_arn)?;
    tx.put(&key, &activity)?;
    Ok(CreateActivityOutput { activity_arn, creation_date: activity.created_at })
}

/// Deletes an activity. Tasks that workers have go on; those that wait for one wait until they time out.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteActivity.html>
pub(crate) async fn delete_activity(tx: &mut Tx, input: DeleteActivityInput) -> Result<DeleteActivityOutput> {
    let key = ActivityKey { name: activity_name(tx.scope(), &input.activity_arn)? };
    tx.delete(&key);
    Ok(DeleteActivityOutput {})
}

/// An activity.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeActivity.html>
pub(crate) async fn describe_activity(
    tx: &mut Tx,
    input: DescribeActivityInput,
) -> Result<DescribeActivityOutput> {
    let (key, activity) = find(tx, &input.activity_arn).await?;
    Ok(DescribeActivityOutput {
        activity_arn: input.activity_arn,
        name: key.name,
        creation_date: activity.created_at,
        encryption_configuration: Some(encryption()),
    })
}

/// What the tokens of the list of activities are of.
const LIST: &str = "activities";

/// All activities in the order of their names.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListActivities.html>
pub(crate) async fn list_activities(tx: &mut Tx, input: ListActivitiesInput) -> Result<ListActivitiesOutput> {
    let limit = page::size(input.max_results);
    let mut found = match &input.next_token {
        None => tx.scan::<ActivityKey>(Parts::none(), limit + 1).await?,
        Some(token) => {
            let after = ActivityKey { name: page::place(LIST, token)? };
            tx.scan_after(Parts::none(), &after, limit + 1, Direction::Forward).await?
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, _)) if more => Some(page::token(LIST, &last.name)?),
        _ => None,
    };
    let item = |(key, activity): (ActivityKey, Activity)| ActivityListItem {
        activity_arn: activity_arn(tx.scope(), &key.name),
        name: key.name,
        creation_date: activity.created_at,
    };
    Ok(ListActivitiesOutput { activities: found.into_iter().map(item).collect(), next_token })
}
