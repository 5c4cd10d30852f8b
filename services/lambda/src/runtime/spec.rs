//! What a function is to the supervisor, what it is asked, and what it answers.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use bytes::Bytes;

/// A package's zip bytes, or why they cannot be had.
pub type PackageFuture = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send>>;

/// Fetches a package's zip bytes; asked only when the unpacked package is not on disk yet.
pub type PackageFetch = Arc<dyn Fn() -> PackageFuture + Send + Sync>;

/// A zip package and the digest that names it.
#[derive(Clone)]
pub struct Archive {
    /// SHA-256 of the zip bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Yields the zip bytes.
    pub fetch: PackageFetch,
}

impl Archive {
    /// A package whose bytes are at hand.
    pub fn inline(zip: Bytes) -> Archive {
        use sha2::Digest;
        let sha256 = hex::encode(sha2::Sha256::digest(&zip));
        let fetch: PackageFetch = Arc::new(move || {
            let zip = zip.clone();
            Box::pin(async move { Ok(zip) })
        });
        Archive { sha256, fetch }
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

/// A layer's package; its tree is what AWS mounts at `/opt`.
pub type Layer = Archive;

/// Where a function's files come from.
#[derive(Clone, Debug)]
pub enum Code {
    /// A package, unpacked once per digest.
    Zip(Archive),
    /// A directory used as it stands, for development.
    Directory(PathBuf),
}

/// The credentials of the function's role.
#[derive(Clone)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How log events are written.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Logging {
    /// As lines of text.
    #[default]
    Text,
    /// As JSON objects, each with a level.
    Json {
        /// The code's events from this level on: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`.
        application_level: String,
        /// The platform's events from this level on: `DEBUG`, `INFO` or `WARN`.
        system_level: String,
    },
}

/// One version of one function, as far as its processes depend on it.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The function's ARN with its version. Processes are shared by invocations with the same ARN and revision.
    pub arn: String,
    /// The function's name.
    pub name: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// Changes whenever anything here changes: a new revision makes new processes and drains the old ones.
    pub revision: String,
    /// AWS's runtime identifier, e.g. `nodejs22.x`.
    pub runtime: String,
    /// The handler as configured, e.g. `index.handler`.
    pub handler: String,
    /// The function's files.
    pub code: Code,
    /// Layers, lowest first; a file of a later layer hides one of an earlier layer.
    pub layers: Vec<Layer>,
    /// The memory limit in MiB.
    pub memory_mb: u32,
    /// The size limit of a file that the function writes, in MiB.
    pub ephemeral_storage_mb: u32,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// The configured variables. Reserved ones are overridden.
    pub environment: BTreeMap<String, String>,
    /// The function's account.
    pub account: AccountId,
    /// The function's region.
    pub region: Region,
    /// The credentials handed to the code.
    pub credentials: Credentials,
    /// The log group that its output goes to.
    pub log_group: String,
    /// How that output is written.
    pub logging: Logging,
    /// Where the code finds the platform, e.g. `http://127.0.0.1:4566`.
    pub endpoint_url: String,
}

/// One request to run a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The request id that the code, the logs and the answer carry.
    pub request_id: String,
    /// The event, JSON.
    pub payload: Bytes,
    /// The ARN that the caller named, with its alias or version if it named one.
    pub invoked_arn: String,
    /// The X-Ray trace header, if tracing.
    pub trace_header: Option<String>,
    /// The client context as JSON text.
    pub client_context: Option<String>,
}

/// Who reported a function error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The code reported it. AWS answers `Unhandled` here too nowadays; kept for clients of the older answer.
    Handled,
    /// The runtime or the platform reported it.
    Unhandled,
}

impl ErrorKind {
    /// The text of the header `X-Amz-Function-Error`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Handled => "Handled",
            ErrorKind::Unhandled => "Unhandled",
        }
    }
}

/// A function's answer, good or bad.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// The answer's bytes: JSON, or anything at all if streamed.
    pub payload: Bytes,
    /// Set if the payload is an error document.
    pub function_error: Option<ErrorKind>,
    /// The last 4 KiB of this invocation's log lines, START and REPORT included.
    pub log_tail: String,
    /// The version that ran.
    pub executed_version: String,
    /// The log stream of the process that ran it.
    pub log_stream: String,
    /// How long the process took to start, if this invocation started one, in milliseconds.
    pub init_ms: Option<f64>,
    /// How long the code took, in milliseconds.
    pub duration_ms: f64,
    /// Initialisation and duration, rounded up to the millisecond.
    pub billed_ms: u64,
    /// The largest resident size of the process up to now, in MiB.
    pub max_memory_mb: u64,
    /// The content type that the code gave its answer.
    pub content_type: Option<String>,
    /// Whether the code streamed its answer.
    pub streamed: bool,
}

/// Why a function could not be run at all. What the code itself does wrong is in [`Invoked`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The runtime is not served, or its interpreter is not installed.
    #[error("{0}")]
    InvalidRuntime(String),
    /// The package cannot be fetched or unpacked.
    #[error("{0}")]
    InvalidPackage(String),
    /// Every process slot is taken.
    #[error("Rate Exceeded.")]
    Throttled,
    /// The process could not be started, or died again and again before taking its work.
    #[error("{0}")]
    Start(String),
    /// The supervisor is shutting down.
    #[error("the function supervisor is shutting down")]
    ShuttingDown,
}

/// Takes the output of functions.
pub trait LogSink: Send + Sync {
    /// Lines in order, without line ends, for one stream of the function's log group. Must not block.
    fn write(&self, spec: &FunctionSpec, stream: &str, lines: Vec<(Timestamp, String)>);
}

/// Drops every line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlogged;

impl LogSink for Unlogged {
    fn write(&self, _spec: &FunctionSpec, _stream: &str, _lines: Vec<(Timestamp, String)>) {}
}
