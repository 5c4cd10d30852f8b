use base::Fault;
use kernel::{Result, Tx};
use serde_json::{Map, Value, json};

use crate::access::Who;
use crate::api::{AddPermissionInput, AddPermissionOutput, RemovePermissionInput, RemovePermissionOutput};
use crate::fault;
use crate::topic::{arn, find_guarded};

/// Adds a statement to the topic's policy that lets accounts do what it names.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html>
pub(crate) async fn add_permission(tx: &mut Tx, input: AddPermissionInput) -> Result<AddPermissionOutput> {
    let (key, mut topic) = find_guarded(tx, &input.topic_arn, Who::Owner("AddPermission")).await?;
    let arn = arn(tx, &key.name);
    if input.aws_account_id.is_empty() || input.action_name.is_empty() {
        return Err(fault::invalid("AWSAccountId and ActionName must not be empty").into());
    }
    let mut policy = parse(topic.settings.to_attributes(&arn).get("Policy"))?;
    let statements = statements(&mut policy)?;
    if statements.iter().any(|statement| statement["Sid"] == *input.label) {
        return Err(fault::invalid("Statement already exists").into());
    }
    let principals: Vec<String> =
        input.aws_account_id.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let actions: Vec<String> = input.action_name.iter().map(|action| format!("SNS:{action}")).collect();
    statements.push(json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": { "AWS": principals },
        "Action": actions,
        "Resource": arn.to_string(),
    }));
    topic.settings.policy = Value::Object(policy).to_string();
    tx.put(&key, &topic)?;
    Ok(AddPermissionOutput {})
}

/// Removes the statement of a label; one that is not there is no error.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_RemovePermission.html>
pub(crate) async fn remove_permission(
    tx: &mut Tx,
    input: RemovePermissionInput,
) -> Result<RemovePermissionOutput> {
    let (key, mut topic) = find_guarded(tx, &input.topic_arn, Who::Owner("RemovePermission")).await?;
    let arn = arn(tx, &key.name);
    let mut policy = parse(topic.settings.to_attributes(&arn).get("Policy"))?;
    statements(&mut policy)?.retain(|statement| statement["Sid"] != *input.label);
    topic.settings.policy = Value::Object(policy).to_string();
    tx.put(&key, &topic)?;
    Ok(RemovePermissionOutput {})
}

fn parse(policy: Option<&String>) -> Result<Map<String, Value>> {
    Ok(serde_json::from_str(policy.map_or("{}", String::as_str))?)
}

fn statements(policy: &mut Map<String, Value>) -> Result<&mut Vec<Value>, Fault> {
    let statement = policy.entry("Statement").or_insert_with(|| json!([]));
    if statement.is_object() {
        *statement = json!([statement.take()]);
    }
    statement.as_array_mut().ok_or_else(|| fault::invalid("Policy"))
}
