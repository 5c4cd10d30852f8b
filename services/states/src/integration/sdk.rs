//! SDK integrations: any operation of a service that the router serves, its parameters as they are.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>

use serde_json::Value;

use super::{Refused, Schema, cased, shape};

/// A service as SDK integrations know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// In resource ARNs.
    pub name: &'static str,
    /// For the router.
    pub signing: &'static str,
    /// In front of its errors' names and in causes.
    pub prefix: &'static str,
}

const fn service(name: &'static str, signing: &'static str, prefix: &'static str) -> Client {
    Client { name, signing, prefix }
}

/// The services that Buswork may serve: their names and their errors' prefixes are those of the SDK for Java.
const CLIENTS: &[Client] = &[
    service("appsync", "appsync", "AppSync"),
    service("cloudformation", "cloudformation", "CloudFormation"),
    service("cloudtrail", "cloudtrail", "CloudTrail"),
    service("cloudwatchlogs", "logs", "CloudWatchLogs"),
    service("cognitoidentityprovider", "cognito-idp", "CognitoIdentityProvider"),
    service("dynamodb", "dynamodb", "DynamoDb"),
    service("dynamodbstreams", "dynamodbstreams", "DynamoDbStreams"),
    service("ecr", "ecr", "Ecr"),
    service("eventbridge", "events", "EventBridge"),
    service("iam", "iam", "Iam"),
    service("kms", "kms", "Kms"),
    service("lambda", "lambda", "Lambda"),
    service("pipes", "pipes", "Pipes"),
    service("resourcegroupstaggingapi", "tagging", "ResourceGroupsTaggingApi"),
    service("s3", "s3", "S3"),
    service("scheduler", "scheduler", "Scheduler"),
    service("schemas", "schemas", "Schemas"),
    service("secretsmanager", "secretsmanager", "SecretsManager"),
    service("sfn", "states", "Sfn"),
    service("sns", "sns", "Sns"),
    service("sqs", "sqs", "Sqs"),
    service("ssm", "ssm", "Ssm"),
    service("sts", "sts", "Sts"),
];

pub(super) fn client(name: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.name == name)
}

/// The operation of an action: `getItem` is `GetItem`.
pub(super) fn operation(action: &str) -> String {
    shape::with_first(action, |c| c.to_ascii_uppercase())
}

/// Is this member the content of something, which is text to a state machine? JSON in its place becomes text.
fn is_content(client: &Client, action: &str, name: &str) -> bool {
    match client.signing {
        "lambda" => action == "invoke" && name == "Payload",
        "s3" => name == "Body",
        _ => false,
    }
}

/// The call's document. `schema` is the operation's, if it has one.
pub(super) fn input(
    schema: Schema,
    client: &Client,
    action: &str,
    parameters: &Value,
) -> Result<Value, Refused> {
    let mut input = match schema {
        Some(operation) => cased::to_api(operation, parameters)?,
        None => parameters.clone(),
    };
    for (name, value) in input.as_object_mut().into_iter().flatten() {
        if is_content(client, action, name) {
            shape::stringify(value);
            *value = shape::blob(value.as_str().unwrap_or_default()).into();
        }
    }
    Ok(input)
}

/// The task's result.
pub(super) fn output(schema: Schema, client: &Client, action: &str, answer: Value) -> Value {
    let mut output = match schema {
        Some(operation) => cased::from_api(operation, answer),
        None => answer,
    };
    for (name, value) in output.as_object_mut().into_iter().flatten() {
        if is_content(client, action, name) {
            *value = shape::unblob(value).into();
        }
    }
    output
}
