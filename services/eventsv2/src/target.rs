//! What a subscriber delivers to: the kind of target that an ARN names, its parameters, and the call that delivers.
//!
//! A target is held against what the service itself needs and against nothing that the target's own API judges: that
//! happens when it is called.

use std::sync::Arc;

use base::{Arn, Document, Fault};
use kernel::{Call, Delivery, TargetKind, Targets, Tx};
use serde_json::{Value, json};

use crate::api::{InvocationType, InvokeConfiguration};
use crate::ops::deliver_to_bus::{DELIVER_TO_BUS, DeliverToBus, FORWARD, Forward};
use crate::ops::invoke::{INVOKE, Invoke, START_SYNC, StartSync};
use crate::params::{Around, Params, failed};
use crate::{NAME, arn, fault};

/// Buses of this API by their ARN: rules of event sources send to them.
pub(crate) const BUS: TargetKind = TargetKind {
    service: "events",
    name: "custom event bus",
    serves: |arn| arn.resource.starts_with("event-busv2/"),
    call: |arn, delivery| {
        let input =
            DeliverToBus { bus_arn: arn.to_string(), envelope: delivery.payload, order: delivery.order };
        encode(NAME, DELIVER_TO_BUS, &input)
    },
    at_once: |_| false,
};

/// A kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    Topic,
    Function,
    StateMachine,
    ClassicBus,
    Bus,
}

impl Kind {
    /// The kind of an ARN's resource.
    ///
    /// # Errors
    /// AWS has no such target, or Buswork does not deliver to it.
    pub(crate) fn of(arn: &Arn) -> Result<Kind, Fault> {
        let first = arn.resource.split(['/', ':']).next().unwrap_or_default();
        let other = match (arn.service.as_str(), first) {
            ("sqs", _) => return Ok(Kind::Queue),
            ("sns", _) => return Ok(Kind::Topic),
            ("lambda", "function") => return Ok(Kind::Function),
            ("states", "stateMachine") => return Ok(Kind::StateMachine),
            ("events", "event-bus") => return Ok(Kind::ClassicBus),
            ("events", "event-busv2") => return Ok(Kind::Bus),
            ("events", "api-destination") => "An API destination",
            ("events", "aws-sdk") => "A universal target (aws-sdk)",
            ("kinesis", _) => "A Kinesis stream",
            ("firehose", _) => "A Firehose delivery stream",
            ("execute-api", _) => "An API Gateway method",
            _ => {
                let why = "InvokeConfiguration.TargetArn: TargetArn is not a supported subscriber target";
                return Err(fault::invalid(why));
            }
        };
        Err(fault::not_honoured(&format!("{other} as the target of a subscriber")))
    }

    /// The block of parameters that goes with it.
    fn block(self) -> Option<&'static str> {
        match self {
            Kind::Queue => Some("SqsParameters"),
            Kind::Topic => Some("SnsParameters"),
            Kind::Function => Some("LambdaParameters"),
            Kind::StateMachine => Some("StepFunctionsParameters"),
            Kind::Bus => Some("EventBusV2Parameters"),
            Kind::ClassicBus => None,
        }
    }
}

/// A target, ready for deliveries.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub arn: Arn,
    pub kind: Kind,
    /// Whether the target's answer is waited for.
    waits: bool,
    params: Params,
}

/// What is delivered.
pub(crate) struct Parcel<'a> {
    pub payload: String,
    pub around: Around<'a>,
    /// The same for every attempt, and for no other delivery.
    pub key: String,
    pub order: Option<String>,
    /// The `Metadata` of the event, which goes on to another bus.
    pub metadata: Document,
    /// What the event is to the bus that it comes from, for the one that it goes to.
    pub content_type: String,
}

impl Target {
    /// The target of a subscriber.
    ///
    /// # Errors
    /// It is none, or its parameters are not its own.
    pub(crate) fn compile(invoke: &InvokeConfiguration) -> Result<Target, Fault> {
        let text = &invoke.target_arn;
        let arn: Arn =
            text.parse().map_err(|_| fault::invalid(format!("TargetArn {text} is not a valid ARN.")))?;
        let kind = Kind::of(&arn)?;
        let given = blocks(invoke);
        let expected = kind.block();
        if let Some((name, _)) = given.iter().find(|(name, _)| Some(*name) != expected) {
            let expected = expected.unwrap_or("no target parameters");
            let message = format!("{name} is not supported for target {text}. Expected {expected}");
            return Err(fault::invalid(message));
        }
        refuse_unhonoured(invoke)?;
        let qualified = arn.resource_after("function").is_some_and(|name| name.contains(':'));
        if qualified && invoke.lambda_parameters.as_ref().is_some_and(|block| block.qualifier.is_some()) {
            let message = format!("LambdaParameters.Qualifier is not for a TargetArn that has one: {text}");
            return Err(fault::invalid(message));
        }
        let lambda = invoke.lambda_parameters.as_ref().and_then(|block| block.invocation_type);
        let states = invoke.step_functions_parameters.as_ref().and_then(|block| block.invocation_type);
        let waits = lambda.or(states) == Some(InvocationType::RequestResponse);
        let (name, block) = given.into_iter().next().unwrap_or(("", json!({})));
        Ok(Target { arn, kind, waits, params: Params::compile(name, block)? })
    }

