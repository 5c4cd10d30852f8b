//! A registry's resource policy. It is kept and told; nothing here asks it, for no call is denied.

use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    DeleteResourcePolicyInput, DeleteResourcePolicyOutput, GetResourcePolicyInput, GetResourcePolicyOutput,
    PutResourcePolicyInput, PutResourcePolicyOutput,
};
use crate::fault;
use crate::keys::{Policy, Registry, RegistryKey};
use crate::name;
use crate::ops::registries;

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-policy.html>
pub(crate) async fn get_resource_policy(
    tx: &mut Tx,
    input: GetResourcePolicyInput,
) -> Result<GetResourcePolicyOutput> {
    let (key, registry) = find(tx, input.registry_name).await?;
    match registry.policy {
        Some(policy) => {
            Ok(GetResourcePolicyOutput { policy: Some(policy.text), revision_id: Some(policy.revision) })
        }
        None => Err(fault::not_found(format!("Registry {} has no resource policy.", key.name)).into()),
    }
}

/// Replaces the policy, if it is still at the revision that is named.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-policy.html>
pub(crate) async fn put_resource_policy(
    tx: &mut Tx,
    input: PutResourcePolicyInput,
) -> Result<PutResourcePolicyOutput> {
    let document: Option<Value> = serde_json::from_str(&input.policy).ok();
    if !document.is_some_and(|policy| policy["Statement"].is_array() || policy["Statement"].is_object()) {
        return Err(fault::bad_request("Policy must be a JSON object with a Statement.").into());
    }
    let (key, mut registry) = find(tx, input.registry_name).await?;
    let current = registry.policy.as_ref().map(|policy| &policy.revision);
    if let Some(revision) = &input.revision_id
        && Some(revision) != current
    {
        return Err(
            fault::precondition_failed(format!("RevisionId {revision} is not the current one.")).into()
        );
    }
    let policy = Policy { text: input.policy, revision: tx.id().to_string() };
    registry.policy = Some(policy.clone());
    tx.put(&key, &registry)?;
    Ok(PutResourcePolicyOutput { policy: Some(policy.text), revision_id: Some(policy.revision) })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-policy.html>
pub(crate) async fn delete_resource_policy(
    tx: &mut Tx,
    input: DeleteResourcePolicyInput,
) -> Result<DeleteResourcePolicyOutput> {
    let (key, mut registry) = find(tx, input.registry_name).await?;
    if registry.policy.take().is_none() {
        return Err(fault::not_found(format!("Registry {} has no resource policy.", key.name)).into());
    }
    tx.put(&key, &registry)?;
    Ok(DeleteResourcePolicyOutput {})
}

async fn find(tx: &mut Tx, name: Option<String>) -> Result<(RegistryKey, Registry)> {
    let name = name.ok_or_else(|| fault::bad_request("registryName must be given."))?;
    name::check_registry(&name)?;
    registries::find(tx, &name).await
}
