//! All services in one kernel.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use kernel::{Chance, Clock, Kernel, Service};
use lambda::Functions;
use lambda::runtime::{Launcher, SupervisorConfig, Trusted};
use store::SharedEngine;
use store::fault::Faults;

use crate::access::Access;
use crate::config::Config;

/// The command under which this binary confines a function and then becomes it.
pub const SANDBOX_COMMAND: &str = "sandbox-exec";

/// What runs besides the store: the services, and what some of them hold outside it.
pub struct House {
    /// The router and the runner.
    pub kernel: Kernel,
    /// The processes of functions.
    pub functions: Functions,
    /// Who is let in.
    pub access: Access,
    /// The switch for faults of the disk, if tests may make it fail.
    pub disk_faults: Option<Faults>,
}

/// A house that several connections share.
pub type SharedHouse = Arc<House>;

/// Every service over `engine`. Nothing runs until the kernel is started. Functions trust the authority `trusted`.
///
/// # Errors
/// The scratch directory cannot be made.
pub fn assemble(engine: SharedEngine, config: &Config, trusted: Option<Trusted>) -> anyhow::Result<House> {
    let chance = Chance::from_os();
    let access = Access::new(config.access.clone(), &chance);
    let functions = functions(config, &access, trusted)
        .with_context(|| format!("cannot use the scratch directory {}", config.scratch_dir.display()))?;
    let kernel = Kernel::new(engine, Clock::real(), chance, services(&functions));
    Ok(House { kernel, functions, access, disk_faults: None })
}

/// The running side of functions. Their processes get credentials that say who they are, and that verify where signatures are
/// verified.
fn functions(config: &Config, access: &Access, trusted: Option<Trusted>) -> std::io::Result<Functions> {
    let mut supervisor = SupervisorConfig::new(&config.scratch_dir);
    supervisor.launcher = launcher();
    supervisor.interpreters = config.functions.interpreters.clone();
    supervisor.node_modules = config.functions.node_modules.clone();
    supervisor.legacy_node_modules = config.functions.legacy_node_modules.clone();
    supervisor.python_packages = config.functions.python_packages.clone();
    supervisor.trusted = trusted;
    let keys = Arc::clone(access.functions());
    Functions::with_credentials(
        supervisor,
        Arc::new(move |account, role, function| keys.issue(account, role, function)),
    )
}

/// Every service. One line each: who adds a service adds it here and nowhere else.
fn services(functions: &Functions) -> Vec<Service> {
    vec![
        cloudformation::service(),
        cloudformation::control_service(),
        cloudtrail::service(),
        dynamodb::service(),
        ecr::service(),
        events::service(),
        eventsv2::service(),
        iam::service(),
        kms::service(),
        lambda::service(functions),
        logs::service(),
        pipes::service(),
        s3::service(),
        schemas::service(),
        scheduler::service(),
        secretsmanager::service(),
        sns::service(),
        sqs::service(),
        ssm::service(),
        states::service(),
        sts::service(),
        tagging::service(),
    ]
}

/// This binary itself, run under another command. Without its path, functions run unconfined, and the start says so.
pub(crate) fn launcher() -> Option<Launcher> {
    // The link stays good when the file is replaced by a newer one while the server runs.
    let link = PathBuf::from("/proc/self/exe");
    let program = if link.exists() { link } else { std::env::current_exe().ok()? };
    Some(Launcher { program, arguments: vec![OsString::from(SANDBOX_COMMAND)] })
}
