//! `AddPermission` and `RemovePermission`: statements of the queue's `Policy`.

use base::Fault;
use kernel::{Result, Tx};
use serde_json::{Map, Value, json};

use crate::api::{AddPermissionInput, AddPermissionOutput, RemovePermissionInput, RemovePermissionOutput};
use crate::fault;
use crate::queue::{POLICY_BYTES_MAX, Queue, arn, find_guarded};

/// What can be allowed.
const ACTIONS: [&str; 7] = [
    "*",
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
];
/// The most actions of a statement.
const ACTIONS_MAX: usize = 7;

/// Adds a statement that lets accounts do what it names.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>
pub(crate) async fn add_permission(tx: &mut Tx, input: AddPermissionInput) -> Result<AddPermissionOutput> {
    check(&input)?;
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    let resource = arn(tx, &key.name).to_string();
    let mut policy = parse(&queue)?;
    let statements = statements(&mut policy)?;
    if statements.iter().any(|statement| statement["Sid"] == *input.label) {
        return Err(fault::invalid_value(&input.label, "Label", "Already exists.").into());
    }
    let principals: Vec<String> =
        input.aws_account_ids.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
    let actions: Vec<String> = input.actions.iter().map(|action| format!("SQS:{action}")).collect();
    statements.push(json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_all(principals) },
        "Action": one_or_all(actions),
        "Resource": resource,
    }));
    policy.entry("Id").or_insert_with(|| json!(format!("{resource}/SQSDefaultPolicy")));
    let policy = Value::Object(policy).to_string();
    if policy.len() > POLICY_BYTES_MAX {
        let message = format!("The policy would be longer than {POLICY_BYTES_MAX} bytes.");
        return Err(Fault::new("OverLimit", message).with_status(403).into());
    }
    queue.settings.policy = policy;
    queue.modified_at = tx.now();
    tx.put(&key, &queue)?;
    Ok(AddPermissionOutput {})
}

/// Removes the statement of a label.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_RemovePermission.html>
pub(crate) async fn remove_permission(
    tx: &mut Tx,
    input: RemovePermissionInput,
) -> Result<RemovePermissionOutput> {
    let (key, mut queue) = find_guarded(tx, &input.queue_url).await?;
    let mut policy = parse(&queue)?;
    let statements = statements(&mut policy)?;
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != *input.label);
    if statements.len() == before {
        let reason = "can't find label on existing policy.";
        return Err(fault::invalid_value(&input.label, "Label", reason).into());
    }
    let empty = statements.is_empty();
    queue.settings.policy = if empty { String::new() } else { Value::Object(policy).to_string() };
    queue.modified_at = tx.now();
    tx.put(&key, &queue)?;
    Ok(RemovePermissionOutput {})
}

fn check(input: &AddPermissionInput) -> Result<(), Fault> {
    let label = &input.label;
    let letters = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !letters || !(1..=80).contains(&label.len()) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
        return Err(fault::invalid_value(label, "Label", reason));
    }
    if input.actions.is_empty() {
        return Err(fault::missing("Actions"));
    }
    if input.aws_account_ids.is_empty() {
        return Err(fault::missing("PrincipalId"));
    }
    if input.actions.len() > ACTIONS_MAX {
        let message =
            format!("{} Actions were found, maximum allowed is {ACTIONS_MAX}.", input.actions.len());
        return Err(Fault::new("OverLimit", message).with_status(403));
    }
    if let Some(unknown) = input.actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        let reason = "Only the queue owner is allowed to invoke this action.";
        return Err(fault::invalid_value(format!("SQS:{unknown}"), "ActionName", reason));
    }
    let no_account = |account: &&String| base::AccountId::parse(account).is_none();
    if let Some(unknown) = input.aws_account_ids.iter().find(no_account) {
        return Err(fault::invalid_value(unknown, "PrincipalId", "Unable to verify."));
    }
    Ok(())
}

fn parse(queue: &Queue) -> Result<Map<String, Value>> {
    if queue.settings.policy.is_empty() {
        return Ok(Map::from_iter([("Version".to_owned(), json!("2012-10-17"))]));
    }
    Ok(serde_json::from_str(&queue.settings.policy)?)
}

fn statements(policy: &mut Map<String, Value>) -> Result<&mut Vec<Value>, Fault> {
    let statement = policy.entry("Statement").or_insert_with(|| json!([]));
    if statement.is_object() {
        *statement = json!([statement.take()]);
    }
    statement.as_array_mut().ok_or_else(|| fault::invalid_attribute_value("Policy"))
}

/// A policy names a single value without a list.
fn one_or_all(mut values: Vec<String>) -> Value {
    if values.len() == 1 { json!(values.remove(0)) } else { json!(values) }
}
