//! Repository policies: kept and told, never evaluated.

use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    DeleteRepositoryPolicyInput, DeleteRepositoryPolicyOutput, GetRepositoryPolicyInput,
    GetRepositoryPolicyOutput, SetRepositoryPolicyInput, SetRepositoryPolicyOutput,
};
use crate::fault;
use crate::repository::{find, registry};

/// `force` or not: nobody evaluates the policy, so that it locks nobody out.
///
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html>
pub(crate) async fn set_repository_policy(
    tx: &mut Tx,
    input: SetRepositoryPolicyInput,
) -> Result<SetRepositoryPolicyOutput> {
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    let policy: Option<Value> = serde_json::from_str(&input.policy_text).ok();
    let has_statements = |policy: &Value| policy["Statement"].is_array() || policy["Statement"].is_object();
    if !policy.as_ref().is_some_and(has_statements) {
        let why = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy \
                   provided'";
        return Err(fault::invalid(why).into());
    }
    repository.policy = Some(input.policy_text.clone());
    tx.put(&key, &repository)?;
    Ok(SetRepositoryPolicyOutput {
        registry_id: Some(registry(tx)),
        repository_name: Some(key.name),
        policy_text: Some(input.policy_text),
    })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html>
pub(crate) async fn get_repository_policy(
    tx: &mut Tx,
    input: GetRepositoryPolicyInput,
) -> Result<GetRepositoryPolicyOutput> {
    let (key, repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    let registry = registry(tx);
    let text = repository.policy.ok_or_else(|| fault::no_policy(&key.name, &registry))?;
    Ok(GetRepositoryPolicyOutput {
        registry_id: Some(registry),
        repository_name: Some(key.name),
        policy_text: Some(text),
    })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryPolicy.html>
pub(crate) async fn delete_repository_policy(
    tx: &mut Tx,
    input: DeleteRepositoryPolicyInput,
) -> Result<DeleteRepositoryPolicyOutput> {
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    let registry = registry(tx);
    let text = repository.policy.take().ok_or_else(|| fault::no_policy(&key.name, &registry))?;
    tx.put(&key, &repository)?;
    Ok(DeleteRepositoryPolicyOutput {
        registry_id: Some(registry),
        repository_name: Some(key.name),
        policy_text: Some(text),
    })
}
