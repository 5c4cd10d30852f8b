//! What may be set: a pipe that can run, or why not.

use asl::jsonpath::Path;
use base::{Arn, Document, Fault};
use kernel::Kernel;
use serde_json::json;

use crate::api::{
    LogLevel, PipeEnrichmentParameters, PipeLogConfigurationParameters, PipeSourceParameters,
    PipeTargetParameters,
};
use crate::compiled::Compiled;
use crate::keys::Settings;
use crate::{fault, targets};

/// The most messages of a batch that is not waited for.
const BATCH_AT_ONCE_MAX: usize = 10;

/// Refuses settings that cannot be honoured.
pub(crate) fn settings(kernel: &Kernel, name: &str, settings: &Settings) -> Result<(), Fault> {
    let compiled = Compiled::new(name, String::new(), settings.clone())?;
    source(&compiled.source, &settings.source_parameters)?;
    if !compiled.is_stream() {
        batch(&compiled)?;
    }
    if kernel.sources().find(&compiled.source).is_none() {
        return Err(fault::not_honoured(&format!("{} as a source", settings.source)));
    }
    match &compiled.enrichment {
        Some(arn) => enrichment(kernel, arn, settings.enrichment_parameters.as_ref())?,
        None if settings.enrichment_parameters.is_some() => {
            return Err(fault::invalid("EnrichmentParameters go with an Enrichment only."));
        }
        None => {}
    }
    parameters(&compiled.target, &settings.target_parameters)?;
    paths("EnrichmentParameters", &json!(settings.enrichment_parameters))?;
    paths("TargetParameters", &json!(settings.target_parameters))?;
    targets::check(kernel, &compiled)?;
    settings.log.as_ref().map_or(Ok(()), log)
}

fn source(arn: &Arn, parameters: &PipeSourceParameters) -> Result<(), Fault> {
    let what = match arn.service.as_str() {
        "sqs" => None,
        "dynamodb" => return stream(arn, parameters),
        "kinesis" => Some("A Kinesis stream as a source"),
        "kafka" => Some("An Amazon MSK cluster as a source"),
        "mq" => Some("An Amazon MQ broker as a source"),
        _ => return Err(fault::invalid(format!("{arn} is not a valid source of a pipe."))),
    };
    if let Some(what) = what {
        return Err(fault::not_honoured(what));
    }
    others(
        parameters,
        "DynamoDBStreamParameters",
        parameters.dynamo_db_stream_parameters.is_some(),
        "a queue",
    )
}

fn stream(arn: &Arn, parameters: &PipeSourceParameters) -> Result<(), Fault> {
    let Some(given) = &parameters.dynamo_db_stream_parameters else {
        return Err(fault::invalid(format!("DynamoDBStreamParameters are required for the source {arn}.")));
    };
    if given.parallelization_factor.is_some_and(|factor| factor != 1) {
        return Err(fault::not_honoured("A ParallelizationFactor other than 1"));
    }
    let age = given.maximum_record_age_in_seconds;
    if age.is_some_and(|age| age != -1 && age < 60) {
        return Err(fault::invalid("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800."));
    }
    let letters = given.dead_letter_config.as_ref().and_then(|config| config.arn.as_ref());
    if let Some(text) = letters {
        let arn: Option<Arn> = text.parse().ok();
        if !arn.is_some_and(|arn| {
            matches!(arn.service.as_str(), "sqs" | "sns") && !arn.resource.ends_with(".fifo")
        }) {
            return Err(fault::invalid(format!("DeadLetterConfig {text} is no standard queue or topic.")));
        }
    }
    others(parameters, "SqsQueueParameters", parameters.sqs_queue_parameters.is_some(), "a stream")
}

/// Refuses parameters of other kinds of sources.
fn others(
    parameters: &PipeSourceParameters,
    name: &'static str,
    given: bool,
    what: &str,
) -> Result<(), Fault> {
    let others = [
        ("KinesisStreamParameters", parameters.kinesis_stream_parameters.is_some()),
        (name, given),
        ("ActiveMQBrokerParameters", parameters.active_mq_broker_parameters.is_some()),
        ("RabbitMQBrokerParameters", parameters.rabbit_mq_broker_parameters.is_some()),
        ("ManagedStreamingKafkaParameters", parameters.managed_streaming_kafka_parameters.is_some()),
        ("SelfManagedKafkaParameters", parameters.self_managed_kafka_parameters.is_some()),
    ];
    match others.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::invalid(format!("{name} do not go with {what} as the source."))),
        None => Ok(()),
    }
}

