//! The noun: a status change as AWS sends it, and the action as the table keeps it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// The detail of a 'Step Functions Execution Status Change'; times are milliseconds since 1970.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    execution_arn: String,
    state_machine_arn: String,
    status: String,
    start_date: u64,
    stop_date: Option<u64>,
    /// Absent when the event would have been too large.
    input: Option<String>,
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
    #[serde(default)]
    redrive_count: u64,
}

/// One row of the table of recent actions.
#[derive(Debug)]
pub struct Action {
    change: StatusChange,
    client_id: Option<String>,
}

impl From<StatusChange> for Action {
    fn from(change: StatusChange) -> Self {
        let client_id = change.input.as_deref().and_then(client_id);
        Self { change, client_id }
    }
}

impl Action {
    /// Whether the action has only begun.
    pub fn is_running(&self) -> bool {
        self.change.status == "RUNNING"
    }

    /// How often the execution was started again after a failure.
    pub fn redrive_count(&self) -> AttributeValue {
        number(self.change.redrive_count)
    }

    /// The row. Attributes without a value are left out, so that the index by client holds only clients' actions.
    pub fn into_item(self) -> HashMap<String, AttributeValue> {
        let redrive_count = self.redrive_count();
        let change = self.change;
        let attributes = [
            ("kind", Some(text(kind(&change.state_machine_arn).to_owned()))),
            ("executionId", Some(text(change.execution_arn))),
            ("machine", Some(text(change.state_machine_arn))),
            ("status", Some(text(change.status))),
            ("startDate", Some(number(change.start_date))),
            ("redriveCount", Some(redrive_count)),
            ("stopDate", change.stop_date.map(number)),
            ("clientId", self.client_id.map(text)),
            ("input", change.input.map(text)),
            ("output", change.output.map(text)),
            ("error", change.error.map(text)),
            ("cause", change.cause.map(text)),
        ];
        attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// The last word of the machine's name: `dev-meetup-deposit` makes deposits.
fn kind(state_machine_arn: &str) -> &str {
    state_machine_arn.rsplit(['-', ':']).next().unwrap_or(state_machine_arn)
}

fn client_id(input: &str) -> Option<String> {
    match serde_json::from_str::<Value>(input).ok()?.get_mut("clientId")?.take() {
        Value::String(id) if !id.is_empty() => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(change: &str) -> Vec<String> {
        let change: StatusChange = serde_json::from_str(change).unwrap();
        let mut lines: Vec<_> = Action::from(change)
            .into_item()
            .into_iter()
            .map(|(name, value)| match value {
                AttributeValue::S(value) => format!("{name} S {value}"),
                AttributeValue::N(value) => format!("{name} N {value}"),
                other => format!("{name} {other:?}"),
            })
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_running_action_has_neither_end_nor_output() {
        let change = r#"{"executionArn":"arn:e","stateMachineArn":"arn:m:dev-meetup-deposit","name":"n",
            "status":"RUNNING","startDate":1,"stopDate":null,"input":"{ \"clientId\": \"90876\" }","output":null}"#;
        let expected = [
            "clientId S 90876",
            "executionId S arn:e",
            r#"input S { "clientId": "90876" }"#,
            "kind S deposit",
            "machine S arn:m:dev-meetup-deposit",
            "redriveCount N 0",
            "startDate N 1",
            "status S RUNNING",
        ];
        assert_eq!(item(change), expected);
    }

    #[test]
    fn a_failed_action_says_why_and_may_have_no_client() {
        let change = r#"{"executionArn":"arn:e","stateMachineArn":"arn:m:dev-meetup-withdrawal","status":"FAILED",
            "startDate":1,"stopDate":2,"input":"[]","output":null,"error":"Error","cause":"{}","redriveCount":1}"#;
        let expected = [
            "cause S {}",
            "error S Error",
            "executionId S arn:e",
            "input S []",
            "kind S withdrawal",
            "machine S arn:m:dev-meetup-withdrawal",
            "redriveCount N 1",
            "startDate N 1",
            "status S FAILED",
            "stopDate N 2",
        ];
        assert_eq!(item(change), expected);
    }
}
