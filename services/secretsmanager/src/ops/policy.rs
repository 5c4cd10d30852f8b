//! Resource policies: checked for their form, kept and told, never evaluated.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::Value;

use crate::api::{
    DeleteResourcePolicyInput, DeleteResourcePolicyOutput, GetResourcePolicyInput, GetResourcePolicyOutput,
    PutResourcePolicyInput, PutResourcePolicyOutput, ValidateResourcePolicyInput,
    ValidateResourcePolicyOutput, ValidationErrorsEntry,
};
use crate::fault;
use crate::secret::{find, find_any};

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html>
pub(crate) async fn put_resource_policy(
    tx: &mut Tx,
    input: PutResourcePolicyInput,
) -> Result<PutResourcePolicyOutput> {
    unnamed(input.policy_name.as_ref())?;
    let (key, mut secret) = find(tx, &input.secret_id).await?;
    let public = check(&input.resource_policy)?;
    if public && input.block_public_policy == Some(true) {
        let message =
            "You can't attach a resource policy that allows broad access to the secret: a principal is *.";
        return Err(Fault::new("PublicPolicyException", message).into());
    }
    secret.policy = Some(input.resource_policy);
    tx.put(&key, &secret)?;
    let arn = Some(secret.arn(tx, &key.name));
    Ok(PutResourcePolicyOutput { arn, name: Some(key.name), policy_name: None })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html>
pub(crate) async fn get_resource_policy(
    tx: &mut Tx,
    input: GetResourcePolicyInput,
) -> Result<GetResourcePolicyOutput> {
    unnamed(input.policy_name.as_ref())?;
    let (key, secret) = find(tx, &input.secret_id).await?;
    Ok(GetResourcePolicyOutput {
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
        resource_policy: secret.policy,
        policy_name: None,
    })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html>
pub(crate) async fn delete_resource_policy(
    tx: &mut Tx,
    input: DeleteResourcePolicyInput,
) -> Result<DeleteResourcePolicyOutput> {
    unnamed(input.policy_name.as_ref())?;
    let (key, mut secret) = find(tx, &input.secret_id).await?;
    secret.policy = None;
    tx.put(&key, &secret)?;
    let arn = Some(secret.arn(tx, &key.name));
    Ok(DeleteResourcePolicyOutput { arn, name: Some(key.name), policy_name: None })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ValidateResourcePolicy.html>
pub(crate) async fn validate_resource_policy(
    tx: &mut Tx,
    input: ValidateResourcePolicyInput,
) -> Result<ValidateResourcePolicyOutput> {
    if let Some(id) = &input.secret_id {
        find_any(tx, id).await?;
    }
    let mut errors = Vec::new();
    if check(&input.resource_policy)? {
        errors.push(ValidationErrorsEntry {
            check_name: Some("BLOCK_PUBLIC_POLICY".to_owned()),
            error_message: Some("The policy allows everybody.".to_owned()),
        });
    }
    let passed = Some(errors.is_empty());
    Ok(ValidateResourcePolicyOutput { policy_validation_passed: passed, validation_errors: Some(errors) })
}

fn unnamed(name: Option<&String>) -> Result<(), Fault> {
    name.map_or(Ok(()), |_| Err(fault::not_honoured("PolicyName")))
}

/// Whether a policy lets everybody in.
///
/// # Errors
/// `MalformedPolicyDocumentException`: it is no policy.
fn check(text: &str) -> Result<bool, Fault> {
    let malformed = |why: &str| Fault::new("MalformedPolicyDocumentException", why);
    let policy: Value =
        serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    let statements: Vec<&Value> = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        statement @ Value::Object(_) => vec![statement],
        _ => return Err(malformed("This resource policy contains no statement.")),
    };
    let whole = |statement: &&Value| {
        matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
            && (statement.get("Action").is_some() || statement.get("NotAction").is_some())
            && (statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some())
    };
    if !statements.iter().all(whole) {
        return Err(malformed("A statement needs an Effect, a Principal and an Action."));
    }
    let everybody = |principal: &Value| *principal == "*" || principal["AWS"] == "*";
    Ok(statements.iter().any(|statement| {
        statement["Effect"] == "Allow"
            && everybody(&statement["Principal"])
            && statement.get("Condition").is_none()
    }))
}
