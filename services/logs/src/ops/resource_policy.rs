//! What other services may write into the account's groups. Kept and shown: what the platform's services write is not held
//! against it.

use base::Fault;
use kernel::{Direction, Parts, Result, Tx};
use serde_json::{Map, Value};

use crate::api::{
    DeleteResourcePolicyInput, DeleteResourcePolicyOutput, DescribeResourcePoliciesInput,
    DescribeResourcePoliciesOutput, PolicyScope, PutResourcePolicyInput, PutResourcePolicyOutput,
    ResourcePolicy, error,
};
use crate::fault;
use crate::keys::{Policy, PolicyKey};

/// The most policies of an account in a region.
const POLICIES_MAX: usize = 10;
/// The page size if none is asked for, and the largest.
const PAGE: usize = 50;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html>
pub(crate) async fn put_resource_policy(
    tx: &mut Tx,
    input: PutResourcePolicyInput,
) -> Result<PutResourcePolicyOutput> {
    of_account_only(&input.resource_arn)?;
    let key = PolicyKey { name: named(input.policy_name)? };
    let document = input.policy_document.ok_or_else(|| fault::invalid("policyDocument is required."))?;
    if serde_json::from_str::<Map<String, Value>>(&document).is_err() {
        return Err(fault::invalid("The policy document is not a JSON object.").into());
    }
    let known = tx.scan::<PolicyKey>(Parts::none(), POLICIES_MAX).await?;
    if known.len() == POLICIES_MAX && known.iter().all(|(known, _)| *known != key) {
        return Err(error::limit_exceeded_exception("Resource limit exceeded.").into());
    }
    let policy = Policy { document, updated_at: tx.now() };
    tx.put(&key, &policy)?;
    Ok(PutResourcePolicyOutput { resource_policy: Some(show(key, policy)), revision_id: None })
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html>
pub(crate) async fn describe_resource_policies(
    tx: &mut Tx,
    input: DescribeResourcePoliciesInput,
) -> Result<DescribeResourcePoliciesOutput> {
    of_account_only(&input.resource_arn)?;
    if input.policy_scope == Some(PolicyScope::Resource) {
        return Ok(DescribeResourcePoliciesOutput { resource_policies: Some(Vec::new()), next_token: None });
    }
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let mut rows = match input.next_token {
        None => tx.scan::<PolicyKey>(Parts::none(), limit + 1).await?,
        Some(name) => {
            tx.scan_after(Parts::none(), &PolicyKey { name }, limit + 1, Direction::Forward).await?
        }
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_token = rows.last().filter(|_| more).map(|(key, _)| key.name.clone());
    let policies = rows.into_iter().map(|(key, policy)| show(key, policy)).collect();
    Ok(DescribeResourcePoliciesOutput { resource_policies: Some(policies), next_token })
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteResourcePolicy.html>
pub(crate) async fn delete_resource_policy(
    tx: &mut Tx,
    input: DeleteResourcePolicyInput,
) -> Result<DeleteResourcePolicyOutput> {
    of_account_only(&input.resource_arn)?;
    let key = PolicyKey { name: named(input.policy_name)? };
    if tx.get(&key).await?.is_none() {
        let message = format!("Policy with name [{}] does not exist", key.name);
        return Err(Fault::new("ResourceNotFoundException", message).into());
    }
    tx.delete(&key);
    Ok(DeleteResourcePolicyOutput {})
}

/// Policies of single groups, which have revisions, are not served.
fn of_account_only(resource_arn: &Option<String>) -> Result<(), Fault> {
    match resource_arn {
        None => Ok(()),
        Some(_) => Err(fault::not_honoured("resourceArn of a resource policy")),
    }
}

fn named(name: Option<String>) -> Result<String, Fault> {
    name.filter(|name| !name.is_empty()).ok_or_else(|| fault::invalid("policyName is required."))
}

fn show(key: PolicyKey, policy: Policy) -> ResourcePolicy {
    ResourcePolicy {
        policy_name: Some(key.name),
        policy_document: Some(policy.document),
        last_updated_time: Some(policy.updated_at.as_millis()),
        policy_scope: Some(PolicyScope::Account),
        ..ResourcePolicy::default()
    }
}
