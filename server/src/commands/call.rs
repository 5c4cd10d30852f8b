//! `buswork call`

use anyhow::Context;

use crate::cli::{CallArgs, say};
use crate::client::{Client, block_on};
use crate::operator::ASKED;

/// Calls an operation of AWS, or one of ours (see docs/services), and prints its output document.
///
/// # Errors
/// The input is no JSON, no server answers, or it answers a fault.
pub fn call(args: &CallArgs) -> anyhow::Result<()> {
    let input = serde_json::from_str(&args.input).context("the input is no JSON")?;
    let (service, operation) = (args.service.as_str(), args.operation.as_str());
    let client = Client::new(&args.endpoint)?;
    let output = if ASKED.contains(&(service, operation)) {
        block_on(client.ask(service, operation, &input))?
    } else {
        block_on(client.call(service, operation, &input))?
    };
    say(&serde_json::to_string_pretty(&output)?);
    Ok(())
}
