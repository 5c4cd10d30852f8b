//! The house tools: `cargo xtask <command>`.
//!
//! Knows the layout of this repository and nothing of what the product does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

mod codegen;
mod demo;
mod run;
mod server;
mod test;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["codegen", options @ ..] => codegen::run(options),
        ["tidy"] => tidy::run(),
        ["demo", options @ ..] => demo::run_demo(options),
        ["test", options @ ..] => test::run_tests(options),
        ["bench", options @ ..] => bench(options),
        _ => Err(anyhow::anyhow!(
            "usage: cargo xtask codegen [--check] [model…] | tidy | demo [--node] [--once] [--release] | test [--crates] [--long] | bench […]"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the release binary and measures it; see `buswork bench --help`.
fn bench(options: &[&str]) -> anyhow::Result<()> {
    run::run("cargo", &["build", "--release", "--package", "buswork"], &[])?;
    run::run(server::BINARY, &[&["bench"], options].concat(), &[])
}
