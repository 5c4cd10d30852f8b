//! Groups, except for their deletion.

use kernel::{Direction, Parts, Result, Tx};

use super::page_size;
use super::tags::to_map;
use crate::api::{
    CreateScheduleGroupInput, CreateScheduleGroupOutput, GetScheduleGroupInput, GetScheduleGroupOutput,
    ListScheduleGroupsInput, ListScheduleGroupsOutput,
};
use crate::keys::{Group, GroupKey};
use crate::{fault, group};

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html>
pub(crate) async fn create_schedule_group(
    tx: &mut Tx,
    input: CreateScheduleGroupInput,
) -> Result<CreateScheduleGroupOutput> {
    let tags = to_map(input.tags.unwrap_or_default())?;
    let key = GroupKey { name: input.name };
    let schedule_group_arn = group::arn(tx.scope(), &key.name);
    if let Some(known) = tx.get(&key).await? {
        let again = input.client_token.is_some() && known.client_token == input.client_token;
        return if again && known.tags == tags {
            Ok(CreateScheduleGroupOutput { schedule_group_arn })
        } else {
            Err(fault::group_exists(&key.name).into())
        };
    }
    if key.name == group::DEFAULT {
        return Err(fault::group_exists(&key.name).into());
    }
    let made = Group { tags, ..group::fresh(tx, input.client_token) };
    tx.put(&key, &made)?;
    Ok(CreateScheduleGroupOutput { schedule_group_arn })
}

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetScheduleGroup.html>
pub(crate) async fn get_schedule_group(
    tx: &mut Tx,
    input: GetScheduleGroupInput,
) -> Result<GetScheduleGroupOutput> {
    let (key, found) = group::find(tx, &input.name).await?;
    let shown = found.summary(tx.scope(), key.name);
    Ok(GetScheduleGroupOutput {
        arn: shown.arn,
        name: shown.name,
        state: shown.state,
        creation_date: shown.creation_date,
        last_modification_date: shown.last_modification_date,
    })
}

/// Groups by name; a token is the last name of its page.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListScheduleGroups.html>
pub(crate) async fn list_schedule_groups(
    tx: &mut Tx,
    input: ListScheduleGroupsInput,
) -> Result<ListScheduleGroupsOutput> {
    group::find(tx, group::DEFAULT).await?;
    let size = page_size(input.max_results);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let mut rows = match input.next_token {
        None => tx.scan::<GroupKey>(parts, size + 1).await?,
        Some(name) => tx.scan_after(parts, &GroupKey { name }, size + 1, Direction::Forward).await?,
    };
    let more = rows.len() > size;
    rows.truncate(size);
    let next_token = rows.last().filter(|_| more).map(|(key, _)| key.name.clone());
    let scope = tx.scope().clone();
    let schedule_groups = rows.into_iter().map(|(key, group)| group.summary(&scope, key.name)).collect();
    Ok(ListScheduleGroupsOutput { schedule_groups, next_token })
}
