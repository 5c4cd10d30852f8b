//! `buswork call`

use anyhow::Context;

use crate::cli::{CallArgs, say};
use crate::client::{Client, block_on};

/// Calls an operation and prints its output document.
///
/// # Errors
/// The input is no JSON, no server answers, or it answers a fault.
pub fn call(args: &CallArgs) -> anyhow::Result<()> {
    let input = serde_json::from_str(&args.input).context("the input is no JSON")?;
    let output =
        block_on(async { Client::new(&args.endpoint).call(&args.service, &args.operation, &input).await })?;
    say(&serde_json::to_string_pretty(&output)?);
    Ok(())
}
