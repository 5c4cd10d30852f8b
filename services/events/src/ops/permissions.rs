//! Who may use a bus from another account.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::{Value, json};

use crate::api::{PutPermissionInput, PutPermissionOutput, RemovePermissionInput, RemovePermissionOutput};
use crate::bus;
use crate::fault;
use crate::policy;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html>
pub(crate) async fn put_permission(tx: &mut Tx, input: PutPermissionInput) -> Result<PutPermissionOutput> {
    let name = bus::enter_to(tx, input.event_bus_name.as_deref(), "events:PutPermission", None).await?;
    let mut found = bus::find_guarded(tx, &name).await?;
    let policy = match &input.policy {
        Some(text) => {
            let others = [&input.action, &input.principal, &input.statement_id];
            if others.iter().any(|other| other.is_some()) || input.condition.is_some() {
                let message =
                    "Policy cannot be given together with Action, Principal, StatementId or Condition.";
                return Err(fault::invalid(message).into());
            }
            policy::parse(text)?;
            text.clone()
        }
        None => {
            let statement = statement(&input, &bus::arn(tx, &name))?;
            policy::with_statement(found.policy.as_deref(), statement)?
        }
    };
    found.policy = Some(policy);
    found.modified_at = tx.now();
    bus::write(tx, &name, &found).await?;
    Ok(PutPermissionOutput {})
}

fn statement(input: &PutPermissionInput, arn: &str) -> Result<Value, Fault> {
    let required = |name: &str, value: &Option<String>| {
        value.clone().ok_or_else(|| fault::invalid(format!("Parameter {name} must be specified.")))
    };
    let principal = required("Principal", &input.principal)?;
    let principal = match principal.as_str() {
        "*" => json!("*"),
        account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
    };
    let mut statement = json!({
        "Sid": required("StatementId", &input.statement_id)?, "Effect": "Allow", "Principal": principal,
        "Action": required("Action", &input.action)?, "Resource": arn,
    });
    if let Some(condition) = &input.condition {
        statement["Condition"] =
            json!({ condition.r#type.clone(): { condition.key.clone(): condition.value } });
    }
    Ok(statement)
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemovePermission.html>
pub(crate) async fn remove_permission(
    tx: &mut Tx,
    input: RemovePermissionInput,
) -> Result<RemovePermissionOutput> {
    let name = bus::enter_to(tx, input.event_bus_name.as_deref(), "events:RemovePermission", None).await?;
    let mut found = bus::find_guarded(tx, &name).await?;
    found.policy = match (input.remove_all_permissions.unwrap_or(false), &input.statement_id) {
        (true, _) => None,
        (false, Some(id)) => policy::without_statement(found.policy.as_deref(), id)?,
        (false, None) => return Err(fault::invalid("Parameter StatementId must be specified.").into()),
    };
    found.modified_at = tx.now();
    bus::write(tx, &name, &found).await?;
    Ok(RemovePermissionOutput {})
}
