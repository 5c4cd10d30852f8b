//! Running other programs.

use std::path::PathBuf;

use anyhow::{Context, bail};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// A program with its arguments, to be run in the root.
#[expect(clippy::disallowed_methods, reason = "the house's tools run other programs")]
pub(crate) fn command(program: &str, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program to its end, saying so first.
///
/// # Errors
/// It cannot be started, or it fails.
pub(crate) fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    println!("==> {program} {}", arguments.join(" "));
    let mut command = command(program, arguments);
    let status = command.envs(environment.iter().copied()).status();
    let status = status.with_context(|| format!("cannot start {program}"))?;
    if status.success() {
        return Ok(());
    }
    bail!("{program} {} failed ({status})", arguments.join(" "));
}

/// Runs a program and gives what it prints.
///
/// # Errors
/// It cannot be started, or it fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = command(program, arguments).stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} {} failed ({})", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
