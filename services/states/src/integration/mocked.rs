//! Whether the mocked result of a task is one that the called API could give.
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html>

use asl::{Pattern, Resource};
use base::schema::{Kind, OperationSchema, Shape};
use serde_json::Value;

use super::check::Served;
use super::{cased, sdk, table};

/// How much of a result must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// `STRICT`: what the model requires.
    Required,
    /// `PRESENT`: nothing.
    Nothing,
}

/// Why the API that does the task of `resource` cannot give `result`, in AWS's words. Members that the API does not
/// have are no reason, and nothing is where a task's result follows no model: functions by their ARN, activities, HTTP
/// tasks, and whatever waits for a task token, since its result is what the token's holder says.
pub(crate) fn misfit(
    resource: &Resource,
    served: Served<'_>,
    strictness: Strictness,
    result: &Value,
) -> Option<String> {
    let (operation, free) = modelled(resource, served)?;
    if !result.is_object() {
        return Some("Mocked result must be a JSON object.".to_owned());
    }
    let model = Model { strictness, optimised: matches!(resource, Resource::Integration { .. }), free };
    let why = model.structure(operation.output, result).err()?;
    Some(format!("Mock result schema validation error: {why}"))
}

/// The operation whose output a task's result is, and those of its members that hold any JSON.
fn modelled(
    resource: &Resource,
    served: Served<'_>,
) -> Option<(&'static OperationSchema, &'static [&'static str])> {
    match resource {
        Resource::Integration { service, action, pattern } => {
            let known = table::optimised(service, action)?;
            let (operation, free): (_, &[&str]) = match (known.signing, pattern) {
                (_, Pattern::WaitForTaskToken) => return None,
                ("states", Pattern::Sync) => ("DescribeExecution", &[]),
                ("states", Pattern::Sync2) => ("DescribeExecution", &["Input", "Output"]),
                ("lambda", _) => (known.operation, &["Payload"]),
                _ => (known.operation, &[]),
            };
            Some((served(known.signing, operation)?, free))
        }
        Resource::AwsSdk { pattern: Pattern::WaitForTaskToken, .. } => None,
        Resource::AwsSdk { service, action, .. } => {
            Some((served(sdk::client(service)?.signing, &sdk::operation(action))?, &[]))
        }
        Resource::LambdaArn(_) | Resource::Activity(_) => None,
    }
}

struct Model {
    strictness: Strictness,
    /// Optimised integrations show times as numbers, the SDK as text.
    optimised: bool,
    free: &'static [&'static str],
}

