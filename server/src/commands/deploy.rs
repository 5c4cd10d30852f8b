//! `buswork deploy`

use std::time::Duration;

use anyhow::{Context, bail};
use kernel::Clock;
use serde_json::{Value, json};

use crate::cli::{DeployArgs, say};
use crate::client::{Client, block_on};
use crate::commands::output::outputs;

/// The time between two looks at the stack.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Creates or updates a stack and waits for it; prints what happens and the outputs.
///
/// # Errors
/// The template cannot be read, the server refuses it, or the stack fails: with the reasons of its events.
pub fn deploy(args: &DeployArgs) -> anyhow::Result<()> {
    let template = std::fs::read_to_string(&args.template)
        .with_context(|| format!("cannot read {}", args.template.display()))?;
    let parameters = parameters(&args.parameters)?;
    let input = json!({
        "StackName": args.stack_name,
        "TemplateBody": template,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    });
    block_on(async {
        let deployment = Deployment { client: Client::new(&args.endpoint)?, name: &args.stack_name };
        deployment.run(&input).await
    })
}

fn parameters(given: &[String]) -> anyhow::Result<Vec<Value>> {
    let parse = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok(json!({ "ParameterKey": name, "ParameterValue": value })),
        None => bail!("`{text}` is no parameter: use --parameter NAME=VALUE"),
    };
    given.iter().map(parse).collect()
}

struct Deployment<'a> {
    client: Client,
    name: &'a str,
}

impl Deployment<'_> {
    async fn run(&self, input: &Value) -> anyhow::Result<()> {
        let exists = self.stack().await?.is_some();
        let operation = if exists { "UpdateStack" } else { "CreateStack" };
        let seen = if exists { self.events().await?.len() } else { 0 };
        match self.client.call("cloudformation", operation, input).await {
            Ok(_) => {}
            Err(error) if error.to_string().contains("No updates are to be performed") => {
                say(&format!("{}: no changes", self.name));
                return self.print_outputs().await;
            }
            Err(error) => return Err(error),
        }
        self.follow(seen).await
    }

    /// Prints the stack's events as they come until it rests.
    async fn follow(&self, mut seen: usize) -> anyhow::Result<()> {
        let clock = Clock::real();
        loop {
            let stack = self.stack().await?;
            let events = self.events().await?;
            for event in events.iter().skip(seen) {
                say(&line(event));
            }
            seen = events.len();
            let status =
                stack.as_ref().and_then(|stack| stack["StackStatus"].as_str()).unwrap_or("DELETE_COMPLETE");
            match status {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => return self.print_outputs().await,
                status if status.ends_with("_IN_PROGRESS") => {}
                status => bail!("stack {} ended as {status}", self.name),
            }
            clock.sleep_until(clock.now() + LOOK_EVERY).await;
        }
    }

    async fn stack(&self) -> anyhow::Result<Option<Value>> {
        let input = json!({ "StackName": self.name });
        match self.client.call("cloudformation", "DescribeStacks", &input).await {
            Ok(answer) => Ok(Some(answer["Stacks"][0].clone())),
            Err(error) if error.to_string().contains("does not exist") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All events of the stack, oldest first.
    async fn events(&self) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut input = json!({ "StackName": self.name });
        loop {
            let page = self.client.call("cloudformation", "DescribeStackEvents", &input).await?;
            all.extend(page["StackEvents"].as_array().cloned().unwrap_or_default());
            match page.get("NextToken").filter(|token| token.is_string()) {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        all.reverse();
        Ok(all)
    }

    async fn print_outputs(&self) -> anyhow::Result<()> {
        let stack = self.stack().await?.unwrap_or_default();
        for (key, value) in outputs(&stack) {
            say(&format!("{key} = {value}"));
        }
        Ok(())
    }
}

fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let (status, kind, id) = (text("ResourceStatus"), text("ResourceType"), text("LogicalResourceId"));
    let reason = text("ResourceStatusReason");
    let reason = if reason.is_empty() { String::new() } else { format!("  {reason}") };
    format!("{status:<20} {kind:<32} {id}{reason}")
}
