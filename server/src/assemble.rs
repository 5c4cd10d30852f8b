//! All services in one kernel.

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context;
use kernel::{Chance, Clock, Kernel, Service};
use lambda::Functions;
use lambda::runtime::{Launcher, SupervisorConfig};
use store::SharedEngine;

use crate::config::Config;

/// The command under which this binary confines a function and then becomes it.
pub const SANDBOX_COMMAND: &str = "sandbox-exec";

/// What runs besides the store: the services, and what some of them hold outside it.
pub struct House {
    /// The router and the runner.
    pub kernel: Kernel,
    /// The processes of functions.
    pub functions: Functions,
}

/// A house that several connections share.
pub type SharedHouse = Arc<House>;

/// Every service over `engine`. Nothing runs until the kernel is started.
///
/// # Errors
/// The scratch directory cannot be made.
pub fn assemble(engine: SharedEngine, config: &Config) -> anyhow::Result<House> {
    let mut supervisor = SupervisorConfig::new(&config.scratch_dir);
    supervisor.launcher = launcher();
    let functions = Functions::new(supervisor)
        .with_context(|| format!("cannot use the scratch directory {}", config.scratch_dir.display()))?;
    let kernel = Kernel::new(engine, Clock::real(), Chance::from_os(), services(&functions));
    Ok(House { kernel, functions })
}

/// Every service. One line each: who adds a service adds it here and nowhere else.
fn services(functions: &Functions) -> Vec<Service> {
    vec![
        cloudformation::service(),
        dynamodb::service(),
        events::service(),
        iam::service(),
        lambda::service(functions),
        logs::service(),
        pipes::service(),
        s3::service(),
        schemas::service(),
        scheduler::service(),
        sqs::service(),
        states::service(),
        sts::service(),
    ]
}

/// This binary itself, run under another command. Without its path, functions run unconfined, and the start says so.
pub(crate) fn launcher() -> Option<Launcher> {
    let program = std::env::current_exe().ok()?;
    Some(Launcher { program, arguments: vec![OsString::from(SANDBOX_COMMAND)] })
}
