//! Distributed maps: what a definition says about one, what a run of it is ([`MapRun`]), and how files become items
//! ([`decode`]).
//!
//! It knows items, batches, counters and tolerances. It must not know buckets, child executions or rows: the service reads
//! pages of items, starts children and gathers their results when a [`MapRunCommand`] asks for it. The run's value is
//! small however many items there are: a cursor into them, one page, and counters.

mod batch;
mod counts;
mod decode;
mod plan;
mod redrive;
mod run;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::machine::{Machine, Quantity};
use crate::template::Template;

pub use counts::{ChildOutcome, Counts};
pub use decode::{Item, ItemPage, Manifest, csv_beginning, decode, read_athena_manifest, read_manifest};
pub use plan::{ItemFormat, ItemSource, MapRunPlan, OutputType, ResultExport, Transformation};
pub use redrive::Unsuccessful;
pub use run::{MapRun, MapRunCommand, MapRunContext, MapRunEnd, MapRunStatus, MapRunStimulus};

pub(crate) use batch::batches;
pub(crate) use plan::{BatchPlan, SelectorScope};

/// What a Map state in Distributed mode has beyond others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distributed {
    /// What its child executions run.
    pub(crate) machine: Arc<Machine>,
    pub(crate) express: bool,
    pub(crate) label: String,
    pub(crate) reader: Option<Reader>,
    pub(crate) batcher: Option<Batcher>,
    pub(crate) writer: Option<Writer>,
    pub(crate) tolerated_count: Option<Quantity>,
    pub(crate) tolerated_percentage: Option<Quantity<f64>>,
}

/// `ItemReader`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reader {
    pub(crate) source: Source,
    pub(crate) arguments: Template,
    pub(crate) config: ReaderConfig,
}

/// The resource of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `s3:getObject`.
    Object,
    /// `s3:listObjectsV2`.
    Objects,
}

/// `ReaderConfig`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReaderConfig {
    pub(crate) input_type: Option<InputType>,
    pub(crate) manifest_type: Option<ManifestType>,
    pub(crate) headers: CsvHeaders,
    pub(crate) delimiter: u8,
    pub(crate) pointer: Option<String>,
    pub(crate) max_items: Option<Quantity>,
    /// `Transformation: LOAD_AND_FLATTEN`: the items of the objects that are listed, not the objects.
    pub(crate) load: bool,
}

/// `InputType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputType {
    Csv,
    Json,
    JsonLines,
    Parquet,
    Manifest,
}

impl InputType {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "CSV" => Self::Csv,
            "JSON" => Self::Json,
            "JSONL" => Self::JsonLines,
            "PARQUET" => Self::Parquet,
            "MANIFEST" => Self::Manifest,
            _ => return None,
        })
    }
}

/// `ManifestType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManifestType {
    S3Inventory,
    AthenaData,
}

/// Where the names of a CSV file's columns stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CsvHeaders {
    /// In the file's first row.
    #[default]
    FirstRow,
    /// In the definition.
    Given(Vec<String>),
}

/// `ItemBatcher`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batcher {
    pub(crate) max_items: Option<Quantity>,
    pub(crate) max_bytes: Option<Quantity>,
    pub(crate) input: Option<Template>,
}

/// `ResultWriter`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Writer {
    /// Where to export to; none only shapes the output.
    pub(crate) arguments: Option<Template>,
    pub(crate) transformation: Transformation,
    pub(crate) output: OutputType,
}
