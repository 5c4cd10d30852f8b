//! Key policies: kept and told, never evaluated.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    GetKeyPolicyInput, GetKeyPolicyOutput, ListKeyPoliciesInput, ListKeyPoliciesOutput, PutKeyPolicyInput,
    PutKeyPolicyOutput,
};
use crate::keys::MasterKey;
use crate::ops::state::own;
use crate::{fault, find};

/// The one name that a key's policy has.
const NAME: &str = "default";
/// The most bytes of a policy.
const BYTES_MAX: usize = 32 * 1_024;

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>
pub(crate) async fn get_key_policy(tx: &mut Tx, input: GetKeyPolicyInput) -> Result<GetKeyPolicyOutput> {
    let (key, master) = find::key(tx, &input.key_id).await?;
    check_name(input.policy_name.as_deref(), &find::arn(tx, key.id))?;
    Ok(GetKeyPolicyOutput { policy: Some(master.policy), policy_name: Some(NAME.to_owned()) })
}

/// Nobody evaluates the policy, so that it locks nobody out: `BypassPolicyLockoutSafetyCheck` changes nothing.
///
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>
pub(crate) async fn put_key_policy(tx: &mut Tx, input: PutKeyPolicyInput) -> Result<PutKeyPolicyOutput> {
    let (key, master) = own(tx, &input.key_id).await?;
    check_name(input.policy_name.as_deref(), &find::arn(tx, key.id))?;
    find::not_going(tx, &key, &master)?;
    check(&input.policy)?;
    tx.put(&key, &MasterKey { policy: input.policy, ..master })?;
    Ok(PutKeyPolicyOutput {})
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html>
pub(crate) async fn list_key_policies(
    tx: &mut Tx,
    input: ListKeyPoliciesInput,
) -> Result<ListKeyPoliciesOutput> {
    find::key(tx, &input.key_id).await?;
    if input.marker.is_some() {
        return Err(fault::invalid_marker().into());
    }
    let policy_names = Some(vec![NAME.to_owned()]);
    Ok(ListKeyPoliciesOutput { policy_names, next_marker: None, truncated: Some(false) })
}

fn check_name(name: Option<&str>, arn: &str) -> Result<(), Fault> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(other) => {
            Err(Fault::new("NotFoundException", format!("No such policy exists: {other} of {arn}")))
        }
    }
}

/// Refuses what is no policy.
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    if text.len() > BYTES_MAX {
        let message = format!("The key policy exceeds {BYTES_MAX} bytes");
        return Err(Fault::new("LimitExceededException", message));
    }
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| fault::malformed_policy("The new key policy is not valid JSON."))?;
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        statement @ Value::Object(_) => vec![statement],
        _ => Vec::new(),
    };
    let whole = |statement: &&Value| {
        matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
            && (statement.get("Action").is_some() || statement.get("NotAction").is_some())
            && (statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some())
    };
    if statements.is_empty() || !statements.iter().all(whole) {
        return Err(fault::malformed_policy("Syntax errors in policy."));
    }
    Ok(())
}
