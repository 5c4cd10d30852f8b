//! Starts a process for a version of a function: its files, its interpreter, its environment, its confinement.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::OwnedSemaphorePermit;

use super::api::{Phase, Port};
use super::code::Tree;
use super::environment::{self, Surroundings};
use super::failure::{self, Failure};
use super::interpreter::{Family, Interpreter};
use super::logs::Output;
use super::process::{self, Process, Program};
use super::sandbox::{self, Confinement};
use super::spec::{Code, FunctionSpec, InvokeError};
use super::supervisor::{Inner, SupervisorConfig};
use super::timer;

/// A started process that has not asked for work after this long is given its work all the same, and the function's
/// timeout begins to run, as AWS begins the initialisation anew within the invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// Open files of one process, as at AWS.
const FILES: u64 = 1024;

/// Names a script that runs the interpreter: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html>.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// A process to run an invocation on.
pub(super) struct Seat {
    pub(super) process: Arc<Process>,
    /// Set if it was started for this invocation.
    pub(super) init_ms: Option<f64>,
    /// Set if it could not start.
    pub(super) failed: Option<Failure>,
}

impl Inner {
    /// Starts a process and waits until it is ready, or has failed.
    pub(super) async fn start(
        &self,
        spec: &Arc<FunctionSpec>,
        slot: OwnedSemaphorePermit,
        request_id: &str,
    ) -> Result<Seat, InvokeError> {
        let family = family_of(&spec.runtime)?;
        let over_opt = !spec.layers.is_empty() && self.lays_over_opt().await;
        let tree = self.code.tree(spec, over_opt).await?;
        let interpreter = match family {
            Family::Provided => None,
            family => Some(self.interpreters.find(&spec.runtime, family).await?),
        };
        let begun = timer::instant();
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let stream = log_stream(spec, number);
        let output = Arc::new(Output::new(Arc::clone(spec), stream, Arc::clone(&self.config.sink)));
        let (runtime, warning) = runtime_version(spec, family, interpreter.as_ref());
        output.process_starts(&runtime, warning.as_deref());
        let process = self.spawn(spec, family, &tree, interpreter.as_ref(), output, number, slot).await?;
        let failed = started(&process, request_id, family, &tree).await;
        let init_ms = Some(timer::instant().duration_since(begun).as_secs_f64() * 1000.0);
        Ok(Seat { process: Arc::new(process), init_ms, failed })
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a process is made of, used once")]
    async fn spawn(
        &self,
        spec: &Arc<FunctionSpec>,
        family: Family,
        tree: &Tree,
        interpreter: Option<&Interpreter>,
        output: Arc<Output>,
        number: u64,
        slot: OwnedSemaphorePermit,
    ) -> Result<Process, InvokeError> {
        let failed = |error: io::Error| InvokeError::Start(format!("failed to start the function: {error}"));
        let scratch = self.config.root.join("scratch").join(number.to_string());
        fs::create_dir_all(&scratch).map_err(failed)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let runtime_api = listener.local_addr().map_err(failed)?.to_string();
        let environment = environment::variables(
            spec,
            &Surroundings {
                tree,
                family,
                runtime_dir: &self.runtime_dir,
                interpreter_dir: interpreter.and_then(|found| found.program.parent()),
                packages: &self.packages(family),
                trusted: self.config.trusted.as_ref(),
                scratch: &scratch,
                runtime_api: &runtime_api,
                log_stream: output.stream(),
            },
        );
        let command = self.command(spec, family, tree, interpreter);
        let (program, arguments) = self.launched(spec, tree, interpreter, &scratch, command);
        let directory = tree.task.clone();
        let program = Program { program, arguments, environment, directory, scratch, code: tree.clone() };
        let port = Arc::new(Port::new(Arc::clone(&output)));
        let listening = timer::background(Arc::clone(&port).listen(listener));
        match self.spawner.spawn(&program).await {
            Ok(child) => Ok(Process::keep(child, &program, port, output, listening, slot)),
            Err(error) => {
                listening.abort();
                Err(failed(error))
            }
        }
    }

    /// The program of a function and its arguments.
    fn command(
        &self,
        spec: &FunctionSpec,
        family: Family,
        tree: &Tree,
        interpreter: Option<&Interpreter>,
    ) -> Vec<OsString> {
        let program = interpreter.map(|found| found.program.clone().into_os_string());
        let interpreted = match (family, program) {
            (Family::Node(_), Some(node)) => {
                // As AWS does: leave a tenth to what is not the old space.
                let heap = format!("--max-old-space-size={}", spec.memory_mb * 9 / 10);
                vec![node, heap.into(), self.runtime_dir.join("bootstrap.cjs").into()]
            }
            (Family::Python(_), Some(python)) => {
                vec![python, "-u".into(), self.runtime_dir.join("bootstrap.py").into()]
            }
            _ => return vec![bootstrap(tree).unwrap_or_else(|| tree.task.join("bootstrap")).into()],
        };
        // It is given the interpreter and its arguments, and goes on to run them.
        let wrapper = spec.environment.get(WRAPPER).filter(|wrapper| !wrapper.is_empty());
        wrapper.map(OsString::from).into_iter().chain(interpreted).collect()
    }

    /// The command, behind the launcher if there is one.
    fn launched(
        &self,
        spec: &FunctionSpec,
        tree: &Tree,
        interpreter: Option<&Interpreter>,
        scratch: &Path,
        mut command: Vec<OsString>,
    ) -> (PathBuf, Vec<OsString>) {
        let Some(launcher) = &self.config.launcher else {
            let arguments = command.split_off(1);
            return (command.remove(0).into(), arguments);
        };
        let mut read = vec![tree.task.clone(), self.runtime_dir.clone()];
        // The link to the layers' packages beside the task directory.
        if matches!(spec.code, Code::Zip(_)) {
            read.extend(tree.task.parent().map(Path::to_owned));
        }
        read.extend(tree.opt.clone());
        read.extend(interpreter.iter().flat_map(|found| found.prefixes.iter().cloned()));
        let SupervisorConfig { node_modules, legacy_node_modules, python_packages, .. } = &self.config;
        read.extend([node_modules, legacy_node_modules, python_packages].into_iter().flatten().cloned());
        let trusted = self.config.trusted.iter();
        read.extend(trusted.flat_map(|trusted| [trusted.certificate.clone(), trusted.bundle.clone()]));
        let mut write = vec![scratch.to_owned()];
        if self.config.shared_tmp {
            write.push(PathBuf::from("/tmp"));
        }
        let file_mb = Some(u64::from(spec.ephemeral_storage_mb));
        let opt = tree.opt.clone().filter(|_| tree.over_opt);
        let confinement = Confinement { opt, read, write, files: Some(FILES), file_mb };
        let mut arguments = launcher.arguments.clone();
        arguments.extend(confinement.arguments());
        arguments.extend(command);
        (launcher.program.clone(), arguments)
    }

    /// Whether layers can be seen at `/opt` here. Asked of the launcher once, when the first function with layers starts.
    async fn lays_over_opt(&self) -> bool {
        let Some(launcher) = &self.config.launcher else { return false };
        let ask = async || {
            let mut arguments = launcher.arguments.clone();
            arguments.extend([sandbox::CAN_OPT.into(), self.runtime_dir.clone().into()]);
            let can = process::output_of(&launcher.program, &arguments).await;
            if let Err(error) = &can {
                tracing::warn!(%error, "layers are not seen at /opt, but where the module paths lead");
            }
            can.is_ok()
        };
        *self.lays_over_opt.get_or_init(ask).await
    }

    fn packages(&self, family: Family) -> Vec<&Path> {
        let SupervisorConfig { node_modules, legacy_node_modules, python_packages, .. } = &self.config;
        let places = match family {
            Family::Provided => [None, None],
            Family::Node(..18) => [legacy_node_modules.as_deref(), node_modules.as_deref()],
            Family::Node(_) => [node_modules.as_deref(), None],
            Family::Python(_) => [python_packages.as_deref(), None],
        };
        places.into_iter().flatten().collect()
    }
}

/// Waits until the process asks for work, fails to start, or takes too long. `Some` if it failed.
async fn started(process: &Process, request_id: &str, family: Family, tree: &Tree) -> Option<Failure> {
    let mut phase = process.port.phase();
    let exit = tokio::select! {
        biased;
        ready = phase.wait_for(|phase| !matches!(phase, Phase::Starting)) => match ready.as_deref() {
            Ok(Phase::InitFailed(failure)) => return Some(failure.clone()),
            _ => return None,
        },
        exit = process.exited() => exit,
        () = timer::sleep(INIT_LIMIT) => return None,
    };
    match &*phase.borrow() {
        Phase::InitFailed(failure) => Some(failure.clone()),
        _ if family == Family::Provided && bootstrap(tree).is_none() => {
            Some(failure::no_bootstrap(request_id))
        }
        _ => Some(failure::exited(request_id, exit.0)),
    }
}

fn bootstrap(tree: &Tree) -> Option<PathBuf> {
    let places = [Some((&*tree.task, &*tree.task)), tree.opt.as_deref().zip(tree.seen_opt())];
    let found = places.into_iter().flatten().find(|(place, _)| place.join("bootstrap").is_file());
    found.map(|(_, seen)| seen.join("bootstrap"))
}

pub(super) fn family_of(runtime: &str) -> Result<Family, InvokeError> {
    let refuse = || {
        let message = format!(
            "the runtime {runtime} is not served: provided.al2, provided.al2023, nodejs14.x and later, python3.8 and later are"
        );
        InvokeError::InvalidRuntime(message)
    };
    Family::of(runtime).ok_or_else(refuse)
}

/// What runs a process, and a warning if that is not what the function asks for.
fn runtime_version(
    spec: &FunctionSpec,
    family: Family,
    interpreter: Option<&Interpreter>,
) -> (String, Option<String>) {
    let Some(found) = interpreter else { return (spec.runtime.clone(), None) };
    let version = format!("{} {} ({})", spec.runtime, found.version, found.program.display());
    let warning = format!("{} is not installed, running on {}", spec.runtime, found.version);
    (version, (!found.is(family)).then_some(warning))
}

/// `2026/11/22/[$LATEST]` and 32 hexadecimal digits.
fn log_stream(spec: &FunctionSpec, number: u64) -> String {
    let now = timer::now();
    let mut hash = Sha256::new();
    hash.update(&spec.arn);
    hash.update(now.as_millis().to_be_bytes());
    hash.update(std::process::id().to_be_bytes());
    hash.update(number.to_be_bytes());
    let digits = hex::encode(&hash.finalize()[..16]);
    let day = now.to_iso_seconds()[..10].replace('-', "/");
    format!("{day}/[{}]{digits}", spec.version)
}
