//! `buswork output`

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::{OutputArgs, say};
use crate::client::{Client, block_on};

/// Prints an output of a stack, or all of them as `key = value`.
///
/// # Errors
/// There is no such stack or output.
pub fn output(args: &OutputArgs) -> anyhow::Result<()> {
    let stacks = block_on(async {
        let input = json!({ "StackName": args.stack_name });
        Client::new(&args.endpoint)?.call("cloudformation", "DescribeStacks", &input).await
    })?;
    let outputs = outputs(&stacks["Stacks"][0]);
    match &args.key {
        None => outputs.iter().for_each(|(key, value)| say(&format!("{key} = {value}"))),
        Some(wanted) => match outputs.iter().find(|(key, _)| key == wanted) {
            Some((_, value)) => say(value),
            None => bail!("stack {} has no output {wanted}", args.stack_name),
        },
    }
    Ok(())
}

/// The outputs of a described stack.
pub(crate) fn outputs(stack: &Value) -> Vec<(String, String)> {
    let text = |output: &Value, name: &str| output[name].as_str().unwrap_or_default().to_owned();
    let all = stack["Outputs"].as_array().into_iter().flatten();
    all.map(|output| (text(output, "OutputKey"), text(output, "OutputValue"))).collect()
}
