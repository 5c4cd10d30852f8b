//! `api.toml`, `api-<part>.toml`: which operations a service serves, and what its model does not say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// One `api.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    /// The model's directory in botocore.
    pub(super) model: String,
    /// What the house calls the service where another one signs by the same name: its crate, its rows and the router.
    /// `base::schema` knows by what name it signs.
    pub(super) name: Option<String>,
    /// The model's version; the newest if absent.
    pub(super) version: Option<String>,
    /// The operations to serve.
    pub(super) operations: Vec<String>,
    /// What the URL of an operation's or type's page starts with.
    pub(super) docs: Option<String>,
    /// The error code of broken constraints, or `sqs`.
    #[serde(default = "validation_exception")]
    pub(super) validation: String,
    /// Protocols besides the model's own.
    #[serde(default)]
    pub(super) protocols: Vec<String>,
    /// What precedes `#` in `__type`.
    pub(super) error_namespace: Option<String>,
    /// The name space of XML answers, if the model has none.
    pub(super) xml_namespace: Option<String>,
    /// Shapes whose Rust type is written by hand.
    #[serde(default, rename = "extern")]
    pub(super) external: BTreeMap<String, String>,
    /// Enumerations that stay plain text: AWS accepts values that its model does not list.
    #[serde(default)]
    pub(super) open_enums: Vec<String>,
    /// Errors that differ from the model, or that no listed operation names.
    #[serde(default)]
    pub(super) errors: BTreeMap<String, ErrorConfig>,
    /// Element names of lists in XML and forms.
    #[serde(default)]
    pub(super) lists: BTreeMap<String, String>,
    /// Entry, key and value names of maps in XML and forms.
    #[serde(default)]
    pub(super) maps: BTreeMap<String, [String; 3]>,
    /// Members, as `Shape.Member`, that the model describes wrongly.
    #[serde(default)]
    pub(super) members: BTreeMap<String, MemberConfig>,
    /// Write the schema tables only, into `<file>.rs` beside the file.
    #[serde(default)]
    pub(super) tables_only: bool,
}

/// What the model does not say about an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ErrorConfig {
    /// Its code in the query protocol.
    pub(super) query_code: Option<String>,
    /// Its HTTP status.
    pub(super) status: Option<u16>,
}

/// What a member really is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberConfig {
    /// Its shape.
    pub(super) shape: String,
    /// Its name on the wire.
    pub(super) named: Option<String>,
}

fn validation_exception() -> String {
    "ValidationException".to_owned()
}

impl Config {
    /// The file to write.
    pub(super) fn target(&self, toml: &Path) -> Result<PathBuf> {
        if self.tables_only {
            return Ok(toml.with_extension("rs"));
        }
        let stem = toml.file_stem().and_then(|stem| stem.to_str()).context("a file has a name")?;
        let source = format!("src/{}.rs", stem.replace('-', "_"));
        Ok(toml.parent().context("a file has a directory")?.join(source))
    }
}
