//! Roles.

use std::collections::{BTreeMap, BTreeSet};

use base::Fault;
use kernel::{Parts, Result, Tx};

use crate::api::{
    CreateRoleInput, CreateRoleOutput, DeleteRoleInput, DeleteRoleOutput, GetRoleInput, GetRoleOutput,
    ListRolesInput, ListRolesOutput, UpdateAssumeRolePolicyInput, UpdateAssumeRolePolicyOutput,
    UpdateRoleDescriptionInput, UpdateRoleDescriptionOutput, UpdateRoleInput, UpdateRoleOutput,
};
use crate::holder::{SERVICE_LINKED, find, find_to_change, has_no_policies};
use crate::keys::{Role, RoleKey};
use crate::names::{self, Named};
use crate::ops::{boundary, tags};
use crate::paging::page;
use crate::policy::{Kind, check, encoded};
use crate::{api, enter_global, fault};

/// Roles read at once; an account has at most a few thousand.
const ROLES_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
pub(crate) async fn create_role(tx: &mut Tx, input: CreateRoleInput) -> Result<CreateRoleOutput> {
    enter_global(tx);
    check(&input.assume_role_policy_document, Kind::Trust)?;
    if input.path.as_ref().is_some_and(|path| path.starts_with(SERVICE_LINKED)) {
        let message = format!("The path {SERVICE_LINKED} is reserved for service-linked roles.");
        return Err(fault::invalid_input(message).into());
    }
    let key = RoleKey { name: input.role_name.clone() };
    if tx.get(&key).await?.is_some() || !names::take(tx, Named::Role, &key.name).await? {
        return Err(
            fault::already_exists(format!("Role with name {} already exists.", input.role_name)).into()
        );
    }
    let mut role = Role {
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        id: new_id(tx, "AROA"),
        created_at: tx.now(),
        trust_policy: input.assume_role_policy_document,
        description: input.description,
        session_s_max: session_s(input.max_session_duration)?,
        permissions_boundary: None,
        tags: tags::checked(input.tags.unwrap_or_default())?,
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
    };
    boundary::set(tx, &mut role.permissions_boundary, input.permissions_boundary).await?;
    tx.put(&key, &role)?;
    Ok(CreateRoleOutput { role: show(tx, &key.name, &role) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
pub(crate) async fn get_role(tx: &mut Tx, input: GetRoleInput) -> Result<GetRoleOutput> {
    let (key, role) = find::<RoleKey>(tx, input.role_name).await?;
    Ok(GetRoleOutput { role: show(tx, &key.name, &role) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html>
pub(crate) async fn update_role(tx: &mut Tx, input: UpdateRoleInput) -> Result<UpdateRoleOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    role.description = input.description.or(role.description);
    if input.max_session_duration.is_some() {
        role.session_s_max = session_s(input.max_session_duration)?;
    }
    tx.put(&key, &role)?;
    Ok(UpdateRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html>
pub(crate) async fn update_role_description(
    tx: &mut Tx,
    input: UpdateRoleDescriptionInput,
) -> Result<UpdateRoleDescriptionOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    role.description = Some(input.description);
    tx.put(&key, &role)?;
    Ok(UpdateRoleDescriptionOutput { role: Some(show(tx, &key.name, &role)) })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html>
pub(crate) async fn update_assume_role_policy(
    tx: &mut Tx,
    input: UpdateAssumeRolePolicyInput,
) -> Result<UpdateAssumeRolePolicyOutput> {
    check(&input.policy_document, Kind::Trust)?;
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    role.trust_policy = input.policy_document;
    tx.put(&key, &role)?;
    Ok(UpdateAssumeRolePolicyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>
pub(crate) async fn delete_role(tx: &mut Tx, input: DeleteRoleInput) -> Result<DeleteRoleOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    has_no_policies::<RoleKey>(&mut role)?;
    boundary::set(tx, &mut role.permissions_boundary, None).await?;
    tx.delete(&key);
    names::release(tx, Named::Role, &key.name);
    Ok(DeleteRoleOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>
pub(crate) async fn list_roles(tx: &mut Tx, input: ListRolesInput) -> Result<ListRolesOutput> {
    enter_global(tx);
    let prefix = input.path_prefix.unwrap_or_default();
    let all = tx.scan::<RoleKey>(Parts::none(), ROLES_MAX).await?;
    let all = all.into_iter().filter(|(_, role)| role.path.starts_with(&prefix));
    let (roles, marker) = page(all, |(key, _)| key.name.clone(), input.marker.as_deref(), input.max_items);
    // Lists leave the tags and the boundary out, as at AWS.
    let brief = |(key, role): &(RoleKey, Role)| api::Role {
        tags: None,
        permissions_boundary: None,
        ..show(tx, &key.name, role)
    };
    Ok(ListRolesOutput {
        roles: roles.iter().map(brief).collect(),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// An id as IAM makes them: a prefix that names the kind, then 17 letters and digits.
pub(crate) fn new_id(tx: &Tx, prefix: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random = [tx.random().to_be_bytes(), tx.random().to_be_bytes(), tx.random().to_be_bytes()].concat();
    let letters = random.iter().take(17).map(|byte| ALPHABET[usize::from(byte % 32)] as char);
    prefix.chars().chain(letters).collect()
}

fn session_s(asked: Option<i32>) -> Result<i32, Fault> {
    match asked {
        None => Ok(3_600),
        Some(seconds @ 3_600..=43_200) => Ok(seconds),
        Some(seconds) => {
            let message = format!(
                "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: \
                 Member must have value between 3600 and 43200"
            );
            Err(Fault::new("ValidationError", message))
        }
    }
}

/// As answers carry it.
pub(crate) fn show(tx: &Tx, name: &str, role: &Role) -> api::Role {
    api::Role {
        path: role.path.clone(),
        role_name: name.to_owned(),
        role_id: role.id.clone(),
        arn: format!("arn:aws:iam::{}:role{}{name}", tx.caller().account, role.path),
        create_date: role.created_at,
        assume_role_policy_document: Some(encoded(&role.trust_policy)),
        description: role.description.clone(),
        max_session_duration: Some(role.session_s_max),
        permissions_boundary: boundary::show(&role.permissions_boundary),
        tags: Some(tags::show(&role.tags)).filter(|tags| !tags.is_empty()),
        role_last_used: None,
        source_role_template: None,
    }
}
