//! What the kernel does for itself: old traces are removed, so that they are bounded by age.

use std::time::Duration;

use crate::key::Parts;
use crate::router::Kernel;
use crate::service::Service;
use crate::task::{Call, NewTask, Task};
use crate::tx::{KERNEL, Tx, kernel_scope};
use crate::{Result, keys, trace};

/// How often old traces are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// Spans removed in one transaction.
const SWEEP_BATCH: usize = 500;

keys! {
    /// There is one sweep task at a time: it stands here.
    pub(crate) struct SweepKey(3) -> () {}
    /// Tasks given up for good for which no dead letter was configured: kept, so that nothing is dropped unseen.
    pub struct UndeliveredKey(4, large) -> Task { id: uuid::Uuid }
}

impl Kernel {
    /// The first `limit` tasks that were given up for good with no queue to go to, oldest first: their ids rise with time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn undelivered(&self, limit: usize) -> Result<Vec<Task>> {
        let mut tx = Tx::open(&self.inner, KERNEL, self.house_caller()).await?;
        tx.enter(kernel_scope());
        let rows = tx.scan::<UndeliveredKey>(Parts::none(), limit).await?;
        Ok(rows.into_iter().map(|(_, task)| task).collect())
    }
}

pub(crate) fn service() -> Service {
    Service::internal_only(KERNEL)
        .internal("StartSweep", start_sweep)
        .internal("Sweep", sweep)
        .at_start("StartSweep")
}

async fn start_sweep(tx: &mut Tx, (): ()) -> Result<()> {
    if tx.get(&SweepKey {}).await?.is_none() {
        tx.put(&SweepKey {}, &())?;
        enqueue(tx, SWEEP_EVERY)?;
    }
    Ok(())
}

async fn sweep(tx: &mut Tx, (): ()) -> Result<()> {
    let before = tx.now() - trace::RETENTION;
    let removed = trace::sweep(tx, before, SWEEP_BATCH).await?;
    enqueue(tx, if removed == SWEEP_BATCH { Duration::ZERO } else { SWEEP_EVERY })
}

fn enqueue(tx: &mut Tx, wait: Duration) -> Result<()> {
    let due = tx.now() + wait;
    tx.enqueue_quietly(due, NewTask::new(Call::new(KERNEL, "Sweep", &())?))?;
    Ok(())
}
