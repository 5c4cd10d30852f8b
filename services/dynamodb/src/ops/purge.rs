//! Internal: removes the rows of a space that nothing names any more, a page a task.

use kernel::{Call, Key, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::{ExpiryKey, IndexKey, ItemKey};

/// The internal operation.
pub(crate) const PURGE: &str = "PurgeSpace";

const ROWS_A_TASK: usize = 64;

/// The input of [`PURGE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Purge {
    pub(crate) rows: Rows,
    pub(crate) space: u64,
}

/// Which rows of the space.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Rows {
    Items,
    Entries,
    Expiries,
}

impl Purge {
    /// Enqueues the next page.
    pub(crate) fn enqueue(self, tx: &mut Tx) -> Result<()> {
        tx.go_on(tx.now(), NewTask::new(Call::new("dynamodb", PURGE, &self)?))?;
        Ok(())
    }
}

pub(crate) async fn purge(tx: &mut Tx, input: Purge) -> Result<()> {
    let removed = match input.rows {
        Rows::Items => page::<ItemKey>(tx, input.space).await?,
        Rows::Entries => page::<IndexKey>(tx, input.space).await?,
        Rows::Expiries => page::<ExpiryKey>(tx, input.space).await?,
    };
    if removed == ROWS_A_TASK { input.enqueue(tx) } else { Ok(()) }
}

async fn page<K: Key>(tx: &mut Tx, space: u64) -> Result<usize> {
    let rows = tx.scan::<K>(Parts::of(&space), ROWS_A_TASK).await?;
    for (key, _) in &rows {
        tx.delete(key);
    }
    Ok(rows.len())
}
