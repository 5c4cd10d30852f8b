//! SDK integrations: any operation of a service that the router serves, its parameters as they are.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>

use serde_json::Value;

use super::{Schema, cased, shape};

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
    service("cloudwatchlogs", "logs", "CloudWatchLogs"),
    service("cognitoidentityprovider", "cognito-idp", "CognitoIdentityProvider"),
    service("dynamodb", "dynamodb", "DynamoDb"),
    service("dynamodbstreams", "dynamodbstreams", "DynamoDbStreams"),
    service("eventbridge", "events", "EventBridge"),
    service("iam", "iam", "Iam"),
    service("kms", "kms", "Kms"),
    service("lambda", "lambda", "Lambda"),
    service("pipes", "pipes", "Pipes"),
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

/// The call's document. `schema` is the service's, if it has one.
pub(super) fn input(schema: Schema, client: &Client, action: &str, parameters: &Value) -> Value {
    let operation = schema.and_then(|schema| schema.operation(&operation(action)));
    let mut input =
        operation.map_or_else(|| parameters.clone(), |operation| cased::to_api(operation, parameters));
    if client.signing == "lambda"
        && action == "invoke"
        && let Some(payload) = input.get_mut("Payload")
    {
        shape::stringify(payload);
        *payload = shape::blob(payload.as_str().unwrap_or_default()).into();
    }
    input
}

/// The task's result.
pub(super) fn output(schema: Schema, client: &Client, action: &str, answer: Value) -> Value {
    let operation = schema.and_then(|schema| schema.operation(&operation(action)));
    let mut output = match operation {
        Some(operation) => cased::from_api(operation, answer),
        None => answer,
    };
    if client.signing == "lambda"
        && action == "invoke"
        && let Some(payload) = output.get_mut("Payload")
    {
        *payload = shape::unblob(payload).into();
    }
    output
}
