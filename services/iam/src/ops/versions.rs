//! Versions of managed policies. The default one holds.

use kernel::{Result, Tx};

use crate::api::{
    CreatePolicyVersionInput, CreatePolicyVersionOutput, DeletePolicyVersionInput, DeletePolicyVersionOutput,
    GetPolicyVersionInput, GetPolicyVersionOutput, ListPolicyVersionsInput, ListPolicyVersionsOutput,
    PolicyVersion, SetDefaultPolicyVersionInput, SetDefaultPolicyVersionOutput,
};
use crate::fault;
use crate::keys::{OtherVersion, Policy};
use crate::ops::managed::find;
use crate::paging::page;
use crate::policy::{Kind, check, check_size, encoded};

/// The most versions of a policy.
const VERSIONS_MAX: usize = 5;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html>
pub(crate) async fn create_policy_version(
    tx: &mut Tx,
    input: CreatePolicyVersionInput,
) -> Result<CreatePolicyVersionOutput> {
    check(&input.policy_document, Kind::Identity)?;
    check_size(&input.policy_document)?;
    let (key, mut policy) = find(tx, input.policy_arn).await?;
    if policy.others.len() + 1 >= VERSIONS_MAX {
        let message = format!(
            "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an \
             existing version."
        );
        return Err(fault::limit_exceeded(message).into());
    }
    policy.newest_version += 1;
    let number = policy.newest_version;
    let version = OtherVersion { document: input.policy_document, created_at: tx.now() };
    policy.others.insert(number, version);
    if input.set_as_default == Some(true) {
        make_default(&mut policy, number);
    }
    policy.updated_at = Some(tx.now());
    tx.put(&key, &policy)?;
    let version = all(&policy).into_iter().find(|(it, _)| *it == number).map(|(_, version)| version);
    // The answer leaves the document out, as at AWS.
    let version = version.map(|version| PolicyVersion { document: None, ..version });
    Ok(CreatePolicyVersionOutput { policy_version: version })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>
pub(crate) async fn get_policy_version(
    tx: &mut Tx,
    input: GetPolicyVersionInput,
) -> Result<GetPolicyVersionOutput> {
    let (key, policy) = find(tx, input.policy_arn).await?;
    let wanted = number(&input.version_id);
    let version = all(&policy).into_iter().find(|(number, _)| Some(*number) == wanted);
    let (_, version) = version.ok_or_else(|| missing(&key.arn, &input.version_id))?;
    Ok(GetPolicyVersionOutput { policy_version: Some(version) })
}

/// Newest first.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html>
pub(crate) async fn list_policy_versions(
    tx: &mut Tx,
    input: ListPolicyVersionsInput,
) -> Result<ListPolicyVersionsOutput> {
    let (_, policy) = find(tx, input.policy_arn).await?;
    // Markers rise, and the newest comes first: so the place is the distance from the largest number.
    let place = |(number, _): &(u32, PolicyVersion)| format!("{:010}", u32::MAX - number);
    let versions = all(&policy).into_iter().rev();
    let (versions, marker) = page(versions, place, input.marker.as_deref(), input.max_items);
    let brief = |(_, version)| PolicyVersion { document: None, ..version };
    Ok(ListPolicyVersionsOutput {
        versions: Some(versions.into_iter().map(brief).collect()),
        is_truncated: Some(marker.is_some()),
        marker,
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html>
pub(crate) async fn set_default_policy_version(
    tx: &mut Tx,
    input: SetDefaultPolicyVersionInput,
) -> Result<SetDefaultPolicyVersionOutput> {
    let (key, mut policy) = find(tx, input.policy_arn).await?;
    match number(&input.version_id) {
        Some(number) if number == policy.default_version => {}
        Some(number) if policy.others.contains_key(&number) => {
            make_default(&mut policy, number);
            policy.updated_at = Some(tx.now());
            tx.put(&key, &policy)?;
        }
        _ => return Err(missing(&key.arn, &input.version_id).into()),
    }
    Ok(SetDefaultPolicyVersionOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html>
pub(crate) async fn delete_policy_version(
    tx: &mut Tx,
    input: DeletePolicyVersionInput,
) -> Result<DeletePolicyVersionOutput> {
    let (key, mut policy) = find(tx, input.policy_arn).await?;
    let wanted = number(&input.version_id);
    if wanted == Some(policy.default_version) {
        return Err(fault::delete_conflict("Cannot delete the default version of a policy.").into());
    }
    if wanted.and_then(|number| policy.others.remove(&number)).is_none() {
        return Err(missing(&key.arn, &input.version_id).into());
    }
    tx.put(&key, &policy)?;
    Ok(DeletePolicyVersionOutput {})
}

/// A version's id: `v1`, `v2`, …
pub(crate) fn id(number: u32) -> String {
    format!("v{number}")
}

fn number(id: &str) -> Option<u32> {
    id.strip_prefix('v')?.parse().ok()
}

fn missing(arn: &str, id: &str) -> base::Fault {
    fault::no_such(format!("Policy {arn} version {id} does not exist or is not attachable."))
}

/// Exchanges the default version with one of the others, which is there.
fn make_default(policy: &mut Policy, number: u32) {
    let Some(next) = policy.others.remove(&number) else { return };
    let before = OtherVersion {
        document: std::mem::replace(&mut policy.document, next.document),
        created_at: policy.default_created_at.unwrap_or(policy.created_at),
    };
    policy.others.insert(policy.default_version, before);
    policy.default_version = number;
    policy.default_created_at = Some(next.created_at);
}

/// All versions by their numbers, oldest first.
fn all(policy: &Policy) -> Vec<(u32, PolicyVersion)> {
    let show = |number: u32, document: &str, default: bool, created_at| PolicyVersion {
        document: Some(encoded(document)),
        version_id: Some(id(number)),
        is_default_version: Some(default),
        create_date: Some(created_at),
    };
    let created_at = policy.default_created_at.unwrap_or(policy.created_at);
    let default = show(policy.default_version, &policy.document, true, created_at);
    let others = policy
        .others
        .iter()
        .map(|(number, version)| (*number, show(*number, &version.document, false, version.created_at)));
    let mut all: Vec<_> = others.chain([(policy.default_version, default)]).collect();
    all.sort_by_key(|(number, _)| *number);
    all
}