    /// Refuses a target that the subscriber may not have.
    pub(crate) fn check(&self, tx: &Tx, bus_arn: &str) -> Result<(), Fault> {
        let scope = tx.scope();
        if self.arn.account != scope.account.as_str() {
            let (theirs, ours) = (&self.arn.account, &scope.account);
            let message =
                format!("Target resource account ({theirs}) must match the subscriber account ({ours})");
            return Err(fault::invalid(message));
        }
        if self.kind != Kind::Bus && self.arn.region != scope.region.as_str() {
            let message = format!("TargetArn must be in region {}", scope.region);
            return Err(fault::invalid(message));
        }
        if self.arn.to_string() == bus_arn {
            let message = "InvokeConfiguration.TargetArn must not reference the subscriber's own event bus";
            return Err(fault::invalid(message));
        }
        if self.kind == Kind::Bus {
            return match arn::named(&self.arn) {
                Some(arn::Named::Bus { .. }) => Ok(()),
                _ => Err(fault::invalid("TargetArn resource must be of the form event-busv2/{name}/{id}")),
            };
        }
        if tx.targets().find(&self.arn).is_none() {
            return Err(fault::not_honoured(&format!("{} as the target of a subscriber", self.arn)));
        }
        Ok(())
    }

    /// The call that delivers.
    ///
    /// # Errors
    /// An expression fails, or the parameters make no request.
    pub(crate) fn call(&self, targets: &Targets, mut parcel: Parcel<'_>) -> Result<Call, Fault> {
        let params = self.params.resolve(&mut parcel.around)?;
        match self.kind {
            Kind::Queue => queue(&self.arn, params, parcel.payload),
            Kind::Topic => topic(&self.arn, params, parcel.payload),
            Kind::Function => function(&self.arn, &params, self.waits, targets, parcel),
            Kind::StateMachine => machine(&self.arn, &params, self.waits, targets, parcel),
            Kind::ClassicBus => deliver(targets, &self.arn, parcel),
            Kind::Bus => forward(&self.arn, params, parcel),
        }
    }
}

/// The blocks of parameters that are given, as documents.
fn blocks(invoke: &InvokeConfiguration) -> Vec<(&'static str, Value)> {
    let all = [
        ("SqsParameters", invoke.sqs_parameters.as_ref().map(|block| json!(block))),
        ("SnsParameters", invoke.sns_parameters.as_ref().map(|block| json!(block))),
        ("LambdaParameters", invoke.lambda_parameters.as_ref().map(|block| json!(block))),
        ("StepFunctionsParameters", invoke.step_functions_parameters.as_ref().map(|block| json!(block))),
        ("EventBusV2Parameters", invoke.event_bus_v2_parameters.as_ref().map(|block| json!(block))),
        ("KinesisParameters", invoke.kinesis_parameters.as_ref().map(|block| json!(block))),
        ("HttpParameters", invoke.http_parameters.as_ref().map(|block| json!(block))),
        ("UniversalTargetParameters", invoke.universal_target_parameters.as_ref().map(|block| json!(block))),
    ];
    all.into_iter().filter_map(|(name, block)| Some((name, block?))).collect()
}

fn refuse_unhonoured(invoke: &InvokeConfiguration) -> Result<(), Fault> {
    let lambda = invoke.lambda_parameters.as_ref();
    let states = invoke.step_functions_parameters.as_ref();
    let refused = [
        ("LambdaParameters.DurableExecutionName", lambda.is_some_and(|l| l.durable_execution_name.is_some())),
        ("LambdaParameters.TenantId", lambda.is_some_and(|l| l.tenant_id.is_some())),
        (
            "LambdaParameters.InvocationTimeoutSeconds",
            lambda.is_some_and(|l| l.invocation_timeout_seconds.is_some()),
        ),
        (
            "StepFunctionsParameters.InvocationTimeoutSeconds",
            states.is_some_and(|s| s.invocation_timeout_seconds.is_some()),
        ),
    ];
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::not_honoured(name)),
        None => Ok(()),
    }
}

