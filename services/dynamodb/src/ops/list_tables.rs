//! `ListTables`: the names of the tables, in their order.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{ListTablesInput, ListTablesOutput};
use crate::keys::TableKey;

const NAMES_MAX: usize = 100;

pub(crate) async fn list_tables(tx: &mut Tx, input: ListTablesInput) -> Result<ListTablesOutput> {
    let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(NAMES_MAX).min(NAMES_MAX);
    let rows = match input.exclusive_start_table_name {
        None => tx.scan::<TableKey>(Parts::none(), limit + 1).await?,
        Some(name) => tx.scan_after(Parts::none(), &TableKey { name }, limit + 1, Direction::Forward).await?,
    };
    let more = rows.len() > limit;
    let names: Vec<String> = rows.into_iter().take(limit).map(|(key, _)| key.name).collect();
    let last_evaluated_table_name = names.last().filter(|_| more).cloned();
    Ok(ListTablesOutput { table_names: Some(names), last_evaluated_table_name })
}
