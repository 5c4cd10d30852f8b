//! What a schedule calls: a templated target, which has an ARN of its own, or any operation of an API.

use base::{Arn, Document, Fault};
use kernel::{Call, Delivery, Kernel, Targets};
use serde_json::{Value, json};

use crate::NAME;
use crate::api::Target;
use crate::fault;
use crate::ops::call_api::{CALL_API, CallApi};
use crate::universal::Api;

/// A target, as its ARN tells.
pub(crate) enum Kind {
    /// Something that takes what it is given.
    Templated(Arn),
    /// An event bus: events are made for it.
    Bus(Arn),
    /// An operation.
    Universal(Api),
}

impl Kind {
    pub(crate) fn of(text: &str) -> Result<Kind, Fault> {
        let arn: Arn = text.parse().map_err(|_| fault::invalid("Provided Arn is not in correct format."))?;
        if arn.service == NAME && arn.resource.starts_with("aws-sdk:") {
            return Api::parse(&arn).map(Kind::Universal);
        }
        if arn.service == "events" && arn.resource.starts_with("event-bus/") {
            return Ok(Kind::Bus(arn));
        }
        Ok(Kind::Templated(arn))
    }
}

/// The services whose resources templated targets name.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html>
const TEMPLATED: [&str; 4] = ["lambda", "sqs", "sns", "states"];

/// Refuses a target that cannot be called, or a setting that would have no effect.
pub(crate) fn check(kernel: &Kernel, target: &Target) -> Result<(), Fault> {
    let unhonoured = [
        ("EcsParameters", target.ecs_parameters.is_some()),
        ("KinesisParameters", target.kinesis_parameters.is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters.is_some()),
        ("EventBridgePutEventsV2Parameters", target.event_bridge_put_events_v2_parameters.is_some()),
        ("EventBridgePutRawEventsParameters", target.event_bridge_put_raw_events_parameters.is_some()),
    ];
    if let Some((name, _)) = unhonoured.iter().find(|(_, given)| *given) {
        return Err(fault::not_honoured(name));
    }
    let kind = Kind::of(&target.arn)?;
    check_parameters(target, &kind)?;
    match &kind {
        Kind::Universal(api) => api.check(kernel)?,
        Kind::Templated(arn) | Kind::Bus(arn) => {
            let known = matches!(kind, Kind::Bus(_)) || TEMPLATED.contains(&arn.service.as_str());
            if !known || kernel.targets().find(arn).is_none() {
                let served: Vec<&str> = TEMPLATED
                    .iter()
                    .copied()
                    .chain(["events"])
                    .filter(|name| kernel.schemas().any(|schema| schema.signing_name == *name))
                    .collect();
                let why = format!("{arn} as a target (served are those of {})", served.join(", "));
                return Err(fault::not_honoured(&why));
            }
        }
    }
    check_input(target, &kind)?;
    check_dead_letter(kernel.targets(), target)
}

fn check_parameters(target: &Target, kind: &Kind) -> Result<(), Fault> {
    if matches!(kind, Kind::Bus(_)) != target.event_bridge_parameters.is_some() {
        return Err(fault::invalid("EventBridgeParameters are required for event buses, and for them only."));
    }
    let queue = matches!(kind, Kind::Templated(arn) if arn.service == "sqs");
    let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref());
    if target.sqs_parameters.is_some() && !queue {
        return Err(fault::invalid("SqsParameters are for Amazon SQS queues only."));
    }
    if queue && target.arn.ends_with(".fifo") && group.is_none() {
        return Err(fault::invalid("MessageGroupId is required for FIFO queues."));
    }
    Ok(())
}

/// Functions, state machines and buses take JSON; so do operations.
fn check_input(target: &Target, kind: &Kind) -> Result<(), Fault> {
    let Some(input) = &target.input else { return Ok(()) };
    let parsed: Option<Value> = serde_json::from_str(input).ok();
    match kind {
        Kind::Templated(arn) if arn.service == "sqs" || arn.service == "sns" => Ok(()),
        Kind::Templated(_) if parsed.is_some() => Ok(()),
        Kind::Bus(_) | Kind::Universal(_) if parsed.as_ref().is_some_and(Value::is_object) => Ok(()),
        _ => Err(fault::invalid("Provided Input is not in correct format: it must be well-formed JSON.")),
    }
}

