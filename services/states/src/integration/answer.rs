//! The outcome of a call as the machine's result or error.

use asl::Resource;
use base::Fault;
use base::schema::Protocol;
use kernel::Outcome;
use serde_json::{Map, Value};

use super::table::Integration;
use super::{Schema, http, sdk, shape, table};

/// What a call's outcome means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Succeeded(Value),
    Failed { error: String, cause: String },
}

impl Answer {
    pub(super) fn failed(error: impl Into<String>, cause: impl Into<String>) -> Answer {
        Answer::Failed { error: error.into(), cause: cause.into() }
    }
}

/// What the outcome of the call for `resource` means. `schema` is that of an SDK integration's operation, `request_id`
/// names the call.
pub(crate) fn answer(resource: &Resource, schema: Schema, outcome: Outcome, request_id: &str) -> Answer {
    let output = match outcome {
        Outcome::Failed(fault) => return failed(resource, schema, &fault, request_id),
        Outcome::Succeeded(text) => serde_json::from_str(&text).unwrap_or_default(),
    };
    match resource {
        Resource::LambdaArn(_) => invoked(output, None),
        Resource::Integration { service, action, .. } => {
            let members = if let Value::Object(members) = output { members } else { Map::new() };
            match service.as_str() {
                "http" => http::answered(Value::Object(members)),
                "lambda" => invoked(Value::Object(members), Some(request_id)),
                "events" => published(shape::dressed(members, 200, request_id)),
                "states" => Answer::Succeeded(started(members, request_id)),
                _ => match table::optimised(service, action) {
                    Some(_) => Answer::Succeeded(shape::dressed(members, 200, request_id)),
                    None => Answer::failed("States.Runtime", "The integration is not served by Buswork."),
                },
            }
        }
        Resource::AwsSdk { service, action, .. } => match sdk::client(service) {
            Some(client) => Answer::Succeeded(sdk::output(schema, client, action, output)),
            None => Answer::Succeeded(output),
        },
        Resource::Activity(_) => Answer::Succeeded(output),
    }
}

