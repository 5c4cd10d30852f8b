//! A server of our own, for the demo and for tests with real clients.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, bail};

use crate::run;

/// The binary, once it is built for use.
pub(crate) const BINARY: &str = "target/release/buswork";
/// The binary, once it is built quickly: for tests and the demo.
pub(crate) const TEST_BINARY: &str = "target/debug/buswork";

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

impl Server {
    /// Starts a binary over a data directory; port 0 lets the system choose one.
    ///
    /// # Errors
    /// The binary does not start; it says why on standard error.
    pub(crate) fn start(binary: &str, data_dir: &Path, port: u16) -> anyhow::Result<Server> {
        let (data_dir, port) = (data_dir.display().to_string(), port.to_string());
        let path = run::root().join(binary).display().to_string();
        let mut command = run::command(&path, &["start", "--port", &port, "--data-dir", &data_dir]);
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {binary}"))?;
        let Some(stdout) = child.stdout.take() else { bail!("the server has no standard output") };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let Some(address) = line.trim().strip_prefix("listening on ") else {
            bail!("the server did not start: {}", child.wait()?);
        };
        Ok(Server { address: address.to_owned(), child })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server ends.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
