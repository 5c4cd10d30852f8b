//! Permissions boundaries: kept and told, never evaluated.

use kernel::{Result, Tx};

use crate::api::{
    AttachedPermissionsBoundary, DeleteRolePermissionsBoundaryInput, DeleteRolePermissionsBoundaryOutput,
    DeleteUserPermissionsBoundaryInput, DeleteUserPermissionsBoundaryOutput,
    PermissionsBoundaryAttachmentType, PutRolePermissionsBoundaryInput, PutRolePermissionsBoundaryOutput,
    PutUserPermissionsBoundaryInput, PutUserPermissionsBoundaryOutput,
};
use crate::fault;
use crate::holder::find_to_change;
use crate::keys::{PolicyKey, RoleKey, UserKey};
use crate::ops::attached::OF_AWS;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html>
pub(crate) async fn put_role_permissions_boundary(
    tx: &mut Tx,
    input: PutRolePermissionsBoundaryInput,
) -> Result<PutRolePermissionsBoundaryOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    set(tx, &mut role.permissions_boundary, Some(input.permissions_boundary)).await?;
    tx.put(&key, &role)?;
    Ok(PutRolePermissionsBoundaryOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html>
pub(crate) async fn delete_role_permissions_boundary(
    tx: &mut Tx,
    input: DeleteRolePermissionsBoundaryInput,
) -> Result<DeleteRolePermissionsBoundaryOutput> {
    let (key, mut role) = find_to_change::<RoleKey>(tx, input.role_name).await?;
    set(tx, &mut role.permissions_boundary, None).await?;
    tx.put(&key, &role)?;
    Ok(DeleteRolePermissionsBoundaryOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html>
pub(crate) async fn put_user_permissions_boundary(
    tx: &mut Tx,
    input: PutUserPermissionsBoundaryInput,
) -> Result<PutUserPermissionsBoundaryOutput> {
    let (key, mut user) = find_to_change::<UserKey>(tx, input.user_name).await?;
    set(tx, &mut user.permissions_boundary, Some(input.permissions_boundary)).await?;
    tx.put(&key, &user)?;
    Ok(PutUserPermissionsBoundaryOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html>
pub(crate) async fn delete_user_permissions_boundary(
    tx: &mut Tx,
    input: DeleteUserPermissionsBoundaryInput,
) -> Result<DeleteUserPermissionsBoundaryOutput> {
    let (key, mut user) = find_to_change::<UserKey>(tx, input.user_name).await?;
    set(tx, &mut user.permissions_boundary, None).await?;
    tx.put(&key, &user)?;
    Ok(DeleteUserPermissionsBoundaryOutput {})
}

/// Gives a role or a user another boundary, or none, and keeps the count of what a policy bounds.
///
/// # Errors
/// `NoSuchEntity`: a policy of the account's own that does not exist.
pub(crate) async fn set(tx: &mut Tx, place: &mut Option<String>, boundary: Option<String>) -> Result<()> {
    if *place == boundary {
        return Ok(());
    }
    if let Some(before) = &place
        && let Some((key, mut policy)) = own(tx, before).await?
    {
        policy.boundaries = (policy.boundaries - 1).max(0);
        tx.put(&key, &policy)?;
    }
    if let Some(arn) = &boundary {
        match own(tx, arn).await? {
            Some((key, mut policy)) => {
                policy.boundaries += 1;
                tx.put(&key, &policy)?;
            }
            None if arn.starts_with(OF_AWS) => {}
            None => return Err(fault::no_such_policy(arn).into()),
        }
    }
    *place = boundary;
    Ok(())
}

async fn own(tx: &mut Tx, arn: &str) -> Result<Option<(PolicyKey, crate::keys::Policy)>> {
    let key = PolicyKey { arn: arn.to_owned() };
    Ok(tx.get(&key).await?.map(|policy| (key, policy)))
}

/// As answers carry it.
pub(crate) fn show(boundary: &Option<String>) -> Option<AttachedPermissionsBoundary> {
    boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some(PermissionsBoundaryAttachmentType::PermissionsBoundaryPolicy),
        permissions_boundary_arn: Some(arn.clone()),
    })
}
