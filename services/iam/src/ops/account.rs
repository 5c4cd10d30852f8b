//! The account as a whole, and what it never has.

use std::collections::BTreeMap;

use kernel::{Parts, Result, Tx};

use crate::api::{
    GetAccountSummaryInput, GetAccountSummaryOutput, ListInstanceProfilesForRoleInput,
    ListInstanceProfilesForRoleOutput,
};
use crate::enter_global;
use crate::holder::find;
use crate::keys::{GroupKey, PolicyKey, RoleKey, UserKey};

/// Rows counted at most.
const ROWS_MAX: usize = 10_000;

/// What there is of everything that can be there.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>
pub(crate) async fn get_account_summary(
    tx: &mut Tx,
    _: GetAccountSummaryInput,
) -> Result<GetAccountSummaryOutput> {
    enter_global(tx);
    let policies = tx.scan::<PolicyKey>(Parts::none(), ROWS_MAX).await?;
    let versions: usize = policies.iter().map(|(_, policy)| policy.others.len() + 1).sum();
    let counts = [
        ("Users", tx.scan::<UserKey>(Parts::none(), ROWS_MAX).await?.len()),
        ("Groups", tx.scan::<GroupKey>(Parts::none(), ROWS_MAX).await?.len()),
        ("Roles", tx.scan::<RoleKey>(Parts::none(), ROWS_MAX).await?.len()),
        ("Policies", policies.len()),
        ("PolicyVersionsInUse", versions),
        ("AccessKeysPerUserQuota", 2),
        ("GroupsPerUserQuota", 10),
        ("VersionsPerPolicyQuota", 5),
        ("PolicySizeQuota", 6_144),
        ("RolePolicySizeQuota", 10_240),
        ("UserPolicySizeQuota", 2_048),
        ("GroupPolicySizeQuota", 5_120),
    ];
    let count = |(name, count): (&str, usize)| (name.to_owned(), i32::try_from(count).unwrap_or(i32::MAX));
    let summary: BTreeMap<String, i32> = counts.into_iter().map(count).collect();
    Ok(GetAccountSummaryOutput { summary_map: Some(summary) })
}

/// None: there are no machines, and so no profiles of them. Tools ask before they delete a role.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html>
pub(crate) async fn list_instance_profiles_for_role(
    tx: &mut Tx,
    input: ListInstanceProfilesForRoleInput,
) -> Result<ListInstanceProfilesForRoleOutput> {
    find::<RoleKey>(tx, input.role_name).await?;
    Ok(ListInstanceProfilesForRoleOutput {
        instance_profiles: Vec::new(),
        is_truncated: Some(false),
        marker: None,
    })
}
