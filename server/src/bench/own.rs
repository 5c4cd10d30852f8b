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
    /// Kept open: a server that prints into a closed pipe sees an error.
    _stdout: BufReader<ChildStdout>,
    _scratch: Scratch,
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the bench measures a process of its own, from its start on"
    )]
    pub(crate) async fn start(keeping: Keeping, below: &Path, number: usize) -> anyhow::Result<OwnServer> {
        let name = format!("buswork-bench-{}-{keeping:?}-{number}", std::process::id());
        let scratch = Scratch(below.join(name));
        std::fs::create_dir_all(&scratch.0)?;
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
        Ok(OwnServer { address, child, _stdout: stdout, _scratch: scratch })
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
