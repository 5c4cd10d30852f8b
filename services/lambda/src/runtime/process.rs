//! One running process: started in its own group, watched, and ended with all its descendants. The only place that starts programs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::task::JoinHandle;

use super::api::Port;
use super::code::Tree;
use super::descendants;
use super::logs::{self, Drain, Output};
use super::timer;

/// How long the pipes of a dead process may stay open before they are given up.
const PIPES_LIMIT: Duration = Duration::from_secs(1);

/// What to start.
pub(super) struct Program {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) directory: PathBuf,
    /// The process's own directory, removed when it ends.
    pub(super) scratch: PathBuf,
    /// The files that it runs from.
    pub(super) code: Tree,
}

/// A running process of a function.
pub(super) struct Process {
    pub(super) port: Arc<Port>,
    pub(super) output: Arc<Output>,
    pub(super) drain: Drain,
    pid: u32,
    exit: watch::Receiver<Option<Exit>>,
    peak_mb: AtomicU64,
    _slot: OwnedSemaphorePermit,
}

/// A process's end; the status is unknown if it could not be waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit(pub(super) Option<ExitStatus>);

impl Process {
    /// Takes a started child into keeping, with its Runtime API listener.
    pub(super) fn keep(
        mut child: Child,
        program: &Program,
        port: Arc<Port>,
        output: Arc<Output>,
        listener: JoinHandle<()>,
        slot: OwnedSemaphorePermit,
    ) -> Process {
        let (drain, drains) = Drain::channel();
        let pump = match (child.stdout.take(), child.stderr.take()) {
            (Some(out), Some(err)) => {
                Some(timer::background(logs::pump(out, err, Arc::clone(&output), drains)))
            }
            _ => None,
        };
        let pid = child.id().unwrap_or(0);
        let (sender, exit) = watch::channel(None);
        let keeper = Keeper {
            pid,
            scratch: program.scratch.clone(),
            output: Arc::clone(&output),
            _code: program.code.clone(),
        };
        timer::background(keeper.run(child, pump, listener, sender));
        Process { port, output, drain, pid, exit, peak_mb: AtomicU64::new(0), _slot: slot }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Waits for the end; all output has been taken in by then.
    pub(super) async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(Exit(None)),
            Err(_) => Exit(None),
        }
    }

    /// Ends the process and its descendants at once.
    pub(super) fn kill(&self) {
        if self.is_alive() {
            // While it lives, its children in other groups are known by it.
            descendants::end_below(self.pid);
            kill_group(self.pid);
        }
    }

    /// The largest resident size that was seen, in MiB.
    pub(super) fn peak_mb(&self, seen: u64) -> u64 {
        self.peak_mb.fetch_max(seen, Ordering::Relaxed).max(seen)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for the process and clears up behind it.
struct Keeper {
    pid: u32,
    scratch: PathBuf,
    output: Arc<Output>,
    /// Its files stay as long as it runs.
    _code: Tree,
}

impl Keeper {
    async fn run(
        self,
        mut child: Child,
        pump: Option<JoinHandle<()>>,
        listener: JoinHandle<()>,
        exit: watch::Sender<Option<Exit>>,
    ) {
        let status = child.wait().await.ok();
        // Descendants that outlive the process would hold its pipes open.
        kill_group(self.pid);
        descendants::end_marked(&self.scratch);
        if let Some(mut pump) = pump {
            tokio::select! {
                _ = &mut pump => {}
                () = timer::sleep(PIPES_LIMIT) => pump.abort(),
            }
        }
        listener.abort();
        self.output.flush();
        exit.send_replace(Some(Exit(status)));
        if let Err(error) = tokio::fs::remove_dir_all(&self.scratch).await {
            tracing::debug!(%error, path = %self.scratch.display(), "failed to remove a scratch directory");
        }
    }
}

fn kill_group(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // A group that is gone already is what we want.
    let _ = kill_process_group(pid, Signal::KILL);
}

/// Starts programs from one thread that lives as long as this, because the death signal that the launcher asks for
/// is tied to the thread that started the process, and a worker thread may end at any time.
pub(super) struct Spawner {
    jobs: std::sync::mpsc::Sender<Job>,
}

struct Job {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    pub(super) fn start() -> io::Result<Spawner> {
        let (jobs, queue) = std::sync::mpsc::channel::<Job>();
        let work = move || {
            for mut job in queue {
                let _entered = job.runtime.enter();
                // A caller that went away drops the child, which ends it.
                let _ = job.reply.send(job.command.spawn());
            }
        };
        std::thread::Builder::new().name("function-spawner".to_owned()).spawn(work)?;
        Ok(Spawner { jobs })
    }

    pub(super) async fn spawn(&self, program: &Program) -> io::Result<Child> {
        let mut command = command(&program.program);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(&program.environment)
            .current_dir(&program.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let (reply, answer) = oneshot::channel();
        let job = Job { command, runtime: Handle::current(), reply };
        self.jobs.send(job).map_err(|_| io::Error::other("the spawner has ended"))?;
        answer.await.map_err(io::Error::other)?
    }
}

/// What a short-lived program prints, for example its version.
pub(super) async fn output_of(program: &Path, arguments: &[impl AsRef<OsStr> + Sync]) -> io::Result<String> {
    let output = command(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("ended with {}: {}", output.status, said.trim_end())));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

#[expect(clippy::disallowed_methods, reason = "the supervisor is the one place that starts programs")]
fn command(program: &Path) -> Command {
    Command::new(program)
}
