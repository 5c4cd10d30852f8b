//! What a caller asks of a mapping: taken over where it is honoured, refused by name where it is not.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>

use base::Fault;
use pattern::Pattern;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::api::{
    CreateEventSourceMappingInput, DestinationConfig, EventSourceMappingConfiguration, EventSourcePosition,
    Filter, FilterCriteria, FunctionResponseType, OnFailure, ScalingConfig, UpdateEventSourceMappingInput,
};
use crate::fault;

/// The most lanes of a stream: `ParallelizationFactor` ends there.
pub(crate) const LANES_MAX: u32 = 10;
/// The most filters of a mapping.
const FILTERS_MAX: usize = 5;
/// Batches of a queue that are with the function at once, unless `MaximumConcurrency` says otherwise.
const CONCURRENCY: u32 = 20;

/// What a mapping does, with AWS's defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub batch_size: u32,
    pub window_s: u32,
    /// Patterns; a record passes if one matches, or if there is none.
    pub filters: Vec<String>,
    /// `ReportBatchItemFailures`.
    pub reports_failures: bool,
    /// `MaximumConcurrency`, of queues.
    pub concurrency_max: Option<u32>,
    /// `ParallelizationFactor`; 1 for queues.
    pub lanes: u32,
    /// `StartingPosition`, of streams.
    pub begins: Option<EventSourcePosition>,
    pub bisects: bool,
    /// -1 is without bound.
    pub retries_max: i32,
    /// In seconds; -1 is without bound.
    pub age_s_max: i32,
    /// Where records go that are given up.
    pub on_failure: Option<String>,
}

/// What both requests may say.
pub(crate) struct Wanted {
    batch_size: Option<i32>,
    window_s: Option<i32>,
    filters: Option<FilterCriteria>,
    response_types: Option<Vec<FunctionResponseType>>,
    scaling: Option<ScalingConfig>,
    lanes: Option<i32>,
    bisects: Option<bool>,
    retries_max: Option<i32>,
    age_s_max: Option<i32>,
    destinations: Option<DestinationConfig>,
}

/// What either request wants: they share these members, but no type.
macro_rules! wanted {
    ($input:ident) => {{
        refuse(&[
            ("KMSKeyArn", $input.kms_key_arn.as_ref().is_some_and(|arn| !arn.is_empty())),
            ("MetricsConfig", $input.metrics_config.is_some()),
            ("LoggingConfig", $input.logging_config.is_some()),
            ("TumblingWindowInSeconds", $input.tumbling_window_in_seconds.is_some_and(|s| s > 0)),
            ("SourceAccessConfigurations", $input.source_access_configurations.is_some()),
            (
                "AmazonManagedKafkaEventSourceConfig",
                $input.amazon_managed_kafka_event_source_config.is_some(),
            ),
            ("SelfManagedKafkaEventSourceConfig", $input.self_managed_kafka_event_source_config.is_some()),
            ("DocumentDBEventSourceConfig", $input.document_db_event_source_config.is_some()),
            ("ProvisionedPollerConfig", $input.provisioned_poller_config.is_some()),
        ])?;
        Ok(Wanted {
            batch_size: $input.batch_size,
            window_s: $input.maximum_batching_window_in_seconds,
            filters: $input.filter_criteria.clone(),
            response_types: $input.function_response_types.clone(),
            scaling: $input.scaling_config.clone(),
            lanes: $input.parallelization_factor,
            bisects: $input.bisect_batch_on_function_error,
            retries_max: $input.maximum_retry_attempts,
            age_s_max: $input.maximum_record_age_in_seconds,
            destinations: $input.destination_config.clone(),
        })
    }};
}

impl Wanted {
    pub(crate) fn created(input: &CreateEventSourceMappingInput) -> Result<Wanted, Fault> {
        refuse(&[
            ("Topics", input.topics.is_some()),
            ("Queues", input.queues.is_some()),
            ("SelfManagedEventSource", input.self_managed_event_source.is_some()),
        ])?;
        wanted!(input)
    }

    pub(crate) fn updated(input: &UpdateEventSourceMappingInput) -> Result<Wanted, Fault> {
        wanted!(input)
    }

    /// Where records go that are given up, if the request says so.
    pub(crate) fn on_failure(&self) -> Option<String> {
        on_failure(self.destinations.as_ref())
    }

    /// Refuses what the kind of source does not have.
    fn check(&self, kind: Kind) -> Result<(), Fault> {
        let given = match kind {
            Kind::Stream => vec![("ScalingConfig", self.scaling.is_some())],
            Kind::Queue | Kind::FifoQueue => vec![
                ("ParallelizationFactor", self.lanes.is_some()),
                ("BisectBatchOnFunctionError", self.bisects.is_some()),
                ("MaximumRetryAttempts", self.retries_max.is_some()),
                ("MaximumRecordAgeInSeconds", self.age_s_max.is_some()),
                ("DestinationConfig", on_failure(self.destinations.as_ref()).is_some()),
            ],
        };
        let source = if kind == Kind::Stream { "DynamoDB" } else { "SQS" };
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(fault::invalid(format!("{name} is not a valid parameter for {source} event sources.")))
            }
            None => Ok(()),
        }
    }
}

fn refuse(properties: &[(&str, bool)]) -> Result<(), Fault> {
    match properties.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::invalid(format!(
            "{name} is not implemented by Buswork, so an event source mapping that asks for it is refused"
        ))),
        None => Ok(()),
    }
}

