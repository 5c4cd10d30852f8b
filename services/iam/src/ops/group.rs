//! Groups of users.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Parts, Result, Tx};

use crate::api::{
    AddUserToGroupInput, AddUserToGroupOutput, CreateGroupInput, CreateGroupOutput, DeleteGroupInput,
    DeleteGroupOutput, GetGroupInput, GetGroupOutput, ListGroupsForUserInput, ListGroupsForUserOutput,
    ListGroupsInput, ListGroupsOutput, RemoveUserFromGroupInput, RemoveUserFromGroupOutput,
};
use crate::holder::{find, has_no_policies};
use crate::keys::{Group, GroupKey, UserKey};
use crate::names::{self, Named};
use crate::ops::role::new_id;
use crate::ops::user;
use crate::paging::page;
use crate::{api, enter_global, fault};

/// Groups read at once.
const GROUPS_MAX: usize = 10_000;
/// The most groups of a user.
const PER_USER_MAX: usize = 10;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html>
pub(crate) async fn create_group(tx: &mut Tx, input: CreateGroupInput) -> Result<CreateGroupOutput> {
    enter_global(tx);
    let key = GroupKey { name: input.group_name };
    if tx.get(&key).await?.is_some() || !names::take(tx, Named::Group, &key.name).await? {
        let message = format!("Group with name {} already exists.", key.name);
        return Err(fault::already_exists(message).into());
    }
    let group = Group {
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        id: new_id(tx, "AGPA"),
        created_at: tx.now(),
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
        members: BTreeSet::new(),
    };
    tx.put(&key, &group)?;
    Ok(CreateGroupOutput { group: show(tx, &key.name, &group) })
}

/// A group with its users.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html>
pub(crate) async fn get_group(tx: &mut Tx, input: GetGroupInput) -> Result<GetGroupOutput> {
    let (key, group) = find::<GroupKey>(tx, input.group_name).await?;
    let members = group.members.iter().cloned();
    let (names, marker) = page(members, String::clone, input.marker.as_deref(), input.max_items);
    let mut users = Vec::with_capacity(names.len());
    for name in names {
        let (key, member) = find::<UserKey>(tx, name).await?;
        users.push(user::show(tx, &key.name, &member));
    }
    let group = show(tx, &key.name, &group);
    Ok(GetGroupOutput { group, users, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html>
pub(crate) async fn delete_group(tx: &mut Tx, input: DeleteGroupInput) -> Result<DeleteGroupOutput> {
    let (key, mut group) = find::<GroupKey>(tx, input.group_name).await?;
    has_no_policies::<GroupKey>(&mut group)?;
    if !group.members.is_empty() {
        let message = "Cannot delete entity, must remove users from group first.";
        return Err(fault::delete_conflict(message).into());
    }
    tx.delete(&key);
    names::release(tx, Named::Group, &key.name);
    Ok(DeleteGroupOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html>
pub(crate) async fn list_groups(tx: &mut Tx, input: ListGroupsInput) -> Result<ListGroupsOutput> {
    enter_global(tx);
    let prefix = input.path_prefix.unwrap_or_default();
    let all = tx.scan::<GroupKey>(Parts::none(), GROUPS_MAX).await?;
    let all = all.into_iter().filter(|(_, group)| group.path.starts_with(&prefix));
    let (groups, marker) = page(all, |(key, _)| key.name.clone(), input.marker.as_deref(), input.max_items);
    let groups = groups.iter().map(|(key, group)| show(tx, &key.name, group)).collect();
    Ok(ListGroupsOutput { groups, is_truncated: Some(marker.is_some()), marker })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html>
pub(crate) async fn add_user_to_group(
    tx: &mut Tx,
    input: AddUserToGroupInput,
) -> Result<AddUserToGroupOutput> {
    let (group_key, mut group) = find::<GroupKey>(tx, input.group_name).await?;
    let (user_key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    group.members.insert(user_key.name.clone());
    user.groups.insert(group_key.name.clone());
    if user.groups.len() > PER_USER_MAX {
        let message = format!("Cannot exceed quota for GroupsPerUser: {PER_USER_MAX}");
        return Err(fault::limit_exceeded(message).into());
    }
    tx.put(&group_key, &group)?;
    tx.put(&user_key, &user)?;
    Ok(AddUserToGroupOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html>
pub(crate) async fn remove_user_from_group(
    tx: &mut Tx,
    input: RemoveUserFromGroupInput,
) -> Result<RemoveUserFromGroupOutput> {
    let (group_key, mut group) = find::<GroupKey>(tx, input.group_name).await?;
    let (user_key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    if !group.members.remove(&user_key.name) {
        let message = format!("User {} is not in group {}", user_key.name, group_key.name);
        return Err(fault::no_such(message).into());
    }
    user.groups.remove(&group_key.name);
    tx.put(&group_key, &group)?;
    tx.put(&user_key, &user)?;
    Ok(RemoveUserFromGroupOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html>
pub(crate) async fn list_groups_for_user(
    tx: &mut Tx,
    input: ListGroupsForUserInput,
) -> Result<ListGroupsForUserOutput> {
    let (_, user) = find::<UserKey>(tx, input.user_name).await?;
    let (names, marker) =
        page(user.groups.into_iter(), String::clone, input.marker.as_deref(), input.max_items);
    let mut groups = Vec::with_capacity(names.len());
    for name in names {
        let (key, group) = find::<GroupKey>(tx, name).await?;
        groups.push(show(tx, &key.name, &group));
    }
    Ok(ListGroupsForUserOutput { groups, is_truncated: Some(marker.is_some()), marker })
}

fn show(tx: &Tx, name: &str, group: &Group) -> api::Group {
    api::Group {
        path: group.path.clone(),
        group_name: name.to_owned(),
        group_id: group.id.clone(),
        arn: format!("arn:aws:iam::{}:group{}{name}", tx.caller().account, group.path),
        create_date: group.created_at,
    }
}
