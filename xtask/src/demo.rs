//! `cargo xtask demo`: the Recent actions system on the embedded store, from a fresh checkout to its page.

use anyhow::bail;

use crate::run::{command, output, root, run};
use crate::server::{BINARY, Server, TEST_BINARY};

/// The region that the demo lives in.
const REGION: &str = "eu-central-1";

/// Builds the server and the functions, starts, deploys, prints the page's address and stays until it is interrupted.
/// `--node` deploys the TypeScript functions instead of the Rust ones; `--once` ends when everything is deployed;
/// `--release` builds the server as for use, which takes twice as long.
///
/// # Errors
/// A step fails.
pub(crate) fn run_demo(options: &[&str]) -> anyhow::Result<()> {
    let (mut variant, mut once, mut profile, mut built) = ("rust", false, "dev", TEST_BINARY);
    for option in options {
        match *option {
            "--node" => variant = "node",
            "--once" => once = true,
            "--release" => (profile, built) = ("release", BINARY),
            other => bail!("unknown option {other}: use --node, --once, --release"),
        }
    }
    run("cargo", &["build", "--profile", profile, "--package", "buswork"], &[])?;
    run("examples/recent-actions/build.sh", &[variant], &[])?;
    let mut server = Server::start(built, &root().join("data/demo"), if once { 0 } else { 4566 })?;
    let binary = root().join(built).display().to_string();
    let environment =
        [("AWS_ENDPOINT_URL", server.address.as_str()), ("AWS_REGION", REGION), ("BUSWORK", binary.as_str())];
    run("examples/recent-actions/deploy.sh", &[variant], &environment)?;
    let page = output(
        &binary,
        &["output", "recent-actions-storage", "PageUrl", "--endpoint", &server.address, "--region", REGION],
    )?;
    println!("\nThe page of Recent actions:  {page}");
    println!("The console:                 {}/_buswork/console?region={REGION}", server.address);
    println!("A first deposit:             {}", first_deposit(&binary, &server.address)?);
    if once {
        return Ok(());
    }
    println!("\nPress Ctrl-C to stop; the data stays in data/demo.");
    server.wait()
}

/// Starts an execution by the command line, so that the page is not empty.
fn first_deposit(binary: &str, address: &str) -> anyhow::Result<String> {
    let place = ["--endpoint", address, "--region", REGION];
    let machine = output(binary, &[&["output", "dev-deposit", "StateMachineArn"], &place[..]].concat())?;
    let input = r#"{"amount": 50, "accountNumber": "179", "clientId": "90876"}"#;
    let document = serde_json::json!({ "stateMachineArn": machine, "input": input }).to_string();
    let mut call = command(binary, &[&["call", "states", "StartExecution", &document], &place[..]].concat());
    let done = call.output()?;
    if !done.status.success() {
        bail!("cannot start an execution: {}", String::from_utf8_lossy(&done.stderr));
    }
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout)?;
    Ok(answer["executionArn"].as_str().unwrap_or_default().to_owned())
}
