use asl::{
    ExecutionInfo, Inspected, Inspection, Machine, Mock, Mocked, Pattern, StepContext, TaskRequest,
    TestStatus, inspect, invalid_definition_message,
};
use base::Fault;
use kernel::{Caller, Effect, Outcome, Result, Scope};
use serde_json::{Map, Value, json};

use super::create_state_machine::scope_of;
use crate::api::{
    InspectionLevel, MockResponseValidationMode, TestExecutionStatus, TestStateInput, TestStateOutput,
};
use crate::arn::{ExecutionId, check_role, machine_arn};
use crate::integration::{self, Answer, Asker, Strictness};
use crate::token::Token;

/// The name that a state has whose definition comes alone.
const STATE: &str = "StateName";
/// The machine that it seems to be in.
const MACHINE: &str = "TestState";

/// Runs one state by itself: its task is really done, unless a mock stands in for it. Nothing is kept.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>
pub(crate) async fn test_state(effect: &Effect, input: TestStateInput) -> Result<TestStateOutput> {
    check(&input)?;
    let parsed = match &input.state_name {
        Some(_) => Machine::parse(&input.definition),
        None => Machine::parse_state(&input.definition),
    };
    let refuse = |diagnostics: Vec<asl::Diagnostic>| {
        Fault::new("InvalidDefinition", invalid_definition_message(&diagnostics))
    };
    let machine = parsed.map_err(refuse)?;
    let trial = Trial::new(effect, &machine, &input)?;
    trial.check_mock(&input)?;
    trial.check_context()?;
    trial.check_result(effect, &input)?;
    trial.check_origin(&input)?;
    let first = trial.inspect(effect, trial.mock.clone())?;
    let mut exchange = Map::new();
    let inspected = match first {
        Inspected::Task(request) => {
            let mock;
            (mock, exchange) = trial.perform(effect, &request).await?;
            trial.inspect(effect, Some(mock))?
        }
        done @ Inspected::Done { .. } => done,
    };
    let Inspected::Done { status, output, error, cause, next_state, data } = inspected else {
        return Err(Fault::validation("The state cannot be tested").into());
    };
    let detailed = input.inspection_level.is_some_and(|level| level != InspectionLevel::Info);
    let mut shown = data.to_aws();
    if let (Some(InspectionLevel::Trace), Some(members)) = (input.inspection_level, shown.as_object_mut()) {
        members.extend(exchange);
    }
    let inspection_data = detailed.then(|| serde_json::from_value(shown)).transpose()?;
    Ok(TestStateOutput {
        output: output.map(|output| output.to_string()),
        error,
        cause,
        inspection_data,
        next_state,
        status: Some(match status {
            TestStatus::Succeeded => TestExecutionStatus::Succeeded,
            TestStatus::Failed => TestExecutionStatus::Failed,
            TestStatus::Retriable => TestExecutionStatus::Retriable,
            TestStatus::CaughtError => TestExecutionStatus::CaughtError,
        }),
    })
}

/// Refuses what AWS refuses of the request by itself.
fn check(input: &TestStateInput) -> Result<(), Fault> {
    if let Some(role_arn) = &input.role_arn {
        check_role(role_arn)?;
    }
    if input.mock.is_some() && input.reveal_secrets == Some(true) {
        let why = "TestState does not support RevealSecrets when a mock is specified.";
        return Err(Fault::validation(why));
    }
    Ok(())
}

/// What a state is tried with.
struct Trial<'a> {
    machine: &'a Machine,
    state: &'a str,
    input: Value,
    input_text: &'a str,
    variables: Map<String, Value>,
    context: Option<Value>,
    mock: Option<Mock>,
    retries: u32,
    failed_iterations: Option<u64>,
    reader_data: Option<String>,
    reveal_secrets: bool,
    role_arn: &'a str,
    scope: Scope,
    id: ExecutionId,
}