fn queue(arn: &Arn, params: Value, payload: String) -> Result<Call, Fault> {
    let mut input = params;
    if let Some(delay) = input.get("DelaySeconds").and_then(Value::as_str) {
        let seconds: i64 =
            delay.trim().parse().map_err(|_| failed(&format!("DelaySeconds {delay} is no whole number.")))?;
        input["DelaySeconds"] = seconds.into();
    }
    input["QueueUrl"] = arn.to_string().into();
    input["MessageBody"] = payload.into();
    encode("sqs", "SendMessage", &input)
}

fn topic(arn: &Arn, params: Value, payload: String) -> Result<Call, Fault> {
    let mut input = params;
    input["TopicArn"] = arn.to_string().into();
    input["Message"] = payload.into();
    encode("sns", "Publish", &input)
}

fn function(
    arn: &Arn,
    params: &Value,
    waits: bool,
    targets: &Targets,
    parcel: Parcel<'_>,
) -> Result<Call, Fault> {
    let qualifier = params["Qualifier"].as_str();
    if waits {
        let (function, payload) = (arn.to_string(), parcel.payload);
        let input = Invoke { function, qualifier: qualifier.map(str::to_owned), payload };
        return encode(NAME, INVOKE, &input);
    }
    let arn = match qualifier {
        Some(qualifier) => Arn { resource: format!("{}:{qualifier}", arn.resource), ..arn.clone() },
        None => arn.clone(),
    };
    deliver(targets, &arn, parcel)
}

fn machine(
    arn: &Arn,
    params: &Value,
    waits: bool,
    targets: &Targets,
    parcel: Parcel<'_>,
) -> Result<Call, Fault> {
    let text = |name: &str| params[name].as_str().map(str::to_owned);
    let (name, trace_header) = (text("Name"), text("TraceHeader"));
    if waits {
        let (machine, input) = (arn.to_string(), parcel.payload);
        return encode(NAME, START_SYNC, &StartSync { machine, name, trace_header, input });
    }
    if name.is_none() && trace_header.is_none() {
        return deliver(targets, arn, parcel);
    }
    let mut input = json!({ "stateMachineArn": arn.to_string(), "input": parcel.payload });
    // Without a name, the delivery's own makes a repeated start recognisable.
    input["name"] = name.unwrap_or(parcel.key).into();
    if let Some(header) = trace_header {
        input["traceHeader"] = header.into();
    }
    encode("states", "StartExecution", &input)
}

fn forward(arn: &Arn, params: Value, parcel: Parcel<'_>) -> Result<Call, Fault> {
    let mut metadata = match parcel.metadata {
        Value::Object(metadata) => metadata,
        _ => serde_json::Map::new(),
    };
    if let Value::Object(more) = params["Metadata"].clone() {
        metadata.extend(more);
    }
    let text = |name: &str| params["SystemMetadata"][name].as_str().map(str::to_owned);
    let input = Forward {
        bus_arn: arn.to_string(),
        data: parcel.payload,
        metadata: Value::Object(metadata),
        content_type: parcel.content_type,
        event_group_id: text("EventGroupId"),
        deduplication_id: text("DeduplicationId"),
        by_content: !params["DeduplicationConfiguration"].is_null(),
    };
    encode(NAME, FORWARD, &input)
}

/// What the ARN table says. If the target's service is not part of this server any more, the call is to nobody.
fn deliver(targets: &Targets, arn: &Arn, parcel: Parcel<'_>) -> Result<Call, Fault> {
    let delivery = Delivery {
        payload: parcel.payload,
        order: parcel.order,
        idempotency_key: parcel.key,
        ..Delivery::default()
    };
    match targets.find(arn) {
        Some(kind) => (kind.call)(arn, delivery),
        None => encode(&arn.service, "Deliver", &json!({})),
    }
}

pub(crate) fn encode(service: &str, operation: &str, input: &impl serde::Serialize) -> Result<Call, Fault> {
    Call::new(service, operation, input).map_err(|error| failed(&error.to_string()))
}

/// The event as expressions read it.
pub(crate) fn events_of(document: &str) -> Result<Arc<Value>, Fault> {
    serde_json::from_str(document).map(Arc::new).map_err(|error| failed(&error.to_string()))
}
