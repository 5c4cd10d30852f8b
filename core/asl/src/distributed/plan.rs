//! What a map run is to do: everything that the state says, evaluated when it was entered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CsvHeaders;

/// A map run's orders. Nothing in it changes, except by `UpdateMapRun`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapRunPlan {
    /// The label of its Map state: with it, [`Machine::child`](crate::Machine::child) finds what children run.
    pub label: String,
    /// Whether the children are EXPRESS.
    pub express: bool,
    /// `MaxConcurrency`; 0 for AWS's own bound.
    pub max_concurrency: u64,
    /// `ToleratedFailureCount`, if the state has it.
    pub tolerated_failure_count: Option<u64>,
    /// `ToleratedFailurePercentage`, if the state has it.
    pub tolerated_failure_percentage: Option<f64>,
    /// Where the items are.
    pub source: ItemSource,
    /// `MaxItems`, if the reader has it.
    pub max_items: Option<u64>,
    /// What to do with the results.
    pub export: Option<ResultExport>,
    pub(crate) batch: Option<BatchPlan>,
    pub(crate) selector: Option<SelectorScope>,
}

/// Where a map run's items are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ItemSource {
    /// In the state's input: they are in the run already, and no page is ever asked for.
    Given,
    /// In one object of S3 (`s3:getObject`): read it, and [`decode`](super::decode) it.
    Object {
        /// The parameters of the call: `Bucket`, `Key`, `VersionId`.
        parameters: Value,
        /// What is in the object.
        format: ItemFormat,
    },
    /// Objects of S3 themselves (`s3:listObjectsV2`): each item is an object's description.
    Objects {
        /// The parameters of the call: `Bucket`, `Prefix`.
        parameters: Value,
    },
    /// What is in the objects that `s3:listObjectsV2` tells of (`LOAD_AND_FLATTEN`): list them, read each, and
    /// [`decode`](super::decode) it.
    Contents {
        /// The parameters of the call: `Bucket`, `Prefix`.
        parameters: Value,
        /// What is in each object.
        format: ItemFormat,
    },
}

impl ItemSource {
    /// `$$.Map.Item.Source`: `STATE_DATA`, or the bucket or the object that the items are read from, as a URI. Items of
    /// which several objects hold some say themselves which ([`Item::source`](super::Item::source)).
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>
    pub(crate) fn uri(&self) -> String {
        let text = |parameters: &Value, name: &str| {
            parameters.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        match self {
            Self::Given => crate::step::STATE_DATA.to_owned(),
            Self::Object { parameters, .. } => {
                format!("S3://{}/{}", text(parameters, "Bucket"), text(parameters, "Key"))
            }
            Self::Objects { parameters } | Self::Contents { parameters, .. } => {
                format!("S3://{}", text(parameters, "Bucket"))
            }
        }
    }
}

/// What is in a file of items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemFormat {
    /// An array, or an object whose members are the items; perhaps only at a place in it.
    Json {
        /// `ItemsPointer`: a JSON Pointer.
        pointer: Option<String>,
    },
    /// One JSON value on each line.
    JsonLines,
    /// Rows of a table.
    Csv {
        /// The names of the columns.
        headers: CsvHeaders,
        /// What stands between columns.
        delimiter: u8,
    },
    /// An S3 inventory's `manifest.json`: [`read_manifest`](super::read_manifest) says which files hold the rows.
    Inventory,
    /// Rows of a Parquet file. [`decode`](super::decode) does not know it: its end must be read first.
    Parquet,
    /// Athena's list of the files that a query wrote: [`read_athena_manifest`](super::read_athena_manifest) says which.
    Athena {
        /// What is in each of them.
        of: Box<ItemFormat>,
    },
}

/// `ResultWriter`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultExport {
    /// `Bucket` and `Prefix`; `None` if the results are only shaped, and stay the state's output.
    pub parameters: Option<Value>,
    /// What becomes of each result.
    pub transformation: Transformation,
    /// How the files are written.
    pub output: OutputType,
}

/// `WriterConfig.Transformation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transformation {
    /// Outputs with the metadata of their executions.
    #[default]
    None,
    /// Outputs alone.
    Compact,
    /// Outputs alone, arrays among them element by element.
    Flatten,
}

/// `WriterConfig.OutputType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputType {
    /// One array.
    #[default]
    Json,
    /// One value on each line.
    JsonLines,
}

/// `ItemBatcher`, evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchPlan {
    pub(crate) max_items: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) input: Option<Value>,
}

/// What `ItemSelector` is evaluated against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SelectorScope {
    pub(crate) input: Value,
    pub(crate) context: Value,
    pub(crate) variables: BTreeMap<String, Value>,
}