impl Model {
    fn structure(&self, shape: &Shape, result: &Value) -> Result<(), String> {
        let given = |name: &str| result.get(name);
        for member in shape.members() {
            let name = cased::sdk_name(member.name);
            match given(&name) {
                Some(_) if self.free.contains(&&*name) => {}
                Some(value) => self.value(&name, member.shape, value)?,
                None if member.required && self.strictness == Strictness::Required => {
                    return Err(format!("Required field '{name}' is missing"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn value(&self, name: &str, shape: &Shape, value: &Value) -> Result<(), String> {
        let must_be = |what: &str| Err(format!("Field '{name}' must be {what}"));
        match (&shape.kind, value) {
            (Kind::Structure { .. }, Value::Object(_)) => self.structure(shape, value),
            (Kind::List { member, .. }, Value::Array(items)) => {
                items.iter().try_for_each(|item| self.value(name, member, item))
            }
            (Kind::Map { value: shape, .. }, Value::Object(entries)) => {
                entries.values().try_for_each(|entry| self.value(name, shape, entry))
            }
            (Kind::Structure { .. } | Kind::Map { .. }, _) => must_be("an object"),
            (Kind::List { .. }, _) => must_be("an array"),
            (Kind::String { values, .. }, Value::String(text)) => {
                match values.is_empty() || values.contains(&text.as_str()) {
                    true => Ok(()),
                    false => Err(format!("Field '{name}' is not an expected value")),
                }
            }
            (Kind::Timestamp(_), Value::Number(_)) if self.optimised => Ok(()),
            (Kind::Blob(_) | Kind::Timestamp(_), Value::String(_)) => Ok(()),
            (Kind::String { .. } | Kind::Blob(_) | Kind::Timestamp(_), _) => must_be("a string"),
            (Kind::Integer(_) | Kind::Long(_), value) if value.is_i64() || value.is_u64() => Ok(()),
            (Kind::Float(_), Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
            (Kind::Integer(_) | Kind::Long(_) | Kind::Float(_), _) => must_be("a number"),
            (Kind::Boolean, _) => must_be("a boolean"),
            (Kind::Document, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is wrong with a result, with everything that is required and without.
    fn found(resource: &str, result: &Value) -> [Option<String>; 2] {
        let state = json!({ "Type": "Task", "Resource": resource, "Parameters": {}, "End": true });
        let machine = asl::Machine::parse_state(&state.to_string()).unwrap();
        let (_, resource) = machine.resources()[0];
        let served = |service: &str, operation: &str| {
            (service == "states").then(|| crate::api::SERVICE.operation(operation)).flatten()
        };
        [Strictness::Required, Strictness::Nothing].map(|how| {
            misfit(resource, &served, how, result)
                .map(|why| why.replace("Mock result schema validation error: ", ""))
        })
    }

    fn said(why: &str) -> [Option<String>; 2] {
        [Some(why.to_owned()), Some(why.to_owned())]
    }

    #[test]
    fn what_the_model_requires_must_be_there_if_asked_for() {
        let missing = [Some("Required field 'ExecutionArn' is missing".to_owned()), None];
        for resource in
            ["arn:aws:states:::states:startExecution", "arn:aws:states:::aws-sdk:sfn:startExecution"]
        {
            assert_eq!(found(resource, &json!({ "Other": 1 })), missing);
        }
        let whole = json!({ "ExecutionArn": "a", "StartDate": "2026-01-01T00:00:00Z", "Other": 1 });
        assert_eq!(found("arn:aws:states:::aws-sdk:sfn:startExecution", &whole), [None, None]);
    }

    #[test]
    fn what_is_there_must_be_of_its_type() {
        let sdk = "arn:aws:states:::aws-sdk:sfn:describeStateMachine";
        let base = json!({ "StateMachineArn": "a", "Name": "n", "Definition": "{}", "RoleArn": "r",
            "Type": "STANDARD", "CreationDate": "2026-01-01T00:00:00Z" });
        assert_eq!(found(sdk, &base), [None, None]);
        for (name, value, why) in [
            ("Name", json!(1), "Field 'Name' must be a string"),
            ("CreationDate", json!(1), "Field 'CreationDate' must be a string"),
            ("Type", json!("OTHER"), "Field 'Type' is not an expected value"),
            ("LoggingConfiguration", json!([]), "Field 'LoggingConfiguration' must be an object"),
            ("LoggingConfiguration", json!({ "Destinations": {} }), "Field 'Destinations' must be an array"),
            (
                "LoggingConfiguration",
                json!({ "IncludeExecutionData": "x" }),
                "Field 'IncludeExecutionData' must be a boolean",
            ),
            ("VariableReferences", json!({ "a": [1] }), "Field 'VariableReferences' must be a string"),
        ] {
            let mut result = base.clone();
            result[name] = value;
            assert_eq!(found(sdk, &result), said(why));
        }
        assert_eq!(
            found(sdk, &json!([])),
            [(); 2].map(|()| Some("Mocked result must be a JSON object.".into()))
        );
    }

    #[test]
    fn the_result_of_a_nested_execution_is_its_description() {
        let described = json!({ "ExecutionArn": "a", "StateMachineArn": "m", "StartDate": 1, "Status": "SUCCEEDED",
            "Output": { "n": 1 } });
        let sync = "arn:aws:states:::states:startExecution.sync";
        assert_eq!(found(&format!("{sync}:2"), &described), [None, None]);
        assert_eq!(found(sync, &described), said("Field 'Output' must be a string"));
        assert_eq!(found("arn:aws:states:::states:startExecution.waitForTaskToken", &json!(1)), [None, None]);
    }
}
