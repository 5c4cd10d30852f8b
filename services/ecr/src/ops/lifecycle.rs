//! Lifecycle policies: checked, kept and told. There are no images that they could remove.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    DeleteLifecyclePolicyInput, DeleteLifecyclePolicyOutput, GetLifecyclePolicyInput,
    GetLifecyclePolicyOutput, PutLifecyclePolicyInput, PutLifecyclePolicyOutput,
};
use crate::fault;
use crate::repository::{find, registry};

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html>
pub(crate) async fn put_lifecycle_policy(
    tx: &mut Tx,
    input: PutLifecyclePolicyInput,
) -> Result<PutLifecyclePolicyOutput> {
    check(&input.lifecycle_policy_text)?;
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    repository.lifecycle_policy = Some(input.lifecycle_policy_text.clone());
    tx.put(&key, &repository)?;
    Ok(PutLifecyclePolicyOutput {
        registry_id: Some(registry(tx)),
        repository_name: Some(key.name),
        lifecycle_policy_text: Some(input.lifecycle_policy_text),
    })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicy.html>
pub(crate) async fn get_lifecycle_policy(
    tx: &mut Tx,
    input: GetLifecyclePolicyInput,
) -> Result<GetLifecyclePolicyOutput> {
    let (key, repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    let registry = registry(tx);
    let text = repository.lifecycle_policy.ok_or_else(|| fault::no_lifecycle_policy(&key.name, &registry))?;
    Ok(GetLifecyclePolicyOutput {
        registry_id: Some(registry),
        repository_name: Some(key.name),
        lifecycle_policy_text: Some(text),
        last_evaluated_at: None,
    })
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteLifecyclePolicy.html>
pub(crate) async fn delete_lifecycle_policy(
    tx: &mut Tx,
    input: DeleteLifecyclePolicyInput,
) -> Result<DeleteLifecyclePolicyOutput> {
    let (key, mut repository) = find(tx, input.registry_id.as_ref(), input.repository_name).await?;
    let registry = registry(tx);
    let text =
        repository.lifecycle_policy.take().ok_or_else(|| fault::no_lifecycle_policy(&key.name, &registry))?;
    tx.put(&key, &repository)?;
    Ok(DeleteLifecyclePolicyOutput {
        registry_id: Some(registry),
        repository_name: Some(key.name),
        lifecycle_policy_text: Some(text),
        last_evaluated_at: None,
    })
}

/// Refuses what is no lifecycle policy: rules with a priority of their own, a selection and an action.
fn check(text: &str) -> Result<(), Fault> {
    let failure = |why: &str| {
        fault::invalid(format!(
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation \
             failure: {why}'"
        ))
    };
    let policy: Value = serde_json::from_str(text).map_err(|_| failure("the text is no JSON"))?;
    let Some(rules) = policy["rules"].as_array().filter(|rules| !rules.is_empty()) else {
        return Err(failure("rules are missing"));
    };
    let whole = |rule: &Value| {
        rule["rulePriority"].as_u64().is_some_and(|priority| priority > 0)
            && rule["selection"].is_object()
            && rule["action"]["type"].is_string()
    };
    if !rules.iter().all(whole) {
        return Err(failure("a rule needs a rulePriority, a selection and an action with a type"));
    }
    let mut priorities: Vec<Option<u64>> = rules.iter().map(|rule| rule["rulePriority"].as_u64()).collect();
    priorities.sort_unstable();
    priorities.dedup();
    if priorities.len() < rules.len() {
        return Err(failure("rulePriority must be unique"));
    }
    Ok(())
}
