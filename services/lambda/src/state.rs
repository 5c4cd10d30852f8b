//! What the service holds outside the store: the processes of functions, the count of running invocations, and log lines on
//! their way. Losing it loses no promise.

use std::io;
use std::sync::Arc;

use base::AccountId;

use crate::concurrency::Concurrency;
use crate::download::Seal;
use crate::mapping::Readers;
use crate::output::Outbox;
use crate::runtime::{Credentials, Supervisor, SupervisorConfig};

/// Gives a function's processes the credentials of their role: from its account, the role's ARN and the function's name.
pub type Issue = dyn Fn(&AccountId, &str, &str) -> Credentials + Send + Sync;

/// The running side of the service. Clones share it.
#[derive(Clone)]
pub struct Functions(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub supervisor: Supervisor,
    pub concurrency: Arc<Concurrency>,
    pub outbox: Arc<Outbox>,
    pub readers: Readers,
    pub downloads: Seal,
    pub issue: Arc<Issue>,
}

impl Functions {
    /// Prepares to run functions. The sink of `config` is replaced: output goes to the log groups of the platform.
    ///
    /// # Errors
    /// The supervisor's root directory cannot be prepared.
    pub fn new(config: SupervisorConfig) -> io::Result<Functions> {
        Functions::with_credentials(config, Arc::new(|account, _, _| of_account(account)))
    }

    /// As [`Functions::new`], where signatures are verified: `issue` gives processes credentials that verify.
    ///
    /// # Errors
    /// The supervisor's root directory cannot be prepared.
    pub fn with_credentials(config: SupervisorConfig, issue: Arc<Issue>) -> io::Result<Functions> {
        let outbox = Arc::new(Outbox::default());
        let supervisor = Supervisor::new(SupervisorConfig { sink: outbox.clone(), ..config })?;
        Ok(Functions(Arc::new(Inner {
            supervisor,
            concurrency: Arc::default(),
            outbox,
            readers: Readers::default(),
            downloads: Seal::default(),
            issue,
        })))
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

/// Credentials of an account where any are accepted: the platform knows the account by the access key.
fn of_account(account: &AccountId) -> Credentials {
    Credentials {
        access_key_id: account.to_string(),
        secret_access_key: "buswork".to_owned(),
        session_token: "buswork".to_owned(),
    }
}
