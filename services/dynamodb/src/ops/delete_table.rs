//! `DeleteTable`: the table is gone at once, its rows are removed by tasks. Its stream can be read for another day; the items
//! of a table with point-in-time recovery become a backup, as at AWS.

use base::Fault;
use kernel::{Result, Tx};

use super::describe_table::sizes;
use super::purge::{Purge, Rows};
use crate::api::{DeleteTableInput, DeleteTableOutput, TableStatus};
use crate::keys::{SweepKey, SweepRow, TableKey};
use crate::recovery::{self, backup};
use crate::table::{Estimate, Table, describe};
use crate::{stream, tables};

pub(crate) async fn delete_table(tx: &mut Tx, input: DeleteTableInput) -> Result<DeleteTableOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    tables::check_created(&table)?;
    if table.deletion_protection {
        let text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                    protection first.";
        return Err(Fault::validation(text).into());
    }
    let sizes = sizes(tx, &table).await?;
    let mut ended = Table::clone(&table);
    stream::disable(tx, &mut ended).await?;
    tx.delete(&TableKey { name: table.name.clone() });
    give_up_items(tx, &table, sizes.get(&table.space).copied().unwrap_or_default()).await?;
    for index in &table.indexes {
        Purge { rows: Rows::Entries, space: index.space }.enqueue(tx)?;
    }
    if table.ttl_attribute.is_some() {
        Purge { rows: Rows::Expiries, space: table.space }.enqueue(tx)?;
        let plan = SweepKey { space: table.space };
        if let Some(SweepRow::Scheduled { task, .. }) = tx.get(&plan).await? {
            tx.cancel(&task);
        }
        tx.delete(&plan);
    }
    let described = describe(&table, tx.scope(), TableStatus::Deleting, &sizes);
    Ok(DeleteTableOutput { table_description: Some(described) })
}

/// Removes the items, unless a backup takes them over or a copy of them is still being made: the last copy removes them.
async fn give_up_items(tx: &mut Tx, table: &Table, size: Estimate) -> Result<()> {
    let remove = Purge { rows: Rows::Items, space: table.space };
    let Some((log, mut history)) = recovery::find(tx, table).await? else { return remove.enqueue(tx) };
    match history.recovery.take() {
        Some(period) => {
            tx.cancel(&period.task);
            backup::of_deleted(tx, table, size, Some(log))?;
        }
        None if history.holds.is_empty() => remove.enqueue(tx)?,
        None => history.orphan = Some(table.space),
    }
    recovery::settle(tx, log, history).await
}