fn on_failure(config: Option<&DestinationConfig>) -> Option<String> {
    config?.on_failure.as_ref()?.destination.clone().filter(|arn| !arn.is_empty())
}

impl Settings {
    /// AWS's defaults for a kind of source.
    pub(crate) fn default_for(kind: Kind, begins: Option<EventSourcePosition>) -> Settings {
        Settings {
            batch_size: if kind == Kind::Stream { 100 } else { 10 },
            window_s: 0,
            filters: Vec::new(),
            reports_failures: false,
            concurrency_max: None,
            lanes: 1,
            begins,
            bisects: false,
            retries_max: -1,
            age_s_max: -1,
            on_failure: None,
        }
    }

    /// Takes over what is wanted.
    pub(crate) fn apply(&mut self, kind: Kind, wanted: Wanted) -> Result<(), Fault> {
        wanted.check(kind)?;
        let unsigned = |value: Option<i32>, present: u32| value.map_or(present, i32::unsigned_abs);
        self.batch_size = unsigned(wanted.batch_size, self.batch_size);
        self.window_s = unsigned(wanted.window_s, self.window_s);
        self.lanes = unsigned(wanted.lanes, self.lanes);
        self.bisects = wanted.bisects.unwrap_or(self.bisects);
        self.retries_max = wanted.retries_max.unwrap_or(self.retries_max);
        self.age_s_max = wanted.age_s_max.unwrap_or(self.age_s_max);
        if let Some(criteria) = wanted.filters {
            self.filters = filters(criteria)?;
        }
        if let Some(types) = wanted.response_types {
            self.reports_failures = types.contains(&FunctionResponseType::ReportBatchItemFailures);
        }
        if let Some(scaling) = wanted.scaling {
            self.concurrency_max = scaling.maximum_concurrency.map(i32::unsigned_abs);
        }
        if let Some(destinations) = &wanted.destinations {
            if destinations.on_success.as_ref().is_some_and(|on| on.destination.is_some()) {
                return Err(fault::invalid(
                    "OnSuccess destinations are not supported for event source mappings.",
                ));
            }
            self.on_failure = on_failure(Some(destinations));
        }
        self.check(kind)
    }

    fn check(&self, kind: Kind) -> Result<(), Fault> {
        let refused = |text: &str| Err(fault::invalid(text));
        match kind {
            Kind::FifoQueue if self.batch_size > 10 => {
                refused("Batch size for FIFO queues must be less than or equal to 10.")
            }
            Kind::FifoQueue if self.window_s > 0 => {
                refused("Batching window is not supported for FIFO queues.")
            }
            Kind::Queue if self.batch_size > 10 && self.window_s == 0 => refused(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
            ),
            Kind::Stream if (0..60).contains(&self.age_s_max) => {
                refused("MaximumRecordAgeInSeconds must be -1, or at least 60.")
            }
            _ => Ok(()),
        }
    }

    /// How many batches of a queue may be with the function at once.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency_max.unwrap_or(CONCURRENCY) as usize
    }

    /// The members of a mapping's description that are settings.
    pub(crate) fn shown(&self, kind: Option<Kind>) -> EventSourceMappingConfiguration {
        let is_stream = kind == Some(Kind::Stream);
        let number = |value: u32| i32::try_from(value).ok();
        let filter = |pattern: &String| Filter { pattern: Some(pattern.clone()) };
        let types = self.reports_failures.then_some(FunctionResponseType::ReportBatchItemFailures);
        EventSourceMappingConfiguration {
            starting_position: self.begins,
            batch_size: number(self.batch_size),
            maximum_batching_window_in_seconds: number(self.window_s),
            parallelization_factor: number(self.lanes).filter(|_| is_stream),
            filter_criteria: (!self.filters.is_empty())
                .then(|| FilterCriteria { filters: Some(self.filters.iter().map(filter).collect()) }),
            scaling_config: self
                .concurrency_max
                .map(|max| ScalingConfig { maximum_concurrency: number(max) }),
            destination_config: is_stream.then(|| DestinationConfig {
                on_failure: Some(OnFailure { destination: self.on_failure.clone() }),
                ..DestinationConfig::default()
            }),
            maximum_record_age_in_seconds: is_stream.then_some(self.age_s_max),
            bisect_batch_on_function_error: is_stream.then_some(self.bisects),
            maximum_retry_attempts: is_stream.then_some(self.retries_max),
            tumbling_window_in_seconds: is_stream.then_some(0),
            function_response_types: Some(types.into_iter().collect()),
            ..EventSourceMappingConfiguration::default()
        }
    }
}

fn filters(criteria: FilterCriteria) -> Result<Vec<String>, Fault> {
    let patterns: Vec<String> =
        criteria.filters.unwrap_or_default().into_iter().filter_map(|filter| filter.pattern).collect();
    if patterns.len() > FILTERS_MAX {
        let text = format!("Maximum number of filters for an event source mapping is {FILTERS_MAX}.");
        return Err(fault::invalid(text));
    }
    for pattern in &patterns {
        Pattern::parse(pattern).map_err(|invalid| {
            fault::invalid(format!("Invalid filter pattern definition. {}", invalid.message))
        })?;
    }
    Ok(patterns)
}
