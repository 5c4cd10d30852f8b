//! `buswork start`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kernel::Clock;
use lambda::runtime::Isolation;
use store::Options;
use store::fault::Faults;
use tokio::signal::unix::{SignalKind, signal};

use crate::assemble::{House, assemble, launcher};
use crate::cli::say;
use crate::config::{Config, LogFormat, StartArgs};
use crate::front::Front;
use crate::listen;
use crate::tls::Tls;
use crate::tls::authority::Names;

/// How long requests that are being answered, and then functions that run, may take once the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop by SIGINT or SIGTERM.
///
/// # Errors
/// The configuration, the store or the port cannot be used; or the store could not be closed as it should be.
pub fn start(args: StartArgs) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    log_to_stderr(config.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    // Before anything is opened: who is told to stop while it starts stops as it should.
    let told_to_stop = told_to_stop()?;
    let listener = listen::bind(config.address).await?;
    let address = listener.local_addr()?;
    let disk_faults = config.test_disk_faults.then(Faults::default);
    let options = Options { faults: disk_faults.clone(), ..Options::default() };
    let engine = store::open_with(&config.store, &options).context("cannot open the store")?;
    let names = Names::new(address.ip(), config.public_url.as_deref());
    let tls = Tls::open(&config.tls, &names).context("cannot set up TLS")?;
    let house = Arc::new(House { disk_faults, ..assemble(engine, &config, tls.trusted.clone())? });
    if house.access.is_strict() {
        hide_from_functions();
    }
    house.kernel.set_endpoint(config.public_url.clone().unwrap_or_else(|| reached_at(address)));
    house.kernel.start().await.context("cannot start the runner")?;
    let isolation = Isolation::probe(launcher().is_some());
    tracing::info!(%isolation, "functions run as plain processes");
    tracing::info!(%address, profile = ?config.access.profile, engine = house.kernel.engine_name(), store = ?config.store, "started");
    if let Some(trusted) = &tls.trusted {
        tracing::info!(authority = %trusted.certificate.display(), "TLS on the same port; `buswork trust` makes clients accept it");
    }
    let front = Front::new(Arc::clone(&house), config.s3_body_bytes_max);
    say(&format!("listening on http://{address}"));
    let clock = Clock::real();
    let patience = async || {
        let until = clock.now() + PATIENCE;
        clock.sleep_until(until).await;
    };
    listen::serve(listener, front, &tls, told_to_stop, patience()).await;
    stop(&house, patience()).await
}

/// Where this machine reaches a server that listens on `address`.
fn reached_at(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Functions run as the same user: without this they could read the keys from this process's environment and memory.
fn hide_from_functions() {
    let hidden = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if let Err(error) = hidden {
        tracing::warn!(%error, "functions may be able to read this process's environment");
    }
}

async fn stop(house: &House, patience: impl Future<Output = ()>) -> anyhow::Result<()> {
    tracing::info!("stopping");
    tokio::select! {
        () = house.functions.settled() => {}
        () = patience => tracing::info!("functions that still run are ended; their events run again at the next start"),
    }
    house.kernel.stop().await.context("the store could not be closed as it should be")?;
    tracing::info!("stopped");
    Ok(())
}

/// Returns when the process is told to stop by SIGINT or SIGTERM.
pub(super) fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn log_to_stderr(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BUSWORK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,fjall=warn,lsm_tree=warn,s3s=off"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second server in one process, as tests have it, logs where the first one does.
    drop(set);
}