fn batch(pipe: &Compiled) -> Result<(), Fault> {
    if pipe.is_ordered() && (pipe.window_s > 0 || pipe.batch_size > BATCH_AT_ONCE_MAX) {
        let why = "FIFO queues have batches of at most 10 messages and no MaximumBatchingWindowInSeconds.";
        return Err(fault::invalid(why));
    }
    if pipe.batch_size > BATCH_AT_ONCE_MAX && pipe.window_s == 0 {
        let why = "MaximumBatchingWindowInSeconds must be at least 1 where BatchSize is greater than 10.";
        return Err(fault::invalid(why));
    }
    Ok(())
}

fn enrichment(
    kernel: &Kernel,
    arn: &Arn,
    parameters: Option<&PipeEnrichmentParameters>,
) -> Result<(), Fault> {
    let destination = arn.service == "events" && arn.resource.starts_with("api-destination/");
    if !destination && parameters.is_some_and(|parameters| parameters.http_parameters.is_some()) {
        return Err(fault::invalid(format!("HttpParameters do not go with the enrichment {arn}.")));
    }
    let served = match arn.service.as_str() {
        "lambda" => kernel.serves("lambda", "Invoke"),
        "states" => kernel.serves("states", "StartSyncExecution"),
        _ => destination && kernel.targets().find(arn).is_some(),
    };
    if served { Ok(()) } else { Err(fault::not_honoured(&format!("{arn} as an enrichment"))) }
}

/// Parameters go with the target that they are for, and with targets that are served.
fn parameters(arn: &Arn, given: &PipeTargetParameters) -> Result<(), Fault> {
    let unhonoured = [
        ("KinesisStreamParameters", given.kinesis_stream_parameters.is_some()),
        ("EcsTaskParameters", given.ecs_task_parameters.is_some()),
        ("BatchJobParameters", given.batch_job_parameters.is_some()),
        ("RedshiftDataParameters", given.redshift_data_parameters.is_some()),
        ("SageMakerPipelineParameters", given.sage_maker_pipeline_parameters.is_some()),
        ("TimestreamParameters", given.timestream_parameters.is_some()),
    ];
    if let Some((name, _)) = unhonoured.iter().find(|(_, given)| *given) {
        return Err(fault::not_honoured(name));
    }
    let bus = arn.resource.starts_with("event-bus/");
    let fitting = [
        ("LambdaFunctionParameters", given.lambda_function_parameters.is_some(), arn.service == "lambda"),
        (
            "StepFunctionStateMachineParameters",
            given.step_function_state_machine_parameters.is_some(),
            arn.service == "states",
        ),
        ("SqsQueueParameters", given.sqs_queue_parameters.is_some(), arn.service == "sqs"),
        ("EventBridgeEventBusParameters", given.event_bridge_event_bus_parameters.is_some(), bus),
        ("CloudWatchLogsParameters", given.cloud_watch_logs_parameters.is_some(), arn.service == "logs"),
        ("HttpParameters", given.http_parameters.is_some(), arn.service == "events" && !bus),
    ];
    if let Some((name, ..)) = fitting.iter().find(|(_, given, fits)| *given && !fits) {
        return Err(fault::invalid(format!("{name} do not go with the target {arn}.")));
    }
    match &given.event_bridge_event_bus_parameters {
        Some(parameters) if parameters.endpoint_id.is_some() => Err(fault::not_honoured("EndpointId")),
        _ => Ok(()),
    }
}

/// Refuses a parameter that begins as a JSON path does and is none: it would come to nothing with every event.
fn paths(what: &str, given: &Document) -> Result<(), Fault> {
    match given {
        Document::String(text) if text.starts_with('$') && Path::parse(text).is_err() => {
            Err(fault::invalid(format!("{what} has an invalid JSON path: {text}")))
        }
        Document::Array(items) => items.iter().try_for_each(|item| paths(what, item)),
        Document::Object(members) => {
            // A template has paths of its own within its text.
            let mut parameters = members.iter().filter(|(name, _)| *name != "InputTemplate");
            parameters.try_for_each(|(name, value)| paths(&format!("{what}.{name}"), value))
        }
        _ => Ok(()),
    }
}

fn log(log: &PipeLogConfigurationParameters) -> Result<(), Fault> {
    let unhonoured = [
        ("S3LogDestination", log.s3_log_destination.is_some()),
        ("FirehoseLogDestination", log.firehose_log_destination.is_some()),
    ];
    match unhonoured.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::not_honoured(name)),
        None if log.level != LogLevel::Off && log.cloudwatch_logs_log_destination.is_none() => {
            Err(fault::invalid("LogConfiguration needs a destination unless its Level is OFF."))
        }
        None => Ok(()),
    }
}
