//! SDK integrations: any operation of a service that the router serves, its parameters as they are.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>

use serde_json::Value;

use super::shape;

/// A service as SDK integrations know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// In resource ARNs.
    pub name: &'static str,
    /// For the router.
    pub signing: &'static str,
    /// In front of its errors' names and in causes.
    pub prefix: &'static str,
    /// Whether its API's members begin with small letters; parameters and results never do.
    pub camel: bool,
}

const fn service(name: &'static str, signing: &'static str, prefix: &'static str) -> Client {
    Client { name, signing, prefix, camel: false }
}

/// The services that Buswork may serve.
const CLIENTS: &[Client] = &[
    service("cloudformation", "cloudformation", "CloudFormation"),
    Client { camel: true, ..service("cloudwatchlogs", "logs", "CloudWatchLogs") },
    service("cognitoidentityprovider", "cognito-idp", "CognitoIdentityProvider"),
    service("dynamodb", "dynamodb", "DynamoDb"),
    service("eventbridge", "events", "EventBridge"),
    service("iam", "iam", "Iam"),
    service("lambda", "lambda", "Lambda"),
    service("pipes", "pipes", "Pipes"),
    service("s3", "s3", "S3"),
    service("scheduler", "scheduler", "Scheduler"),
    service("schemas", "schemas", "Schemas"),
    Client { camel: true, ..service("sfn", "states", "Sfn") },
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

/// The call's document.
pub(super) fn input(client: &Client, action: &str, parameters: &Value) -> Value {
    let mut input = if client.camel { shape::camel(parameters.clone()) } else { parameters.clone() };
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
pub(super) fn output(client: &Client, action: &str, answer: Value) -> Value {
    let mut output = if client.camel { shape::pascal(answer) } else { answer };
    if client.signing == "lambda"
        && action == "invoke"
        && let Some(payload) = output.get_mut("Payload")
    {
        *payload = shape::unblob(payload).into();
    }
    output
}
