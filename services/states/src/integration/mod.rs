//! What a Task state asks of other services, and what their answers mean to the machine.
//!
//! Knows services by the names and documents of the router, never by their crates. A task becomes one call
//! ([`ask`]); its outcome becomes a result or an error of the machine ([`answer`]).

mod answer;
mod cased;
mod check;
mod http;
mod mocked;
mod nested;
mod sdk;
mod shape;
mod table;

use asl::{Pattern, Resource, TaskRequest};
use base::schema::OperationSchema;
use kernel::Call;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::activity::Offer;
use crate::arn::ExecutionId;
use crate::ops::offer_activity_task::{OFFER, OfferTask};

pub(crate) use answer::{Answer, answer};
pub(crate) use check::check;
pub(crate) use mocked::{Strictness, misfit};
pub(crate) use nested::{ended, submitted};

/// Who asks: the execution, and a fresh id for what must be named.
pub(crate) struct Asker<'a> {
    pub id: &'a ExecutionId,
    pub execution_arn: String,
    pub machine_arn: String,
    pub fresh: Uuid,
    /// Of the operation that is asked for.
    pub schema: Schema,
}

/// The schema of the operation that does a task, if it is one of a service's API.
pub(crate) type Schema = Option<&'static OperationSchema>;

/// The names for the router of the service and the operation that do a task, if it is one of a service's API.
pub(crate) fn operation(resource: &Resource) -> Option<(&'static str, String)> {
    match resource {
        Resource::Integration { service, action, .. } => {
            table::optimised(service, action).map(|known| (known.signing, known.operation.to_owned()))
        }
        Resource::LambdaArn(_) => Some(("lambda", "Invoke".to_owned())),
        Resource::AwsSdk { service, action, .. } => {
            sdk::client(service).map(|client| (client.signing, sdk::operation(action)))
        }
        _ => None,
    }
}

/// The call that does a task.
#[derive(Debug)]
pub(crate) struct Asked {
    pub call: Call,
    /// What it waits for outside the store, so that one slow function delays no other.
    pub lane: Option<String>,
    /// The execution that the call starts, if the task waits for its end.
    pub child: Option<ExecutionId>,
    /// The place among the offers of an activity that the call takes.
    pub offer: Option<Place>,
}

/// Where a task waits for a worker: the name of the activity, and the offer's id.
pub(crate) type Place = (String, Uuid);

/// Why a task cannot be asked for, as the machine's error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub error: String,
    pub cause: String,
}

impl Refused {
    /// The parameters do not fit the call.
    fn parameters(parameters: &Value, why: &str) -> Refused {
        let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]");
        Refused { error: "States.Runtime".to_owned(), cause }
    }
}

/// The call that does the task that `request` describes.
pub(crate) fn ask(asker: &Asker<'_>, request: &TaskRequest) -> Result<Asked, Refused> {
    let parameters = &request.parameters;
    match &request.resource {
        Resource::LambdaArn(arn) => {
            let input = json!({
                "FunctionName": arn, "InvocationType": "RequestResponse",
                "Payload": shape::blob(&parameters.to_string()),
            });
            Ok(Asked { lane: Some(arn.clone()), ..call("lambda", "Invoke", &input)? })
        }
        Resource::Integration { service, action, pattern } => {
            if service == "http" {
                return http::ask(parameters);
            }
            let Some(integration) = table::optimised(service, action) else {
                return Err(unserved(&request.resource));
            };
            let members = integration.members(parameters)?;
            match integration.service {
                "lambda" => function(members),
                "states" => nested::start(asker, *pattern, members, request.wait_id),
                _ => {
                    let input = shape::adapt(integration, asker, members);
                    call(integration.signing, integration.operation, &input)
                }
            }
        }
        Resource::AwsSdk { service, action, .. } => {
            let Some(client) = sdk::client(service) else { return Err(unserved(&request.resource)) };
            let input = sdk::input(asker.schema, client, action, parameters)?;
            if let Some(Err(fault)) = asker.schema.map(|schema| schema.check_document(&input)) {
                let Answer::Failed { error, cause } =
                    answer::failed(&request.resource, asker.schema, &fault, &asker.fresh.to_string())
                else {
                    return Err(unserved(&request.resource));
                };
                return Err(Refused { error, cause });
            }
            call(client.signing, &sdk::operation(action), &input)
        }
        Resource::Activity(arn) => activity(asker, arn, request),
    }
}

/// The optimised `lambda:invoke`: the payload is JSON in the parameters and bytes in the call.
fn function(mut members: Map<String, Value>) -> Result<Asked, Refused> {
    let lane = members.get("FunctionName").and_then(Value::as_str).map(str::to_owned);
    let payload = members.get("Payload").map_or_else(|| "{}".to_owned(), Value::to_string);
    members.insert("Payload".to_owned(), shape::blob(&payload).into());
    Ok(Asked { lane, ..call("lambda", "Invoke", &Value::Object(members))? })
}

/// A task for workers: the call puts it before them, and one of them brings the result.
fn activity(asker: &Asker<'_>, arn: &str, request: &TaskRequest) -> Result<Asked, Refused> {
    let offer = Offer {
        token: request.task_token.clone().unwrap_or_default(),
        input: request.parameters.to_string(),
    };
    let offer = OfferTask { activity_arn: arn.to_owned(), id: asker.fresh, offer };
    let call = Call::new("states", OFFER, &offer)
        .map_err(|error| Refused::parameters(&request.parameters, &error.to_string()))?;
    let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Asked { call, lane: None, child: None, offer: Some((name, asker.fresh)) })
}

fn call(service: &str, operation: &str, input: &Value) -> Result<Asked, Refused> {
    let call = Call::new(service, operation, input)
        .map_err(|error| Refused::parameters(input, &error.to_string()))?;
    Ok(Asked { call, lane: None, child: None, offer: None })
}

/// Only a machine that was created when more was served can meet this.
fn unserved(resource: &Resource) -> Refused {
    let cause = format!(
        "The resource {}:{} is not served by Buswork.",
        resource.resource_type(),
        resource.resource_name()
    );
    Refused { error: "States.Runtime".to_owned(), cause }
}

/// Whether something else than the call's answer brings the task's result.
pub(crate) fn waits_on(resource: &Resource) -> bool {
    resource.pattern() != Pattern::RequestResponse
}
