//! Universal targets: any operation that the router serves, named as the SDKs name it.
//!
//! Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html>

use base::schema::{Blob, Kind, Shape};
use base::{Arn, Fault};
use kernel::Kernel;
use serde_json::{Map, Value};

use crate::fault;

/// An operation of an API.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub service: SdkService,
    pub operation: String,
}

/// A service as the SDKs name it, and as it signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SdkService {
    pub name: &'static str,
    pub signing: &'static str,
}

const fn service(name: &'static str, signing: &'static str) -> SdkService {
    SdkService { name, signing }
}

/// The services that Buswork may serve.
const SERVICES: &[SdkService] = &[
    service("appsync", "appsync"),
    service("cloudformation", "cloudformation"),
    service("cloudwatchlogs", "logs"),
    service("cognitoidentityprovider", "cognito-idp"),
    service("dynamodb", "dynamodb"),
    service("eventbridge", "events"),
    service("iam", "iam"),
    service("lambda", "lambda"),
    service("pipes", "pipes"),
    service("resourcegroupstaggingapi", "tagging"),
    service("s3", "s3"),
    service("scheduler", "scheduler"),
    service("schemas", "schemas"),
    service("secretsmanager", "secretsmanager"),
    service("sfn", "states"),
    service("sns", "sns"),
    service("sqs", "sqs"),
    service("ssm", "ssm"),
    service("sts", "sts"),
];

/// What operations that only read begin with; Scheduler does not call them.
const READ_ONLY: &[&str] = &[
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "lookup",
    "discover",
    "validate",
    "batchGet",
    "batchDescribe",
    "batchRead",
    "transactGet",
    "adminGet",
    "adminList",
    "testMigration",
    "retrieve",
    "testConnection",
    "translateDocument",
    "isAuthorized",
    "invokeModel",
];

/// Whether an operation, as the SDKs write it, only reads: one of the prefixes, and then a new word or nothing.
pub(crate) fn is_read_only(action: &str) -> bool {
    let follows = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_lowercase());
    READ_ONLY.iter().any(|prefix| action.strip_prefix(prefix).is_some_and(follows))
}

impl Api {
    /// From `arn:aws:scheduler:::aws-sdk:service:operation`.
    pub(crate) fn parse(arn: &Arn) -> Result<Api, Fault> {
        let invalid =
            || fault::invalid(format!("{arn} is not a valid universal target: it names no API of AWS."));
        let names = arn.resource.strip_prefix("aws-sdk:").and_then(|names| names.split_once(':'));
        let (service, action) = names.ok_or_else(invalid)?;
        if !action.starts_with(|c: char| c.is_ascii_lowercase())
            || !action.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Err(invalid());
        }
        if is_read_only(action) {
            let why =
                format!("{service}:{action} is not supported as a universal target: it is a read-only API.");
            return Err(fault::invalid(why));
        }
        let known = SERVICES.iter().find(|known| known.name == service);
        let service =
            known.ok_or_else(|| fault::not_honoured(&format!("{service} as a universal target")))?;
        let (first, rest) = action.split_at(1);
        Ok(Api { service: *service, operation: first.to_ascii_uppercase() + rest })
    }

    /// Refuses what AWS does not have, and what is not served here.
    pub(crate) fn check(&self, kernel: &Kernel) -> Result<(), Fault> {
        let Api { service, operation } = self;
        if kernel.serves(service.signing, operation) {
            return Ok(());
        }
        let schema = kernel.schemas().find(|schema| schema.signing_name == service.signing);
        if schema.is_some_and(|schema| !schema.knows(operation)) {
            return Err(fault::invalid(format!("{operation} is no API of {}.", service.name)));
        }
        Err(fault::not_honoured(&format!("{}:{operation}", service.signing)))
    }
}

/// A document as users write it, in the form that the router takes: members under their modelled names whatever the
/// case of their first letter, bytes in base64 where they are given as text.
pub(crate) fn canonical(shape: &Shape, value: Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(given)) => {
            let rename = |(name, value): (String, Value)| {
                let same = |modelled: &str| modelled == name || differs_in_first_case(modelled, &name);
                match members.iter().find(|member| same(member.name)) {
                    Some(member) => (member.name.to_owned(), canonical(member.shape, value)),
                    None => (name, value),
                }
            };
            Value::Object(given.into_iter().map(rename).collect::<Map<_, _>>())
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| canonical(member, item)).collect())
        }
        (Kind::Map { value: shape, .. }, Value::Object(given)) => {
            let entry = |(name, value): (String, Value)| (name, canonical(shape, value));
            Value::Object(given.into_iter().map(entry).collect::<Map<_, _>>())
        }
        (Kind::Blob(_), Value::String(text)) => Value::String(Blob::from(text.into_bytes()).to_base64()),
        (_, value) => value,
    }
}

fn differs_in_first_case(one: &str, other: &str) -> bool {
    let (mut a, mut b) = (one.chars(), other.chars());
    let first = a.next().zip(b.next()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(&b));
    first && a.as_str() == b.as_str()
}

#[cfg(test)]
mod tests {
    use base::schema::{Bounds, Location, Member};
    use serde_json::json;

    use super::*;

    const ANY: Bounds<u64> = Bounds { min: None, max: None };
    static TEXT: Shape = Shape::new("Text", Kind::String { length: ANY, pattern: None, values: &[] });
    static BYTES: Shape = Shape::new("Bytes", Kind::Blob(ANY));
    static TEXTS: Shape =
        Shape::new("Texts", Kind::List { member: &INNER, element: None, flattened: false, length: ANY });
    static INNER: Shape =
        Shape::new("Inner", Kind::Structure { members: &[member("logGroupName", &TEXT)], union: false });
    static INPUT: Shape = Shape::new(
        "Input",
        Kind::Structure { members: &[member("Payload", &BYTES), member("items", &TEXTS)], union: false },
    );

    const fn member(name: &'static str, shape: &'static Shape) -> Member {
        Member {
            name,
            location_name: None,
            location: Location::Body,
            required: false,
            shape,
            flattened: false,
            xml_attribute: false,
            idempotency_token: false,
        }
    }

    #[test]
    fn documents_become_canonical() {
        let given = json!({ "payload": "{}", "Items": [{ "LogGroupName": "g" }], "Other": 1 });
        let expected = json!({ "Payload": "e30=", "items": [{ "logGroupName": "g" }], "Other": 1 });
        assert_eq!(canonical(&INPUT, given), expected);
    }

    #[test]
    fn reading_begins_with_a_word() {
        for (action, reads) in
            [("getItem", true), ("get", true), ("getaway", false), ("putItem", false), ("readPipeline", true)]
        {
            assert_eq!(is_read_only(action), reads, "{action}");
        }
    }
}
