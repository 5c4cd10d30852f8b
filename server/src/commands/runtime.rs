//! `buswork runtime`

use anyhow::Context;

use crate::cli::RuntimeInstallArgs;
use crate::packages::Packages;

/// Installs the AWS SDKs that AWS's runtimes bring along.
///
/// # Errors
/// There is no directory for them, or they cannot be had.
pub fn install(args: &RuntimeInstallArgs) -> anyhow::Result<()> {
    let packages = Packages::of(args.runtime_dir.clone());
    packages.context("say where with --runtime-dir: neither XDG_DATA_HOME nor HOME is set")?.install()
}
