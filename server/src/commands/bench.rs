//! `buswork bench`

use std::time::Duration;

use anyhow::bail;

use crate::bench::{Settings, run};
use crate::cli::{BenchArgs, complain, say};
use crate::client::block_on;

/// Measures a server, or servers of its own, and prints the figures beside the targets.
///
/// # Errors
/// No server answers, or a row could not be measured.
pub fn bench(args: &BenchArgs) -> anyhow::Result<()> {
    let settings = Settings {
        endpoint: args.endpoint.clone(),
        pid: args.pid,
        rows: args.rows.clone(),
        lasting: Duration::from_secs(u64::from(args.seconds)),
        connections: usize::from(args.connections),
        waiting: usize::try_from(args.executions)?,
        below: args.scratch_dir.clone().unwrap_or_else(std::env::temp_dir),
    };
    let report = block_on(run(&settings, complain))?;
    if args.json {
        say(&serde_json::to_string_pretty(&report.json())?);
    } else {
        say(&report.markdown());
    }
    if !report.is_complete() {
        bail!("some rows could not be measured");
    }
    Ok(())
}
