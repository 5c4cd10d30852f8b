//! The names of an SDK integration's members: capitals outside, the API's own spelling inside.
//!
//! Only members that the schema knows are renamed: the keys of maps are the user's.

use base::schema::{Kind, Member, OperationSchema, Shape};
use serde_json::{Map, Value};

use super::shape::{iso, with_first};

/// Parameters as the operation's document.
pub(super) fn to_api(operation: &OperationSchema, parameters: &Value) -> Value {
    inward(operation.input, parameters)
}

/// The operation's answer as a task's result: names begin with a capital, times are text.
pub(super) fn from_api(operation: &OperationSchema, answer: Value) -> Value {
    outward(operation.output, answer)
}

fn inward(shape: &Shape, value: &Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(given)) => {
            let member = |(name, value): (&String, &Value)| match find(members, name) {
                Some(member) => (member.name.to_owned(), inward(member.shape, value)),
                None => (name.clone(), value.clone()),
            };
            Value::Object(given.iter().map(member).collect())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            items.iter().map(|item| inward(member, item)).collect()
        }
        (Kind::Map { value: shape, .. }, Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| (key.clone(), inward(shape, value));
            Value::Object(entries.iter().map(entry).collect())
        }
        _ => value.clone(),
    }
}

/// The member of that name. SDKs spell some otherwise (`Bool` for `BOOL`), so that capitals do not count.
fn find(members: &'static [Member], name: &str) -> Option<&'static Member> {
    let same = |member: &&Member| member.name == name;
    members.iter().find(same).or_else(|| members.iter().find(|member| member.name.eq_ignore_ascii_case(name)))
}

fn outward(shape: &Shape, value: Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(given)) => {
            let member = |(name, value): (String, Value)| {
                let shape = members.iter().find(|member| member.name == name).map(|member| member.shape);
                let value = match shape {
                    Some(shape) => outward(shape, value),
                    None => value,
                };
                (with_first(&name, |c| c.to_ascii_uppercase()), value)
            };
            Value::Object(given.into_iter().map(member).collect::<Map<_, _>>())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            items.into_iter().map(|item| outward(member, item)).collect()
        }
        (Kind::Map { value: shape, .. }, Value::Object(entries)) => {
            let entry = |(key, value): (String, Value)| (key, outward(shape, value));
            Value::Object(entries.into_iter().map(entry).collect())
        }
        (Kind::Timestamp(_), value) => value.as_f64().and_then(iso).unwrap_or(value),
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(name: &str) -> &'static OperationSchema {
        crate::api::SERVICE.operation(name).unwrap()
    }

    #[test]
    fn parameters_become_documents() {
        let given = json!({ "Name": "m", "RoleArn": "r", "Tags": [{ "Key": "K", "Value": "V" }],
            "LoggingConfiguration": { "IncludeExecutionData": true }, "Nonsense": { "A": 1 } });
        let expected = json!({ "name": "m", "roleArn": "r", "tags": [{ "key": "K", "value": "V" }],
            "loggingConfiguration": { "includeExecutionData": true }, "Nonsense": { "A": 1 } });
        assert_eq!(to_api(operation("CreateStateMachine"), &given), expected);
    }

    #[test]
    fn answers_become_results() {
        let given = json!({ "name": "m", "creationDate": 1.5, "variableReferences": { "userKey": ["v"] } });
        let expected = json!({ "Name": "m", "CreationDate": "1970-01-01T00:00:01.500Z",
            "VariableReferences": { "userKey": ["v"] } });
        assert_eq!(from_api(operation("DescribeStateMachine"), given), expected);
        let given = json!({ "executions": [{ "startDate": 7 }] });
        let expected = json!({ "Executions": [{ "StartDate": "1970-01-01T00:00:07Z" }] });
        assert_eq!(from_api(operation("ListExecutions"), given), expected);
    }
}
