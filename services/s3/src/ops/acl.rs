use base::{AccountId, Fault};
use kernel::{Result, Tx};

use crate::api::{
    BucketCannedACL, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput, Grant,
    Grantee, ObjectCannedACL, Owner, Permission, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput,
    PutObjectAclOutput, Type,
};
use crate::keys::ObjectKey;
use crate::{bucket, fault, versions};

/// Takes the ACL that every bucket has, and no other.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html>
pub(crate) async fn put_bucket_acl(tx: &mut Tx, input: PutBucketAclInput) -> Result<PutBucketAclOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ];
    let canned = input.acl.is_none_or(|acl| acl == BucketCannedACL::Private);
    let policy = input.access_control_policy.and_then(|policy| policy.grants);
    check(canned && grants.into_iter().all(Option::is_none), policy, &found.owner)?;
    Ok(PutBucketAclOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>
pub(crate) async fn get_bucket_acl(tx: &mut Tx, input: GetBucketAclInput) -> Result<GetBucketAclOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let (owner, grants) = private(&found.owner);
    Ok(GetBucketAclOutput { owner: Some(owner), grants: Some(grants) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html>
pub(crate) async fn put_object_acl(tx: &mut Tx, input: PutObjectAclInput) -> Result<PutObjectAclOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let key = ObjectKey { bucket: input.bucket, key: input.key };
    versions::find(tx, &found, &key, input.version_id.as_deref()).await?;
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ];
    let canned =
        matches!(input.acl, None | Some(ObjectCannedACL::Private | ObjectCannedACL::BucketOwnerFullControl));
    let policy = input.access_control_policy.and_then(|policy| policy.grants);
    check(canned && grants.into_iter().all(Option::is_none), policy, &found.owner)?;
    Ok(PutObjectAclOutput::default())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>
pub(crate) async fn get_object_acl(tx: &mut Tx, input: GetObjectAclInput) -> Result<GetObjectAclOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let key = ObjectKey { bucket: input.bucket, key: input.key };
    versions::find(tx, &found, &key, input.version_id.as_deref()).await?;
    let (owner, grants) = private(&found.owner);
    Ok(GetObjectAclOutput { owner: Some(owner), grants: Some(grants), ..GetObjectAclOutput::default() })
}

/// Nobody but the owner may have anything.
fn check(plain: bool, grants: Option<Vec<Grant>>, owner: &AccountId) -> Result<(), Fault> {
    let (_, own) = private(owner);
    if plain && grants.is_none_or(|grants| grants == own) {
        return Ok(());
    }
    Err(fault::access_control_list_not_supported())
}

fn private(owner: &AccountId) -> (Owner, Vec<Grant>) {
    let id = Some(owner.to_string());
    let grantee = Grantee { id: id.clone(), r#type: Type::CanonicalUser, ..Grantee::default() };
    let grant = Grant { grantee: Some(grantee), permission: Some(Permission::FullControl) };
    (Owner { id, display_name: None }, vec![grant])
}
