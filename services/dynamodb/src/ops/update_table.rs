//! `UpdateTable`: changes settings, global indexes and the stream. A new index is filled by tasks.

use kernel::{Result, Tx};

use super::backfill::Backfill;
use super::describe_table::sizes;
use super::purge::{Purge, Rows};
use crate::api::{TableStatus, UpdateTableInput, UpdateTableOutput, error};
use crate::table::{Table, describe, update};
use crate::{stream, tables};

pub(crate) async fn update_table(tx: &mut Tx, input: UpdateTableInput) -> Result<UpdateTableOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    tables::check_created(&table)?;
    if table.indexes.iter().any(|index| index.backfilling) {
        let text = format!(
            "Attempt to change a resource which is still in use: Table is being updated: {}",
            table.name
        );
        return Err(error::resource_in_use_exception(text).into());
    }
    let now = tx.now();
    let streamed = input.stream_specification.clone();
    let mut planned = update(Table::clone(&table), input, now, || tx.random())?;
    stream::apply(tx, &mut planned.table, streamed.as_ref()).await?;
    for space in planned.empty {
        Purge { rows: Rows::Entries, space }.enqueue(tx)?;
    }
    for space in planned.fill {
        Backfill::of(&planned.table, Some(space)).enqueue(tx)?;
    }
    tables::put(tx, &planned.table)?;
    let sizes = sizes(tx, &table).await?;
    let described = describe(&planned.table, tx.scope(), TableStatus::Active, &sizes);
    Ok(UpdateTableOutput { table_description: Some(described) })
}