/// The answer of `Invoke`: for a direct ARN the payload, for `lambda:invoke` the whole answer.
fn invoked(mut output: Value, request_id: Option<&str>) -> Answer {
    let text = output.get("Payload").map(shape::unblob).unwrap_or_default();
    let payload = match serde_json::from_str::<Value>(&text) {
        Ok(payload) => Some(payload),
        Err(_) if text.is_empty() => None,
        Err(_) => Some(Value::String(text.clone())),
    };
    if output.get("FunctionError").is_some_and(|error| !error.is_null()) {
        let name = payload.as_ref().and_then(|payload| payload.get("errorType")).and_then(Value::as_str);
        return Answer::failed(name.unwrap_or("Lambda.Unknown"), text);
    }
    let Some(request_id) = request_id else { return Answer::Succeeded(payload.unwrap_or_default()) };
    let status =
        output.get("StatusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let Some(members) = output.as_object_mut() else { return Answer::Succeeded(output) };
    match payload {
        Some(payload) => members.insert("Payload".to_owned(), payload),
        None => members.remove("Payload"),
    };
    // The log is the caller's if he asks for it; the integration does not pass `LogType`.
    members.remove("LogResult");
    Answer::Succeeded(shape::dressed(std::mem::take(members), status.unwrap_or(200), request_id))
}

/// The answer of `PutEvents`: one entry that failed fails the task.
fn published(output: Value) -> Answer {
    if output.get("FailedEntryCount").and_then(Value::as_u64).unwrap_or_default() > 0 {
        return Answer::failed("EventBridge.FailedEntry", output.to_string());
    }
    Answer::Succeeded(output)
}

/// The answer of `StartExecution`, its members named as tasks see them; the time stays seconds.
pub(super) fn started(members: Map<String, Value>, request_id: &str) -> Value {
    let named = members.into_iter().map(|(name, value)| (sdk::operation(&name), value)).collect();
    shape::dressed(named, 200, request_id)
}

/// What a call's failure is to the machine.
pub(super) fn failed(resource: &Resource, schema: Schema, fault: &Fault, request_id: &str) -> Answer {
    match resource {
        Resource::Integration { service, .. } if service == "http" => http::failed(fault),
        Resource::LambdaArn(_) => match table::optimised("lambda", "invoke") {
            Some(lambda) => of_integration(lambda, schema, fault, request_id),
            None => Answer::failed("Lambda.AWSLambdaException", fault.message.clone()),
        },
        Resource::Integration { service, action, .. } => match table::optimised(service, action) {
            Some(integration) => of_integration(integration, schema, fault, request_id),
            None => Answer::failed("States.Runtime", fault.to_string()),
        },
        Resource::AwsSdk { service, .. } => {
            let prefix = sdk::client(service).map_or("Sdk", |client| client.prefix);
            let name = modelled(schema, fault).map_or_else(|| format!("{prefix}Exception"), class_of);
            let cause = format!(
                "{} (Service: {prefix}, Status Code: {}, Request ID: {request_id})",
                fault.message, fault.status
            );
            Answer::failed(format!("{prefix}.{name}"), cause)
        }
        Resource::Activity(_) => Answer::failed(&*fault.code, fault.message.clone()),
    }
}

/// The name of an error in its service's model, if it has one there.
fn modelled(schema: Schema, fault: &Fault) -> Option<&str> {
    match schema.map(|operation| operation.service) {
        // The house's own: no service has it, and a loop must be told by its name.
        Some(_) if fault.code == "RecursiveInvocationException" => Some(&*fault.code),
        Some(service) if !service.errors.is_empty() => service.error(&fault.code).map(|error| error.name),
        _ => Some(&*fault.code).filter(|_| is_modelled(fault)),
    }
}

fn of_integration(integration: &Integration, schema: Schema, fault: &Fault, request_id: &str) -> Answer {
    let Integration { error_prefix, error_generic, client, .. } = integration;
    let name = modelled(schema, fault).map_or_else(|| (*error_generic).to_owned(), class_of);
    let service = schema.map(|operation| operation.service);
    // The code as it travels, which differs from the error's name where the protocol is that of queries.
    let travels = service.filter(|service| service.protocols.contains(&Protocol::Query));
    let code = travels.and_then(|service| service.error(&fault.code)).map(|error| error.query_code);
    let cause = format!(
        "{} (Service: {client}; Status Code: {}; Error Code: {}; Request ID: {request_id}; Proxy: null)",
        fault.message,
        fault.status,
        code.unwrap_or(&fault.code)
    );
    Answer::failed(format!("{error_prefix}.{name}"), cause)
}

/// Whether an error is one of its service's model, as far as its name tells: SDKs throw the service's general exception
/// for any other.
fn is_modelled(fault: &Fault) -> bool {
    let general = [
        "ValidationException",
        "ValidationError",
        "SerializationException",
        "AccessDeniedException",
        "NotImplementedException",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
    ];
    !general.contains(&&*fault.code)
}

/// The class that an SDK throws for an error code.
fn class_of(code: &str) -> String {
    if code.ends_with("Exception") { code.to_owned() } else { format!("{code}Exception") }
}

#[cfg(test)]
mod tests {
    use asl::Pattern;
    use serde_json::json;

    use super::*;

    fn integration(service: &str, action: &str) -> Resource {
        let pattern = Pattern::RequestResponse;
        Resource::Integration { service: service.into(), action: action.into(), pattern }
    }

    fn sdk(service: &str, action: &str) -> Resource {
        let pattern = Pattern::RequestResponse;
        Resource::AwsSdk { service: service.into(), action: action.into(), pattern }
    }

    fn shown(resource: &Resource, outcome: Outcome) -> String {
        let schema = match resource {
            Resource::AwsSdk { service, action, .. } if service == "sfn" => {
                crate::api::SERVICE.operation(&sdk::operation(action))
            }
            _ => None,
        };
        match answer(resource, schema, outcome, "r") {
            Answer::Succeeded(mut value) => {
                if let Some(members) = value.as_object_mut() {
                    let metadata = members.remove("SdkHttpMetadata");
                    assert_eq!(members.remove("SdkResponseMetadata").is_some(), metadata.is_some());
                }
                value.to_string()
            }
            Answer::Failed { error, cause } => format!("{error}: {cause}"),
        }
    }

    fn check(resource: &Resource, output: &Value, expected: &str) {
        assert_eq!(shown(resource, Outcome::Succeeded(output.to_string())), expected);
    }

    fn check_fault(resource: &Resource, fault: Fault, expected: &str) {
        assert_eq!(shown(resource, Outcome::Failed(fault)), expected);
    }

    #[test]
    fn functions() {
        let direct = Resource::LambdaArn("arn".into());
        let invoke = integration("lambda", "invoke");
        let payload = |text: &str| json!({ "StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": shape::blob(text) });
        check(&direct, &payload(r#"{"a":1}"#), r#"{"a":1}"#);
        check(&direct, &payload("null"), "null");
        check(&invoke, &payload("[2]"), r#"{"ExecutedVersion":"$LATEST","Payload":[2],"StatusCode":200}"#);
        check(&invoke, &json!({ "StatusCode": 202, "Payload": "" }), r#"{"StatusCode":202}"#);
        let mut failed = payload(r#"{"errorMessage":"boom","errorType":"MyError","trace":[]}"#);
        failed["FunctionError"] = json!("Unhandled");
        let expected = r#"MyError: {"errorMessage":"boom","errorType":"MyError","trace":[]}"#;
        check(&direct, &failed, expected);
        check(&invoke, &failed, expected);
        let mut odd = payload(r#"{"errorMessage":"late"}"#);
        odd["FunctionError"] = json!("Unhandled");
        check(&direct, &odd, r#"Lambda.Unknown: {"errorMessage":"late"}"#);
    }

    #[test]
    fn faults_have_the_names_of_the_sdks() {
        let direct = Resource::LambdaArn("arn".into());
        check_fault(
            &direct,
            Fault::new("TooManyRequestsException", "Rate Exceeded.").with_status(429),
            "Lambda.TooManyRequestsException: Rate Exceeded. (Service: AWSLambda; Status Code: 429; \
             Error Code: TooManyRequestsException; Request ID: r; Proxy: null)",
        );
        check_fault(
            &integration("dynamodb", "putItem"),
            Fault::new("ConditionalCheckFailedException", "The conditional request failed"),
            "DynamoDB.ConditionalCheckFailedException: The conditional request failed (Service: AmazonDynamoDBv2; \
             Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: r; Proxy: null)",
        );
        check_fault(
            &integration("dynamodb", "putItem"),
            Fault::validation("no"),
            "DynamoDB.AmazonDynamoDBException: no (Service: AmazonDynamoDBv2; Status Code: 400; \
             Error Code: ValidationException; Request ID: r; Proxy: null)",
        );
        check_fault(
            &sdk("sqs", "sendMessage"),
            Fault::new("QueueDoesNotExist", "gone"),
            "Sqs.QueueDoesNotExistException: gone (Service: Sqs, Status Code: 400, Request ID: r)",
        );
        check_fault(
            &sdk("dynamodb", "putItem"),
            Fault::validation("no"),
            "DynamoDb.DynamoDbException: no (Service: DynamoDb, Status Code: 400, Request ID: r)",
        );
        check_fault(
            &sdk("sfn", "startExecution"),
            Fault::new("ExecutionAlreadyExists", "twice"),
            "Sfn.ExecutionAlreadyExistsException: twice (Service: Sfn, Status Code: 400, Request ID: r)",
        );
        check_fault(
            &sdk("sfn", "startExecution"),
            Fault::new("ThrottledByNobody", "odd"),
            "Sfn.SfnException: odd (Service: Sfn, Status Code: 400, Request ID: r)",
        );
    }

    #[test]
    fn what_a_services_model_does_not_name_has_its_general_name() {
        let resource = integration("states", "startExecution");
        let schema = crate::api::SERVICE.operation("StartExecution");
        for (code, expected) in [
            ("ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"),
            ("MissingParameter", "StepFunctions.AWSStepFunctionsException"),
            ("RecursiveInvocationException", "StepFunctions.RecursiveInvocationException"),
        ] {
            let outcome = Outcome::Failed(Fault::new(code, "m"));
            let Answer::Failed { error, .. } = answer(&resource, schema, outcome, "r") else {
                panic!("{code} is a failure");
            };
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn other_answers() {
        check(&integration("sqs", "sendMessage"), &json!({ "MessageId": "m" }), r#"{"MessageId":"m"}"#);
        check(&sdk("sqs", "sendMessage"), &json!({ "MessageId": "m" }), r#"{"MessageId":"m"}"#);
        let failed = json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "X" }] });
        let shown = shown(&integration("events", "putEvents"), Outcome::Succeeded(failed.to_string()));
        assert!(
            shown.starts_with(
                r#"EventBridge.FailedEntry: {"Entries":[{"ErrorCode":"X"}],"FailedEntryCount":1"#
            )
        );
        check(
            &sdk("sfn", "listExecutions"),
            &json!({ "executions": [{ "executionArn": "a", "startDate": 1.5 }] }),
            r#"{"Executions":[{"ExecutionArn":"a","StartDate":"1970-01-01T00:00:01.500Z"}]}"#,
        );
    }
}
