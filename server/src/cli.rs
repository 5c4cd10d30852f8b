//! The command line.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::config::StartArgs;

/// AWS's event-driven services in one durable, explainable binary.
#[derive(Debug, Parser)]
#[command(name = "buswork", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the server.
    Start(StartArgs),
    /// Creates or updates a CloudFormation stack and waits for it.
    Deploy(DeployArgs),
    /// Follows the sources of a deployed CDK or SST app's functions, and swaps their code as it changes.
    Dev(DevArgs),
    /// Prints an output of a stack.
    Output(OutputArgs),
    /// Puts a file into a bucket.
    Put(PutArgs),
    /// Calls any operation with a JSON document and prints the answer.
    Call(CallArgs),
    /// Shows the chain of causes of an event, an execution or a request.
    Trace(TraceArgs),
    /// Explains an event: who sent it, every rule that matched or did not and why, every delivery, causes and consequences.
    Explain(ExplainArgs),
    /// Shows events as they come.
    Tail(TailArgs),
    /// Finds events.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Sends one event, one dead letter, or everything since a time once more.
    Redeliver(RedeliverArgs),
    /// Looks after schemas.
    #[command(subcommand)]
    Schemas(SchemasCommand),
    /// Looks after what functions run on.
    #[command(subcommand)]
    Runtime(RuntimeCommand),
    /// Says where the local authority is whose certificates the server shows, or makes this machine trust it or trust it no more.
    Trust(TrustArgs),
    /// Looks through a store that is not in use and says what is wrong with it.
    Verify(VerifyArgs),
    /// Measures a server, or servers of its own, and prints the figures beside the targets.
    Bench(BenchArgs),
}

/// Where the server is.
#[derive(Debug, Clone, Args)]
pub struct Endpoint {
    /// The server's address.
    #[arg(long, env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:4566")]
    pub endpoint: String,
    /// The region.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub region: String,
    /// The access key; twelve digits name an account.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", default_value = "test", hide_env_values = true)]
    pub access_key: String,
    /// Its secret.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", default_value = "test", hide_env_values = true)]
    pub secret_key: String,
    /// The token of temporary credentials.
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub session_token: Option<String>,
    /// What opens the trace and explanations of a server in the strict profile.
    #[arg(long, env = "BUSWORK_OPERATOR_TOKEN", hide_env_values = true)]
    pub operator_token: Option<String>,
}

/// `buswork deploy`
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The template, YAML or JSON.
    pub template: PathBuf,
    /// The stack's name.
    #[arg(long)]
    pub stack_name: String,
    /// A parameter of the template; may be given several times.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork dev`
