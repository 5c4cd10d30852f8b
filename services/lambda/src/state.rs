//! What the service holds outside the store: the processes of functions, the count of running invocations, and log lines on
//! their way. Losing it loses no promise.

use std::io;
use std::sync::Arc;

use crate::concurrency::Concurrency;
use crate::output::Outbox;
use crate::runtime::{Supervisor, SupervisorConfig};

/// The running side of the service. Clones share it.
#[derive(Clone)]
pub struct Functions(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub supervisor: Supervisor,
    pub concurrency: Arc<Concurrency>,
    pub outbox: Arc<Outbox>,
}

impl Functions {
    /// Prepares to run functions. The sink of `config` is replaced: output goes to the log groups of the platform.
    ///
    /// # Errors
    /// The supervisor's root directory cannot be prepared.
    pub fn new(config: SupervisorConfig) -> io::Result<Functions> {
        let outbox = Arc::new(Outbox::default());
        let supervisor = Supervisor::new(SupervisorConfig { sink: outbox.clone(), ..config })?;
        Ok(Functions(Arc::new(Inner { supervisor, concurrency: Arc::default(), outbox })))
    }

    /// The processes.
    pub fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    /// Waits until all output and all records of invocations so far are in the store. For tests and for the shutdown.
    pub async fn settled(&self) {
        self.0.outbox.settled().await;
    }
}
