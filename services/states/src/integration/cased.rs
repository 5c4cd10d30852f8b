//! The names of an SDK integration's members: those of the SDK for Java outside, the API's own spelling inside.
//!
//! Only members that the schema knows are renamed: the keys of maps are the user's.

use base::schema::{Kind, Member, OperationSchema, Shape};
use serde_json::{Map, Value};

use super::Refused;
use super::shape::iso;

/// Parameters as the operation's document.
///
/// # Errors
/// A member that the operation does not have, or one that it cannot do without.
pub(super) fn to_api(operation: &OperationSchema, parameters: &Value) -> Result<Value, Refused> {
    inward(operation.input, parameters).map_err(|why| Refused::parameters(parameters, &why))
}

/// The operation's answer as a task's result: names are those of the SDK for Java, times are text.
pub(super) fn from_api(operation: &OperationSchema, answer: Value) -> Value {
    outward(operation.output, answer)
}

/// What is wrong with the names of an operation's parameters, each problem in AWS's words.
pub(super) fn names_that_do_not_fit(operation: &OperationSchema, names: &[&str]) -> Vec<String> {
    let Kind::Structure { members, .. } = operation.input.kind else { return Vec::new() };
    let there = |member: &Member| {
        names.iter().any(|name| find(members, name).is_some_and(|found| std::ptr::eq(found, member)))
    };
    let missing = members.iter().filter(|member| member.required && !there(member));
    let unknown = names.iter().filter(|name| find(members, name).is_none());
    missing
        .map(|member| is_missing(&sdk_name(member.name)))
        .chain(unknown.map(|name| is_unknown(name)))
        .collect()
}

/// The message for a member that must be there.
pub(super) fn is_missing(name: &str) -> String {
    format!("The field '{name}' is required but was missing")
}

/// The message for a member that nobody knows.
pub(super) fn is_unknown(name: &str) -> String {
    format!("The field '{name}' is not supported by Step Functions")
}

fn inward(shape: &Shape, value: &Value) -> Result<Value, String> {
    Ok(match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(given)) => {
            let mut document = Map::with_capacity(given.len());
            for (name, value) in given {
                let member = find(members, name).ok_or_else(|| is_unknown(name))?;
                document.insert(member.name.to_owned(), inward(member.shape, value)?);
            }
            let missing = |member: &&Member| member.required && !document.contains_key(member.name);
            if let Some(member) = members.iter().find(missing) {
                return Err(is_missing(&sdk_name(member.name)));
            }
            Value::Object(document)
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            items.iter().map(|item| inward(member, item)).collect::<Result<_, _>>()?
        }
        (Kind::Map { value: shape, .. }, Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| Ok((key.clone(), inward(shape, value)?));
            Value::Object(entries.iter().map(entry).collect::<Result<_, String>>()?)
        }
        _ => value.clone(),
    })
}

/// The member of that name: the API's own, or the SDK's, where capitals do not count.
fn find(members: &'static [Member], name: &str) -> Option<&'static Member> {
    let own = |member: &&Member| member.name == name;
    let of_sdk = |member: &&Member| {
        member.name.eq_ignore_ascii_case(name) || sdk_name(member.name).eq_ignore_ascii_case(name)
    };
    members.iter().find(own).or_else(|| members.iter().find(of_sdk))
}

/// A member's name in the SDK for Java, with a capital: an acronym that it begins with goes on in small letters, as in
/// `Md5OfBody`, `KmsMasterKeyID`, `Arn`. `NULL` is `Nul`.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>
pub(super) fn sdk_name(name: &str) -> String {
    if name == "NULL" {
        return "Nul".to_owned();
    }
    let mut named = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    named.extend(chars.next().map(|first| first.to_ascii_uppercase()));
    while let Some(char) = chars.next_if(char::is_ascii_uppercase) {
        if chars.peek().is_some_and(char::is_ascii_lowercase) {
            named.push(char);
            break;
        }
        named.push(char.to_ascii_lowercase());
    }
    named.extend(chars);
    named
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
                (sdk_name(&name), value)
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
            "LoggingConfiguration": { "IncludeExecutionData": true }, "Definition": "{}" });
        let expected = json!({ "name": "m", "roleArn": "r", "tags": [{ "key": "K", "value": "V" }],
            "loggingConfiguration": { "includeExecutionData": true }, "definition": "{}" });
        assert_eq!(to_api(operation("CreateStateMachine"), &given), Ok(expected));
    }

    #[test]
    fn what_an_operation_does_not_have_or_cannot_do_without_is_refused() {
        let operation = operation("StartExecution");
        for (given, why) in [
            (json!({}), "The field 'StateMachineArn' is required but was missing"),
            (
                json!({ "StateMachineArn": "a", "Nope": 1 }),
                "The field 'Nope' is not supported by Step Functions",
            ),
        ] {
            assert_eq!(to_api(operation, &given), Err(Refused::parameters(&given, why)));
            let names: Vec<&str> = given.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names_that_do_not_fit(operation, &names), [why]);
        }
        assert_eq!(names_that_do_not_fit(operation, &["StateMachineArn", "Input"]), [""; 0]);
    }

    #[test]
    fn names_are_those_of_the_sdk() {
        for (name, expected) in [
            ("ARN", "Arn"),
            ("TableName", "TableName"),
            ("MD5OfBody", "Md5OfBody"),
            ("MD5OfMessageAttributes", "Md5OfMessageAttributes"),
            ("AWSAccountId", "AwsAccountId"),
            ("DBInstanceIdentifier", "DbInstanceIdentifier"),
            ("KMSMasterKeyID", "KmsMasterKeyID"),
            ("SSEKMSKeyId", "SsekmsKeyId"),
            ("billedMemoryUsedInMB", "BilledMemoryUsedInMB"),
            ("ETag", "ETag"),
            ("nextToken", "NextToken"),
            ("BOOL", "Bool"),
            ("NULL", "Nul"),
            ("SS", "Ss"),
            ("S", "S"),
            ("S3Bucket", "S3Bucket"),
        ] {
            assert_eq!(sdk_name(name), expected);
        }
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
