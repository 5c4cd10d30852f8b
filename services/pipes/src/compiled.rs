//! A pipe's settings, ready to run.

use base::{Arn, Fault};
use pattern::Pattern;

use crate::fault;
use crate::keys::Settings;
use crate::template::{Context, Template};

/// Messages of a batch, unless configured otherwise.
const BATCH_SIZE: usize = 10;
/// The same of a stream's records.
const STREAM_BATCH_SIZE: usize = 100;

/// A pipe that can run.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub name: String,
    pub arn: String,
    pub source: Arn,
    pub batch_size: usize,
    pub window_s: u64,
    /// An event passes if one matches, or if there is none.
    pub filters: Vec<Pattern>,
    pub enrichment: Option<Arn>,
    pub enrichment_template: Option<Template>,
    pub target: Arn,
    pub target_template: Option<Template>,
    pub context: Context,
    pub settings: Settings,
}

impl Compiled {
    /// # Errors
    /// What cannot be run, as a validation error.
    pub(crate) fn new(name: &str, arn: String, settings: Settings) -> Result<Compiled, Fault> {
        let parameters = &settings.source_parameters;
        let queue = parameters.sqs_queue_parameters.as_ref();
        let stream = parameters.dynamo_db_stream_parameters.as_ref();
        let batch_default = if stream.is_some() { STREAM_BATCH_SIZE } else { BATCH_SIZE };
        let filters =
            parameters.filter_criteria.iter().flat_map(|criteria| criteria.filters.iter().flatten());
        let filters = filters.filter_map(|filter| filter.pattern.as_deref()).map(parse_pattern);
        let enrichment_template = settings
            .enrichment_parameters
            .as_ref()
            .and_then(|parameters| parameters.input_template.as_deref());
        Ok(Compiled {
            name: name.to_owned(),
            source: parse_arn("Source", &settings.source)?,
            batch_size: queue
                .and_then(|queue| queue.batch_size)
                .or_else(|| stream.and_then(|stream| stream.batch_size))
                .map_or(batch_default, |size| size.unsigned_abs() as usize),
            window_s: queue
                .and_then(|queue| queue.maximum_batching_window_in_seconds)
                .or_else(|| stream.and_then(|stream| stream.maximum_batching_window_in_seconds))
                .map_or(0, |seconds| seconds.unsigned_abs().into()),
            filters: filters.collect::<Result<_, _>>()?,
            enrichment: settings.enrichment.as_deref().map(|arn| parse_arn("Enrichment", arn)).transpose()?,
            enrichment_template: parse_template("EnrichmentParameters", enrichment_template)?,
            target: parse_arn("Target", &settings.target)?,
            target_template: parse_template(
                "TargetParameters",
                settings.target_parameters.input_template.as_deref(),
            )?,
            context: Context {
                pipe_arn: arn.clone(),
                pipe_name: name.to_owned(),
                source_arn: settings.source.clone(),
                enrichment_arn: settings.enrichment.clone().unwrap_or_default(),
                target_arn: settings.target.clone(),
            },
            arn,
            settings,
        })
    }

    /// Whether the source is a stream and no queue.
    pub(crate) fn is_stream(&self) -> bool {
        self.source.service == "dynamodb"
    }

    /// Whether the source gives messages of a group one after the other; a stream is one group.
    pub(crate) fn is_ordered(&self) -> bool {
        self.is_stream() || self.source.resource.ends_with(".fifo")
    }
}

fn parse_arn(what: &str, text: &str) -> Result<Arn, Fault> {
    text.parse().map_err(|_| fault::invalid(format!("{what} {text} is not a valid ARN.")))
}

fn parse_pattern(text: &str) -> Result<Pattern, Fault> {
    Pattern::parse(text)
        .map_err(|invalid| fault::invalid(format!("Event pattern is not valid. Reason: {}", invalid.message)))
}

fn parse_template(what: &str, text: Option<&str>) -> Result<Option<Template>, Fault> {
    let parsed = text.filter(|text| !text.is_empty()).map(Template::parse).transpose();
    parsed.map_err(|why| fault::invalid(format!("InputTemplate of {what} is not valid: {why}")))
}