impl<'a> Trial<'a> {
    fn new(effect: &Effect, machine: &'a Machine, given: &'a TestStateInput) -> Result<Trial<'a>, Fault> {
        let json = |what: &str, text: &str| {
            serde_json::from_str::<Value>(text)
                .map_err(|error| Fault::new("InvalidExecutionInput", format!("Invalid {what}: '{error}'")))
        };
        let input_text = given.input.as_deref().unwrap_or("{}");
        let variables = match given.variables.as_deref().map(|text| json("variables", text)).transpose()? {
            Some(Value::Object(variables)) => variables,
            None => Map::new(),
            Some(_) => return Err(Fault::validation("variables must be a JSON object")),
        };
        let mock = match &given.mock {
            None => None,
            Some(mock) => match (&mock.result, &mock.error_output) {
                (Some(result), None) => match serde_json::from_str(result) {
                    Ok(result) => Some(Mock::Result(result)),
                    Err(_) => return Err(Fault::validation("Mocked result must be valid JSON")),
                },
                (None, Some(error)) => {
                    Some(Mock::Error { error: error.error.clone(), cause: error.cause.clone() })
                }
                _ => {
                    let why =
                        "A test mock should have only one of the following fields: [result, errorOutput].";
                    return Err(Fault::validation(why));
                }
            },
        };
        let configuration = given.state_configuration.as_ref();
        let retries = configuration.and_then(|given| given.retrier_retry_count).unwrap_or_default();
        let failed = configuration.and_then(|given| given.map_iteration_failure_count);
        Ok(Trial {
            machine,
            state: given.state_name.as_deref().unwrap_or(STATE),
            input: json("State Machine Execution Input", input_text)?,
            input_text,
            variables,
            context: given.context.as_deref().map(|text| json("context", text)).transpose()?,
            mock,
            retries: retries.unsigned_abs(),
            reveal_secrets: given.reveal_secrets == Some(true),
            reader_data: configuration.and_then(|given| given.map_item_reader_data.clone()),
            failed_iterations: failed.and_then(|failed| u64::try_from(failed).ok()),
            role_arn: given.role_arn.as_deref().unwrap_or_default(),
            scope: scope_of(effect),
            id: ExecutionId::express(MACHINE, MACHINE, effect.id()),
        })
    }

    /// What takes a mock, and what needs one.
    /// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>
    fn check_mock(&self, given: &TestStateInput) -> Result<(), Fault> {
        let kind = self.machine.state_type(self.state).unwrap_or_default();
        match (&self.mock, kind) {
            (Some(_), "Pass" | "Choice" | "Wait" | "Succeed" | "Fail") => {
                let why = format!("State type '{kind}' is not supported when a mock is specified");
                Err(Fault::validation(why))
            }
            (None, "Map" | "Parallel") => {
                let why = "TestState API does not support Map or Parallel states. Supported state types include: \
                    [Task, Wait, Pass, Succeed, Fail, Choice]";
                Err(Fault::new("InvalidDefinition", why))
            }
            (None, _) if given.context.is_some() => {
                Err(Fault::validation("context may only be specified if a mock is specified"))
            }
            _ => Ok(()),
        }
    }

    /// A context object that is given must be one that AWS could have made.
    fn check_context(&self) -> Result<(), Fault> {
        let Some(context) = &self.context else { return Ok(()) };
        let waits = matches!(self.machine.mocked(self.state), Some(Mocked::Task(resource))
            if resource.pattern() != Pattern::RequestResponse);
        let unfit = super::given_context::unfit(context, waits);
        unfit.map_or(Ok(()), |why| Err(Fault::validation(format!("Invalid Context object provided: {why}"))))
    }

    /// A mocked result must be one that the state's work could come to, as far as `fieldValidationMode` asks.
    /// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html>
    fn check_result(&self, effect: &Effect, given: &TestStateInput) -> Result<(), Fault> {
        let Some(Mock::Result(result)) = &self.mock else { return Ok(()) };
        let mode = given.mock.as_ref().and_then(|mock| mock.field_validation_mode);
        let why = match self.machine.mocked(self.state) {
            Some(Mocked::Export) if !result.is_object() => "Mocked result must be a JSON object.".to_owned(),
            Some(Mocked::Iterations | Mocked::Branches(_)) if !result.is_array() => {
                "Mocked result must be an array.".to_owned()
            }
            Some(Mocked::Branches(branches)) if result.as_array().map(Vec::len) != Some(branches) => {
                "Mocked result must contain the same number of items as number of Parallel branches."
                    .to_owned()
            }
            Some(Mocked::Task(resource)) => {
                let strictness = match mode.unwrap_or(MockResponseValidationMode::Strict) {
                    MockResponseValidationMode::Strict => Strictness::Required,
                    MockResponseValidationMode::Present => Strictness::Nothing,
                    MockResponseValidationMode::None => return Ok(()),
                };
                let served = |service: &str, operation: &str| effect.kernel().operation(service, operation);
                match integration::misfit(resource, &served, strictness, result) {
                    Some(why) => why,
                    None => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        Err(Fault::validation(why))
    }

    /// The state that a mocked error is said to come from must be one that the tested state encloses.
    fn check_origin(&self, given: &TestStateInput) -> Result<(), Fault> {
        let origin =
            given.state_configuration.as_ref().and_then(|given| given.error_caused_by_state.as_deref());
        let Some(origin) = origin else { return Ok(()) };
        if !matches!(self.mock, Some(Mock::Error { .. })) {
            return Err(Fault::validation("errorCausedByState can only be specified with a mocked error"));
        }
        let within = self.machine.states_within(self.state).unwrap_or_default();
        if within.contains(&origin) {
            return Ok(());
        }
        let why =
            format!("errorCausedByState '{origin}' is no state within the Map or Parallel state under test");
        Err(Fault::validation(why))
    }

    fn inspect(&self, effect: &Effect, mock: Option<Mock>) -> Result<Inspected, Fault> {
        let (arn, machine_arn) = (self.id.arn(&self.scope), machine_arn(&self.scope, MACHINE));
        let random = || effect.id().as_u64_pair().1;
        let mut token =
            |wait| Token { execution: self.id.clone(), wait, nonce: effect.id().as_u64_pair().1 }.to_text();
        let now_ms = effect.now().as_millis();
        let mut ctx = StepContext {
            now_ms,
            execution: ExecutionInfo {
                arn: &arn,
                name: MACHINE,
                input: self.input_text,
                start_ms: now_ms,
                role_arn: self.role_arn,
                redrive_count: None,
                machine_arn: &machine_arn,
                machine_name: MACHINE,
                machine_version_arn: None,
                machine_alias_arn: None,
                history_events_max: None,
            },
            random: &mut { random },
            task_token: &mut token,
        };
        let inspection = Inspection {
            machine: self.machine,
            state: self.state,
            input: self.input.clone(),
            variables: self.variables.clone(),
            context: self.context.clone(),
            mock,
            retrier_retry_count: self.retries,
            map_iteration_failure_count: self.failed_iterations,
            map_item_reader_data: self.reader_data.clone(),
        };
        let nobody = || Fault::validation("State not found in definition");
        inspect(inspection, &mut ctx).ok_or_else(nobody)
    }

    /// Does the task, in the role's name: what it came to, and the request and the response of an HTTP task.
    async fn perform(
        &self,
        effect: &Effect,
        request: &TaskRequest,
    ) -> Result<(Mock, Map<String, Value>), Fault> {
        let waits = request.resource.pattern() != Pattern::RequestResponse;
        if waits || matches!(request.resource, asl::Resource::Activity(_)) {
            let why = "A task that waits for a job, a token or an activity can only be tested with a mock";
            return Err(Fault::validation(why));
        }
        if self.role_arn.is_empty() {
            return Err(Fault::validation("RoleArn must be specified when testing a Task state"));
        }
        let schema = integration::operation(&request.resource)
            .and_then(|(service, operation)| effect.kernel().operation(service, &operation));
        let asker = Asker {
            id: &self.id,
            execution_arn: self.id.arn(&self.scope),
            machine_arn: machine_arn(&self.scope, MACHINE),
            fresh: effect.id(),
            schema,
        };
        let mut exchange = Map::new();
        let answer = match integration::ask(&asker, request) {
            Err(refused) => Answer::Failed { error: refused.error, cause: refused.cause },
            Ok(asked) => {
                let Scope { account, region } = self.scope.clone();
                let caller: Caller = effect.caller().as_service(self.role_arn, account, region);
                let request_id = caller.request_id.to_string();
                let outcome = match is_http(&request.resource) {
                    true => call_http(effect, caller, asked.call, self.reveal_secrets, &mut exchange).await,
                    false => call(effect, caller, asked.call).await,
                };
                integration::answer(&request.resource, schema, outcome, &request_id)
            }
        };
        let mock = match answer {
            Answer::Succeeded(output) => Mock::Result(output),
            Answer::Failed { error, cause } => Mock::Error { error: Some(error), cause: Some(cause) },
        };
        Ok((mock, exchange))
    }
}

fn is_http(resource: &asl::Resource) -> bool {
    matches!(resource, asl::Resource::Integration { service, .. } if service == "http")
}

/// The outcome of a call.
async fn call(effect: &Effect, caller: Caller, call: kernel::Call) -> Outcome {
    match effect.call_as(caller, &call.service, &call.operation, call.input).await {
        Ok(answer) => Outcome::Succeeded(String::from_utf8_lossy(&answer).into_owned()),
        Err(fault) => Outcome::Failed(fault),
    }
}

/// The outcome of an HTTP task, which is an internal operation, and what `inspectionData` shows of it at level TRACE.
async fn call_http(
    effect: &Effect,
    caller: Caller,
    call: kernel::Call,
    reveal_secrets: bool,
    exchange: &mut Map<String, Value>,
) -> Outcome {
    let mut input: Value = serde_json::from_slice(&call.input).unwrap_or_default();
    input["ShowRequest"] = json!(if reveal_secrets { "Revealed" } else { "Redacted" });
    let mut answer = match effect.kernel().ask(caller, &call.service, &call.operation, &input).await {
        Ok(answer) => answer,
        Err(fault) => return Outcome::Failed(fault),
    };
    let request =
        answer.as_object_mut().and_then(|answer| answer.shift_remove("Request")).unwrap_or_default();
    let url = request["Url"].as_str().unwrap_or_default();
    let protocol = url.split(':').next().unwrap_or_default();
    let mut shown = json!({ "protocol": protocol, "method": request["Method"], "url": url,
        "headers": headers(&request["Headers"]) });
    if let Some(body) = request["Body"].as_str() {
        shown["body"] = json!(body);
    }
    exchange.insert("request".to_owned(), shown);
    let response = json!({ "protocol": protocol, "statusCode": answer["StatusCode"].to_string(),
        "statusMessage": answer["StatusText"], "headers": headers(&answer["Headers"]),
        "body": answer["ResponseBody"] });
    exchange.insert("response".to_owned(), response);
    Outcome::Succeeded(answer.to_string())
}

/// Headers as AWS shows them: `[accept: [text/plain], host: [example.org]]`.
fn headers(headers: &Value) -> String {
    let value = |value: &Value| match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let all = headers.as_object().into_iter().flatten();
    let lines: Vec<String> =
        all.map(|(name, of)| format!("{}: [{}]", name.to_lowercase(), value(of))).collect();
    format!("[{}]", lines.join(", "))
}
