//! Vigils: who waits for something to come, for as long as a row says so.
//!
//! A task that waits in a long poll would be a task that never ends. A vigil is a row that names an operation, the *look*.
//! The runner calls it when the row is written, and again whenever what it asked for has happened; what it answers, its
//! [`Rest`], says what that is: rows were committed, a time has come, work that the look has left has ended. While it rests it
//! is nothing but a watch in memory: it costs no commit, [`crate::Kernel::idle`] does not wait for it, and nothing of it must
//! survive, because every process begins with a look of its own for every row. What must not be lost therefore stands in
//! rows before a look's work counts as done: the source's (what was received and not deleted comes again) or the looker's own
//! (a checkpoint).

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use base::Timestamp;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::Stored;
use store::watch::Wake;

use crate::caller::{Caller, TraceCx};
use crate::effect::Effect;
use crate::key::{Prefix, Scope};
use crate::keys;
use crate::router::Kernel;
use crate::tx::{KERNEL, Tx, kernel_scope};
use crate::{Error, Result};

/// The rest after a look that has failed.
const PAUSE: Duration = Duration::from_secs(5);

keys! {
    /// A vigil, by whose it is.
    pub(crate) struct VigilKey(5) -> VigilRow { service: String, account: String, region: String, name: String }
}

/// What is done for a vigil.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VigilRow {
    /// The look: an operation that [`crate::Service::vigil`] has registered.
    pub look: String,
    /// Its input, as JSON text.
    pub input: Bytes,
    /// In whose name.
    pub caller: Caller,
}
store::stored!(VigilRow, format = 1);

/// What a look answers: when the next one is wanted. One that asks for nothing rests until its row is written again.
#[derive(Default)]
pub struct Rest {
    pub(crate) wakes: Vec<Wake>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) again: bool,
    pub(crate) work: Vec<BoxFuture<'static, ()>>,
}

impl Rest {
    /// Rests until its row is written again, or until work that was left has ended.
    pub fn new() -> Rest {
        Rest::default()
    }

    /// Looks again at once.
    pub fn again() -> Rest {
        Rest { again: true, ..Rest::default() }
    }

    /// Looks again when this wakes. It must have been asked for before the look looked.
    #[must_use]
    pub fn on(mut self, wake: Wake) -> Rest {
        self.wakes.push(wake);
        self
    }

    /// Looks again at this time, if not earlier.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Rest {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
        self
    }

    /// Leaves work behind that goes on beside the rest and beside further looks; when it ends, there is another look.
    /// `Kernel::idle` waits for it, so that it must not wait for the clock.
    #[must_use]
    pub fn with_work(mut self, work: impl Future<Output = ()> + Send + 'static) -> Rest {
        self.work.push(work.boxed());
        self
    }
}

impl Tx {
    /// Keeps a vigil of this service under `name`: from this commit on, the operation `look`, which
    /// [`crate::Service::vigil`] has registered, looks whenever what it waits for has come, in the account and region that
    /// the transaction is in, until [`Tx::end_vigil`]. Kept again, it looks at once, with the new input.
    pub fn keep_vigil(&mut self, name: &str, look: &str, input: &impl Serialize) -> Result<()> {
        let Scope { account, region } = self.scope().clone();
        let caller = self.caller().as_service(&self.caller().principal, account, region);
        let row = VigilRow { look: look.to_owned(), input: serde_json::to_vec(input)?.into(), caller };
        let (prefix, key) = self.vigil(name);
        self.put_in(&prefix, &key, &row)
    }

    /// Ends a vigil of this service. A look or work that is on its way ends by itself.
    pub fn end_vigil(&mut self, name: &str) {
        let (prefix, key) = self.vigil(name);
        self.delete_in(&prefix, &key);
    }

    /// Where the row of a vigil of this service stands; the runner is told of it when this commits.
    fn vigil(&mut self, name: &str) -> (Prefix, VigilKey) {
        let prefix = Prefix::new(KERNEL, &kernel_scope());
        let key = VigilKey {
            service: self.service.to_owned(),
            account: self.scope().account.to_string(),
            region: self.scope().region.to_string(),
            name: name.to_owned(),
        };
        self.vigils.push(prefix.key(&key));
        (prefix, key)
    }
}

/// A look with its types erased.
pub(crate) trait ErasedLook: Send + Sync {
    fn call<'a>(&'a self, effect: &'a Effect, input: &'a Bytes) -> BoxFuture<'a, Result<Rest>>;
}

/// Looks for the vigil whose row stands under `key`. `None`: the row is gone, and the vigil with it.
pub(crate) async fn look(kernel: &Kernel, key: &Bytes, working: usize) -> Option<Rest> {
    match AssertUnwindSafe(try_look(kernel, key, working)).catch_unwind().await {
        Ok(Ok(rest)) => rest,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a look has failed; it is tried again");
            Some(Rest::new().until(kernel.clock().now() + PAUSE))
        }
        Err(_) => {
            tracing::error!("a look has panicked; it is tried again");
            Some(Rest::new().until(kernel.clock().now() + PAUSE))
        }
    }
}

async fn try_look(kernel: &Kernel, key: &Bytes, working: usize) -> Result<Option<Rest>> {
    let mut tx = Tx::open(&kernel.inner, KERNEL, kernel.house_caller()).await?;
    let Some(row) = tx.get_raw(key).await? else { return Ok(None) };
    drop(tx);
    let VigilRow { look, input, caller } = VigilRow::from_bytes(&row.value)?;
    let name = service_of(key)?;
    let service = kernel.inner.services.get(name.as_str());
    let handler = service.and_then(|service| Some((service.name, service.vigils.get(look.as_str())?)));
    let Some((service, handler)) = handler else {
        return Err(Error::bug(format!("look for a vigil: {name} has no {look}")));
    };
    let id = kernel.new_id();
    let caller = Caller { trace: TraceCx::root(id), request_id: id, ..caller };
    let effect = Effect { kernel: kernel.clone(), service, caller, task: None, working };
    handler.call(&effect, &input).await.map(Some)
}

fn service_of(key: &[u8]) -> Result<String> {
    Ok(Prefix::new(KERNEL, &kernel_scope()).read::<VigilKey>(key)?.service)
}