fn check_dead_letter(targets: &Targets, target: &Target) -> Result<(), Fault> {
    let Some(arn) = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref()) else {
        return Ok(());
    };
    let queue =
        arn.parse::<Arn>().ok().filter(|arn| arn.service == "sqs" && !arn.resource.ends_with(".fifo"));
    if queue.is_some_and(|arn| targets.find(&arn).is_some()) {
        return Ok(());
    }
    Err(fault::invalid(format!("The DeadLetterConfig Arn {arn} is no standard Amazon SQS queue.")))
}

/// The call of a target that is given `payload`. One that nothing serves any more becomes a call that fails.
pub(crate) fn call(targets: &Targets, target: &Target, payload: &str, key: &str) -> Result<Call, Fault> {
    let kind = Kind::of(&target.arn)?;
    match kind {
        Kind::Templated(arn) => {
            let delivery = Delivery {
                payload: payload.to_owned(),
                attributes: Vec::new(),
                parameters: target
                    .sqs_parameters
                    .as_ref()
                    .map_or(Document::Null, |parameters| json!(parameters)),
                order: None,
                idempotency_key: key.to_owned(),
            };
            match targets.find(&arn) {
                Some(kind) => (kind.call)(&arn, delivery),
                None => encode(&arn.service, "Deliver", &json!({})),
            }
        }
        Kind::Bus(arn) => {
            let parameters = target.event_bridge_parameters.as_ref();
            let entry = json!({
                "Source": parameters.map(|parameters| &parameters.source),
                "DetailType": parameters.map(|parameters| &parameters.detail_type),
                "Detail": payload,
                "EventBusName": arn.to_string(),
            });
            let input = json!({ "Entries": [entry] });
            call_api(CallApi { service: "events".to_owned(), operation: "PutEvents".to_owned(), input })
        }
        Kind::Universal(api) => {
            let input = serde_json::from_str(payload).map_err(|error| {
                fault::invalid(format!("Provided Input is not in correct format: {error}"))
            })?;
            let (service, operation) = (api.service.signing.to_owned(), api.operation);
            call_api(CallApi { service, operation, input })
        }
    }
}

fn call_api(call: CallApi) -> Result<Call, Fault> {
    encode(NAME, CALL_API, &call)
}

fn encode(service: &str, operation: &str, input: &impl serde::Serialize) -> Result<Call, Fault> {
    Call::new(service, operation, input).map_err(|error| fault::invalid(error.to_string()))
}

/// The account and region of what is called, if the target names them.
pub(crate) fn place(target: &Target) -> Option<(base::AccountId, base::Region)> {
    let arn = target.arn.parse::<Arn>().ok()?;
    arn.account_id().zip(arn.region_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_tell_kinds() {
        let kind = |arn: &str| match Kind::of(arn) {
            Ok(Kind::Templated(arn)) => arn.service,
            Ok(Kind::Bus(_)) => "bus".to_owned(),
            Ok(Kind::Universal(api)) => format!("{}:{}", api.service.signing, api.operation),
            Err(fault) => fault.message,
        };
        for (arn, expected) in [
            ("arn:aws:sqs:eu-central-1:000000000000:q", "sqs"),
            ("arn:aws:events:eu-central-1:000000000000:event-bus/b", "bus"),
            ("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "sqs:SendMessage"),
            ("arn:aws:scheduler:::aws-sdk:sfn:startExecution", "states:StartExecution"),
            (
                "arn:aws:scheduler:::aws-sdk:dynamodb:getItem",
                "dynamodb:getItem is not supported as a universal target: it is a read-only API.",
            ),
            ("nonsense", "Provided Arn is not in correct format."),
        ] {
            assert_eq!(kind(arn), expected, "{arn}");
        }
    }
}
