//! `DeleteTable`: the table is gone at once, its rows are removed by tasks. Its stream can be read for another day.

use base::Fault;
use kernel::{Result, Tx};

use super::describe_table::sizes;
use super::purge::{Purge, Rows};
use crate::api::{DeleteTableInput, DeleteTableOutput, TableStatus};
use crate::keys::{SweepKey, SweepRow, TableKey};
use crate::table::{Table, describe};
use crate::{stream, tables};

pub(crate) async fn delete_table(tx: &mut Tx, input: DeleteTableInput) -> Result<DeleteTableOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    if table.deletion_protection {
        let text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                    protection first.";
        return Err(Fault::validation(text).into());
    }
    let sizes = sizes(tx, &table).await?;
    let mut ended = Table::clone(&table);
    stream::disable(tx, &mut ended).await?;
    tx.delete(&TableKey { name: table.name.clone() });
    Purge { rows: Rows::Items, space: table.space }.enqueue(tx)?;
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