#[derive(Debug, Args)]
pub struct DevArgs {
    /// The app's directory: where `cdk` or `sst` is run.
    #[arg(default_value = ".")]
    pub directory: PathBuf,
    /// A function whose source cannot be found, by its deployed name, and the directory or the entry of the bundle that it is
    /// made from; may be given several times.
    #[arg(long = "function", value_name = "NAME=PATH")]
    pub functions: Vec<String>,
    /// A further flag of esbuild, e.g. `--esbuild=--define:STAGE="dev"`; may be given several times.
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub esbuild: Vec<String>,
    /// Do not print what the functions log.
    #[arg(long)]
    pub no_logs: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork output`
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// The stack's name.
    pub stack_name: String,
    /// The output's key; all outputs are printed without one.
    pub key: Option<String>,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork put`
#[derive(Debug, Args)]
pub struct PutArgs {
    /// The file.
    pub file: PathBuf,
    /// Where it goes: `s3://bucket/key`.
    pub url: String,
    /// The object's content type; chosen by the file's ending if not given.
    #[arg(long)]
    pub content_type: Option<String>,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork call`
#[derive(Debug, Args)]
pub struct CallArgs {
    /// The signing name of the service, e.g. `sqs`.
    pub service: String,
    /// The operation, e.g. `SendMessage`.
    pub operation: String,
    /// The input.
    #[arg(default_value = "{}")]
    pub input: String,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork trace`
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// An event's id, an execution's ARN, or a request's id.
    pub id: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The event's id, or an execution's ARN.
    pub id: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork events`
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Finds events that are kept, newest first.
    Search(SearchArgs),
}

/// `buswork events search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// A text anywhere in the event, in whatever case.
    pub text: Option<String>,
    /// The bus; the default one if not given.
    #[arg(long)]
    pub bus: Option<String>,
    /// The event's source.
    #[arg(long)]
    pub source: Option<String>,
    /// The event's detail type.
    #[arg(long)]
    pub detail_type: Option<String>,
    /// A pattern that the event matches.
    #[arg(long)]
    pub pattern: Option<String>,
    /// What came at this time or later, in ISO 8601.
    #[arg(long)]
    pub from: Option<String>,
    /// What came before this time, in ISO 8601.
    #[arg(long)]
    pub to: Option<String>,
    /// The most events.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Print JSON, one event a line.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork tail`
#[derive(Debug, Args)]
pub struct TailArgs {
    /// The bus; the default one if not given.
    #[arg(long)]
    pub bus: Option<String>,
    /// A pattern that the events match.
    #[arg(long)]
    pub pattern: Option<String>,
    /// End after so many events.
    #[arg(long)]
    pub count: Option<u64>,
    /// Print JSON, one event a line.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork redeliver`
#[derive(Debug, Args)]
pub struct RedeliverArgs {
    /// The event's id.
    pub id: Option<String>,
    /// Everything that came to the bus at this time or later, in ISO 8601.
    #[arg(long, requires = "bus", conflicts_with = "id")]
    pub from: Option<String>,
    /// A letter in this dead-letter queue, by the queue's name. It is removed once its event is on its way again.
    #[arg(long, conflicts_with_all = ["id", "from", "rule", "target"])]
    pub dead_letter: Option<String>,
    /// Which letter, by its message id; any one if not given.
    #[arg(long, requires = "dead_letter")]
    pub message: Option<String>,
    /// The bus.
    #[arg(long)]
    pub bus: Option<String>,
    /// Only to the targets of this rule.
    #[arg(long)]
    pub rule: Option<String>,
    /// Only to this target, by its ARN. One event goes to any target, also to one that no rule has.
    #[arg(long)]
    pub target: Option<String>,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork schemas`
#[derive(Debug, Subcommand)]
pub enum SchemasCommand {
    /// Says which consumers a new version of a schema would break, and fails if there are any.
    Check(SchemaCheckArgs),
}

/// `buswork schemas check`
#[derive(Debug, Args)]
pub struct SchemaCheckArgs {
    /// The new version.
    pub file: PathBuf,
    /// The schema's name; the file's name without its ending if not given.
    #[arg(long)]
    pub schema: Option<String>,
    /// Its registry.
    #[arg(long, default_value = "discovered-schemas")]
    pub registry: String,
    /// The version that it is compared with; the newest if not given.
    #[arg(long)]
    pub version_of: Option<String>,
    /// `JSONSchemaDraft4` or `OpenApi3`; the schema's own if not given.
    #[arg(long = "type")]
    pub kind: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub endpoint: Endpoint,
}

/// `buswork runtime`
#[derive(Debug, Subcommand)]
pub enum RuntimeCommand {
    /// Installs the AWS SDKs that AWS's runtimes bring along, in pinned versions, with `npm` and `pip`.
    Install(RuntimeInstallArgs),
}

/// `buswork runtime install`
#[derive(Debug, Args)]
pub struct RuntimeInstallArgs {
    /// Where to; a directory of the user's own if not given, where every server of the user finds them.
    #[arg(long, env = "BUSWORK_RUNTIME_DIR")]
    pub runtime_dir: Option<PathBuf>,
}

/// `buswork trust`
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// The server's data directory.
    #[arg(long, env = "BUSWORK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Install it in the system's store and in that of the browsers.
    #[arg(long)]
    pub install: bool,
    /// Print the certificate itself instead of its path.
    #[arg(long, conflicts_with_all = ["install", "uninstall"])]
    pub pem: bool,
    /// Remove it from the stores that `--install` puts it into.
    #[arg(long, conflicts_with = "install")]
    pub uninstall: bool,
    /// Remove every authority that `--install` has put there, also of data directories that are gone.
    #[arg(long, requires = "uninstall", conflicts_with = "data_dir")]
    pub all: bool,
}

/// `buswork verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Where the store is.
    #[command(flatten)]
    pub store: crate::config::StoreArgs,
}

/// `buswork bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The address of any server of AWS's API; without one, servers of its own are started.
    #[arg(long)]
    pub endpoint: Option<String>,
    /// The process of that server, to know its CPU time.
    #[arg(long, requires = "endpoint")]
    pub pid: Option<u32>,
    /// What is measured; everything if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub rows: Vec<crate::bench::Row>,
    /// How long each load lasts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub seconds: u16,
    /// How many connections send at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// How many executions stand in a Wait state in the row `waiting`.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub executions: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Below which directory a server of its own keeps its data; the temporary one if not given.
    #[arg(long)]
    pub scratch_dir: Option<PathBuf>,
}

impl Cli {
    /// Runs the command; its exit code is the process's.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Start(args) => commands::start::start(args),
            Command::Deploy(args) => commands::deploy::deploy(&args),
            Command::Dev(args) => commands::dev::dev(&args),
            Command::Output(args) => commands::output::output(&args),
            Command::Put(args) => commands::put::put(&args),
            Command::Call(args) => commands::call::call(&args),
            Command::Trace(args) => commands::trace::trace(&args),
            Command::Explain(args) => commands::explain::explain(&args),
            Command::Tail(args) => commands::search::tail(&args),
            Command::Events(EventsCommand::Search(args)) => commands::search::search(&args),
            Command::Redeliver(args) => commands::redeliver::redeliver(&args),
            Command::Schemas(SchemasCommand::Check(args)) => commands::schemas::check(&args),
            Command::Runtime(RuntimeCommand::Install(args)) => commands::runtime::install(&args),
            Command::Trust(args) => commands::trust::trust(&args),
            Command::Verify(args) => commands::verify::verify(&args),
            Command::Bench(args) => commands::bench::bench(&args),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("buswork: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Prints for the person at the terminal. Who closed the pipe wants no more of it.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints what went wrong.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
