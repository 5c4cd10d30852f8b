//! Servers that the bench starts itself, and what only their start can show.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::api::{Address, SQS, pause};
use super::process;

/// How often the start is measured; the best counts.
const STARTS: usize = 5;
/// How long an idle server has time to become quiet.
const IDLE: Duration = Duration::from_secs(5);

/// Where a server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Nowhere.
    InMemory,
    /// On disk, and an answer means that it is there.
    Durable,
}

/// A directory that goes when its owner does.
struct Scratch(PathBuf);

/// A server of our own. It ends when this is dropped.
pub(crate) struct OwnServer {
    /// Where it is.
    pub(crate) address: Address,
    child: Child,
    keeping: Keeping,
    /// Kept open: a server that prints into a closed pipe sees an error.
    _stdout: BufReader<ChildStdout>,
    scratch: Scratch,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays where temporary files are.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl OwnServer {
    /// Starts this very program as a server with an empty store.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn start(keeping: Keeping, below: &Path, number: usize) -> anyhow::Result<OwnServer> {
        let name = format!("buswork-bench-{}-{keeping:?}-{number}", std::process::id());
        let scratch = Scratch(below.join(name));
        std::fs::create_dir_all(&scratch.0)?;
        OwnServer::over(keeping, scratch).await
    }

    /// The process dies, and another one starts over what it kept.
    ///
    /// # Errors
    /// The system does not let it, or it does not start.
    pub(crate) async fn restart(self) -> anyhow::Result<OwnServer> {
        let OwnServer { mut child, keeping, scratch, .. } = self;
        child.kill().await?;
        OwnServer::over(keeping, scratch).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the bench measures a process of its own, from its start on"
    )]
    async fn over(keeping: Keeping, scratch: Scratch) -> anyhow::Result<OwnServer> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["start", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // The caller's settings for a server of his own are not meant for these.
        command.env_clear().env("TMPDIR", &scratch.0);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        match keeping {
            Keeping::InMemory => command.arg("--in-memory"),
            Keeping::Durable => command.arg("--data-dir").arg(scratch.0.join("data")),
        };
        let mut child = command.spawn().context("cannot start a server")?;
        let mut stdout = BufReader::new(child.stdout.take().context("a server without standard output")?);
        let address = Address::of(&listening(&mut stdout).await?).await?;
        Ok(OwnServer { address, child, keeping, _stdout: stdout, scratch })
    }

    /// The memory of the process, in MiB.
    ///
    /// # Errors
    /// The system does not tell.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        process::resident_mib(self.pid().context("the server ended")?)
    }

    /// What it keeps on disk, in MiB.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn disk_mib(&self) -> anyhow::Result<f64> {
        Ok(bytes_below(&self.scratch.0)? as f64 / (1024.0 * 1024.0))
    }

    /// The process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops it and waits until it is gone.
    ///
    /// # Errors
    /// The system does not let it.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// The address that a server prints once it listens.
async fn listening(stdout: &mut BufReader<ChildStdout>) -> anyhow::Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        if stdout.read_line(&mut line).await? == 0 {
            anyhow::bail!("the server ended before it listened");
        }
        if let Some(url) = line.trim().strip_prefix("listening on ") {
            return Ok(url.to_owned());
        }
    }
}

/// The bytes of all files below a directory.
fn bytes_below(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            bytes += bytes_below(&entry.path())?;
        } else if kind.is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Milliseconds from the start of the process to its first answer, the best of several.
///
/// # Errors
/// It does not start, or does not answer.
pub(crate) async fn start_to_first_answer(keeping: Keeping, below: &Path) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for number in 0..STARTS {
        let start = Instant::now();
        let server = OwnServer::start(keeping, below, number).await?;
        let mut connection = server.address.connect().await?;
        let head = server.address.head(&SQS, "ListQueues")?;
        let _: serde_json::Value = connection.ask(&head, &json!({})).await?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
        server.stop().await?;
    }
    Ok(best)
}

/// The memory of a server that has done nothing yet, in MiB.
///
/// # Errors
/// The system does not tell.
pub(crate) async fn idle_mib(keeping: Keeping, below: &Path) -> anyhow::Result<f64> {
    let server = OwnServer::start(keeping, below, STARTS).await?;
    pause(IDLE).await;
    let mib = process::resident_mib(server.pid().context("the server ended")?)?;
    server.stop().await?;
    Ok(mib)
}
