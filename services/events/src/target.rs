//! Targets: what may be one, and a bus as the target of another.

use base::{Arn, Fault};
use kernel::{Call, Delivery, TargetKind, Tx};
use serde_json::json;

use crate::api::{DeadLetterConfig, Target};
use crate::destination::is_destination;
use crate::fault;
use crate::input::Input;
use crate::parameters::Parameters;

/// The internal operation by which an event comes from another bus.
pub(crate) const DELIVER_TO_BUS: &str = "DeliverToBus";

/// Buses by their ARN.
pub(crate) const BUS: TargetKind =
    TargetKind { service: "events", name: "event bus", serves: is_bus, call: deliver, at_once: |_| true };

fn deliver(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let bus = arn.resource.strip_prefix("event-bus/").unwrap_or_default();
    let input = json!({ "bus": bus, "envelope": delivery.payload, "order": delivery.order });
    Call::new("events", DELIVER_TO_BUS, &input).map_err(|error| Fault::validation(error.to_string()))
}

/// Refuses a target that cannot be served, or a setting that would have no effect.
pub(crate) fn check(tx: &Tx, target: &Target) -> Result<(), Fault> {
    let arn: Arn = target.arn.parse().map_err(|_| {
        fault::invalid_parameter("Arn", &format!("Provided Arn is not in correct format: {}.", target.arn))
    })?;
    if tx.targets().find(&arn).is_none() {
        let kinds = tx.targets().names().join(", ");
        let why = format!("{} is no target that Buswork serves; it serves: {kinds}.", target.arn);
        return Err(fault::invalid_parameter("Arn", &why));
    }
    check_settings(target, &arn)?;
    if is_bus(&arn)
        && (target.input.is_some() || target.input_path.is_some() || target.input_transformer.is_some())
    {
        return Err(fault::invalid(format!(
            "Input settings are not supported for the event bus target {}.",
            target.id
        )));
    }
    Input::compile(target)?;
    Parameters::compile(target)?;
    check_retry(target)?;
    check_dead_letter(tx, target.dead_letter_config.as_ref())
}

fn is_bus(arn: &Arn) -> bool {
    arn.service == "events" && arn.resource.starts_with("event-bus/")
}

/// Parameters go with the kind of target that they are of; those of kinds that are not served are refused by name.
fn check_settings(target: &Target, arn: &Arn) -> Result<(), Fault> {
    let is_fifo = arn.service == "sqs" && arn.resource.ends_with(".fifo");
    if is_fifo && target.sqs_parameters.as_ref().is_none_or(|sqs| sqs.message_group_id.is_none()) {
        return Err(fault::invalid(format!(
            "Parameter(s) SqsParameters must be specified for target: {}.",
            target.id
        )));
    }
    if target.sqs_parameters.is_some() && arn.service != "sqs" {
        return Err(not_valid_for("SqsParameters", target));
    }
    if target.http_parameters.is_some() && !is_destination(arn) {
        return Err(not_valid_for("HttpParameters", target));
    }
    if target.role_arn.as_ref().is_some_and(|role| !is_role(role)) {
        let why = "RoleArn is not in correct format.";
        return Err(fault::invalid_parameter("RoleArn", why));
    }
    let refused = [
        ("KinesisParameters", target.kinesis_parameters.is_some()),
        ("RunCommandParameters", target.run_command_parameters.is_some()),
        ("EcsParameters", target.ecs_parameters.is_some()),
        ("BatchParameters", target.batch_parameters.is_some()),
        ("RedshiftDataParameters", target.redshift_data_parameters.is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters.is_some()),
        ("AppSyncParameters", target.app_sync_parameters.is_some()),
    ];
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::not_honoured(&format!("{name} of target {}", target.id))),
        None => Ok(()),
    }
}

fn not_valid_for(what: &str, target: &Target) -> Fault {
    fault::invalid(format!("Parameter(s) {what} not valid for target: {}.", target.id))
}

pub(crate) fn is_role(text: &str) -> bool {
    text.parse::<Arn>().is_ok_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
}

fn check_retry(target: &Target) -> Result<(), Fault> {
    let Some(policy) = &target.retry_policy else { return Ok(()) };
    let attempts = policy.maximum_retry_attempts.is_none_or(|n| (0..=185).contains(&n));
    let age = policy.maximum_event_age_in_seconds.is_none_or(|n| (60..=86_400).contains(&n));
    if attempts && age {
        return Ok(());
    }
    let why = "MaximumRetryAttempts is between 0 and 185 and MaximumEventAgeInSeconds between 60 and 86400.";
    Err(fault::invalid_parameter("RetryPolicy", why))
}

/// Refuses a dead-letter queue that is none.
pub(crate) fn check_dead_letter(tx: &Tx, config: Option<&DeadLetterConfig>) -> Result<(), Fault> {
    let Some(arn) = config.and_then(|config| config.arn.as_ref()) else {
        return Ok(());
    };
    let parsed = arn.parse::<Arn>().ok();
    let queue = parsed.filter(|arn| arn.service == "sqs" && !arn.resource.ends_with(".fifo"));
    if queue.as_ref().is_some_and(|arn| tx.targets().find(arn).is_some()) {
        return Ok(());
    }
    let why = format!("{arn} is no standard SQS queue.");
    Err(fault::invalid_parameter("DeadLetterConfig", &why))
}
