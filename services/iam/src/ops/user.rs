//! Users.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Parts, Result, Tx};

use crate::api::{
    CreateUserInput, CreateUserOutput, DeleteUserInput, DeleteUserOutput, GetUserInput, GetUserOutput,
    ListUsersInput, ListUsersOutput, UpdateUserInput, UpdateUserOutput,
};
use crate::holder::{find, has_no_policies};
use crate::keys::{AccessKeyKey, GroupKey, User, UserKey};
use crate::names::{self, Named};
use crate::ops::role::new_id;
use crate::ops::{boundary, tags};
use crate::paging::page;
use crate::{api, enter_everywhere, enter_global, fault};

/// Users read at once.
const USERS_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>
pub(crate) async fn create_user(tx: &mut Tx, input: CreateUserInput) -> Result<CreateUserOutput> {
    enter_global(tx);
    let key = UserKey { name: input.user_name };
    if tx.get(&key).await?.is_some() || !names::take(tx, Named::User, &key.name).await? {
        let message = format!("User with name {} already exists.", key.name);
        return Err(fault::already_exists(message).into());
    }
    let mut user = User {
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        id: new_id(tx, "AIDA"),
        created_at: tx.now(),
        permissions_boundary: None,
        tags: tags::checked(input.tags.unwrap_or_default())?,
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
        groups: BTreeSet::new(),
        access_keys: BTreeSet::new(),
    };
    boundary::set(tx, &mut user.permissions_boundary, input.permissions_boundary).await?;
    tx.put(&key, &user)?;
    Ok(CreateUserOutput { user: Some(show(tx, &key.name, &user)) })
}

/// The user of that name, or the caller itself.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html>
pub(crate) async fn get_user(tx: &mut Tx, input: GetUserInput) -> Result<GetUserOutput> {
    let name = name_or_caller(tx, input.user_name)?;
    let (key, user) = find::<UserKey>(tx, name).await?;
    Ok(GetUserOutput { user: show(tx, &key.name, &user) })
}

/// A user takes its keys and groups to its new name.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>
pub(crate) async fn update_user(tx: &mut Tx, input: UpdateUserInput) -> Result<UpdateUserOutput> {
    let (key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    user.path = input.new_path.unwrap_or(user.path);
    let renamed = UserKey { name: input.new_user_name.unwrap_or_else(|| key.name.clone()) };
    if renamed != key {
        names::release(tx, Named::User, &key.name);
        if tx.get(&renamed).await?.is_some() || !names::take(tx, Named::User, &renamed.name).await? {
            let message = format!("User with name {} already exists.", renamed.name);
            return Err(fault::already_exists(message).into());
        }
        tx.delete(&key);
        for name in &user.groups {
            let group_key = GroupKey { name: name.clone() };
            let Some(mut group) = tx.get(&group_key).await? else { continue };
            group.members.remove(&key.name);
            group.members.insert(renamed.name.clone());
            tx.put(&group_key, &group)?;
        }
    }
    tx.put(&renamed, &user)?;
    let principal = arn(tx, &renamed.name, &user);
    enter_everywhere(tx);
    for id in &user.access_keys {
        let access_key = AccessKeyKey { id: id.clone() };
        let Some(mut secret) = tx.get(&access_key).await? else { continue };
        secret.user.clone_from(&renamed.name);
        secret.principal.clone_from(&principal);
        tx.put(&access_key, &secret)?;
    }
    Ok(UpdateUserOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html>
pub(crate) async fn delete_user(tx: &mut Tx, input: DeleteUserInput) -> Result<DeleteUserOutput> {
    let (key, mut user) = find::<UserKey>(tx, input.user_name).await?;
    has_no_policies::<UserKey>(&mut user)?;
    if !user.access_keys.is_empty() {
        let message = "Cannot delete entity, must delete access keys first.";
        return Err(fault::delete_conflict(message).into());
    }
    if !user.groups.is_empty() {
        let message = "Cannot delete entity, must remove users from group first.";
        return Err(fault::delete_conflict(message).into());
    }
    boundary::set(tx, &mut user.permissions_boundary, None).await?;
    tx.delete(&key);
    names::release(tx, Named::User, &key.name);
    Ok(DeleteUserOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>
pub(crate) async fn list_users(tx: &mut Tx, input: ListUsersInput) -> Result<ListUsersOutput> {
    enter_global(tx);
    let prefix = input.path_prefix.unwrap_or_default();
    let all = tx.scan::<UserKey>(Parts::none(), USERS_MAX).await?;
    let all = all.into_iter().filter(|(_, user)| user.path.starts_with(&prefix));
    let (users, marker) = page(all, |(key, _)| key.name.clone(), input.marker.as_deref(), input.max_items);
    // Lists leave the tags and the boundary out, as at AWS.
    let brief = |(key, user): &(UserKey, User)| api::User {
        tags: None,
        permissions_boundary: None,
        ..show(tx, &key.name, user)
    };
    let users = users.iter().map(brief).collect();
    Ok(ListUsersOutput { users, is_truncated: Some(marker.is_some()), marker })
}

/// The name that a request gives, or that of the user who calls.
///
/// # Errors
/// `ValidationError`: the caller is no user.
pub(crate) fn name_or_caller(tx: &Tx, name: Option<String>) -> Result<String, base::Fault> {
    let caller = tx.caller().principal.split_once(":user/").and_then(|(_, path)| path.rsplit('/').next());
    name.or_else(|| caller.map(str::to_owned)).ok_or_else(|| {
        base::Fault::new("ValidationError", "Must specify userName when calling with non-User credentials")
    })
}

/// A user's ARN.
pub(crate) fn arn(tx: &Tx, name: &str, user: &User) -> String {
    format!("arn:aws:iam::{}:user{}{name}", tx.caller().account, user.path)
}

/// As answers carry it.
pub(crate) fn show(tx: &Tx, name: &str, user: &User) -> api::User {
    api::User {
        path: user.path.clone(),
        user_name: name.to_owned(),
        user_id: user.id.clone(),
        arn: arn(tx, name, user),
        create_date: user.created_at,
        password_last_used: None,
        permissions_boundary: boundary::show(&user.permissions_boundary),
        tags: Some(tags::show(&user.tags)).filter(|tags| !tags.is_empty()),
    }
}
