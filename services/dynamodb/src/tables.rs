//! Finding tables, and knowing them by their row's version instead of decoding them for every request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use base::{Arn, Fault};
use kernel::{Result, Tx};
use store::{Stored, Version};

use crate::api::error;
use crate::keys::{TableKey, TableRow};
use crate::table::Table;

/// Decoded tables by account, region and name, each with the version of its row. Losing it loses nothing.
#[derive(Debug, Default)]
pub(crate) struct Tables(RwLock<HashMap<String, (Version, Arc<Table>)>>);

/// More tables than this are decoded anew.
const CACHED_MAX: usize = 10_000;

impl Tables {
    fn find(&self, place: &str, version: Version) -> Option<Arc<Table>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(place).filter(|(at, _)| *at == version).map(|(_, table)| Arc::clone(table))
    }

    fn keep(&self, place: String, version: Version, table: &Arc<Table>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED_MAX {
            known.clear();
        }
        known.insert(place, (version, Arc::clone(table)));
    }
}

/// The name in a `TableName` parameter, which may be the table's ARN.
pub(crate) fn name_of(table_name: &str) -> &str {
    match table_name.split_once(":table/") {
        Some((arn, rest)) if arn.starts_with("arn:") => rest.split('/').next().unwrap_or(rest),
        _ => table_name,
    }
}

/// The name in a `TableName` parameter; an ARN must be of the caller's own account and region.
pub(crate) fn own_name<'n>(tx: &Tx, table_name: &'n str) -> Result<&'n str> {
    if table_name.starts_with("arn:")
        && let Ok(arn) = table_name.parse::<Arn>()
    {
        check_scope(tx, &arn, table_name)?;
    }
    Ok(name_of(table_name))
}

fn check_scope(tx: &Tx, arn: &Arn, shown: &str) -> Result<()> {
    if arn.account != tx.scope().account.as_str() || arn.region != tx.scope().region.as_str() {
        return Err(Fault::access_denied(format!("access to the resource {shown} is denied")).into());
    }
    Ok(())
}

/// The table for an operation on items. Whoever writes depends on the table's row: an index that is made meanwhile, or
/// the end of the table, makes the writer run again.
pub(crate) async fn for_writing(tx: &mut Tx, table_name: &str) -> Result<Arc<Table>> {
    let name = own_name(tx, table_name)?;
    let row = tx.get_versioned(&TableKey { name: name.to_owned() }).await?;
    usable(known(tx, name, row, not_found)?)
}

/// The table for an operation that only reads.
pub(crate) async fn for_reading(tx: &mut Tx, table_name: &str) -> Result<Arc<Table>> {
    let name = own_name(tx, table_name)?;
    let row = tx.peek_versioned(&TableKey { name: name.to_owned() }).await?;
    usable(known(tx, name, row, not_found)?)
}

/// Refuses a table whose items are still being restored.
fn usable(table: Arc<Table>) -> Result<Arc<Table>> {
    if table.is_restoring() { Err(not_found(&table.name).into()) } else { Ok(table) }
}

/// Refuses to change or to delete such a table.
pub(crate) fn check_created(table: &Table) -> Result<(), Fault> {
    if table.is_restoring() {
        let text = format!(
            "Attempt to change a resource which is still in use: Table is being created: {}",
            table.name
        );
        return Err(error::resource_in_use_exception(text));
    }
    Ok(())
}

/// The table for an operation on the table itself, whose refusal names it.
pub(crate) async fn itself(tx: &mut Tx, table_name: &str) -> Result<Arc<Table>> {
    let name = own_name(tx, table_name)?;
    let row = tx.get_versioned(&TableKey { name: name.to_owned() }).await?;
    known(tx, name, row, table_not_found)
}

/// The table that a resource's ARN names.
pub(crate) async fn of_arn(tx: &mut Tx, arn: &str) -> Result<Arc<Table>> {
    let parsed: Option<Arn> = arn.parse().ok();
    let Some(parsed) = parsed.filter(|arn| arn.service == "dynamodb" && arn.resource.starts_with("table/"))
    else {
        return Err(Fault::validation(format!(
            "Invalid TableArn: Invalid ResourceArn provided as input {arn}"
        ))
        .into());
    };
    check_scope(tx, &parsed, arn)?;
    let name = name_of(arn).to_owned();
    let row = tx.get_versioned(&TableKey { name: name.clone() }).await?;
    known(tx, &name, row, |_| {
        let text = format!("Requested resource not found: ResourcArn: {arn} not found");
        Fault::new("ResourceNotFoundException", text)
    })
}

/// Writes a table.
pub(crate) fn put(tx: &mut Tx, table: &Table) -> Result<()> {
    let row = TableRow(table.to_bytes()?);
    tx.put(&TableKey { name: table.name.clone() }, &row)
}

fn known(
    tx: &Tx,
    name: &str,
    row: Option<(TableRow, Version)>,
    missing: impl FnOnce(&str) -> Fault,
) -> Result<Arc<Table>> {
    let Some((row, version)) = row else { return Err(missing(name).into()) };
    let tables = tx.state::<Tables>()?;
    let place = format!("{}/{}/{name}", tx.scope().account, tx.scope().region);
    if let Some(table) = tables.find(&place, version) {
        return Ok(table);
    }
    let table = Arc::new(Table::from_bytes(&row.0)?);
    // Version 0 is this transaction's own row, which nobody else may see.
    if version != Version(0) {
        tables.keep(place, version, &table);
    }
    Ok(table)
}

fn not_found(_: &str) -> Fault {
    Fault::new("ResourceNotFoundException", "Requested resource not found")
}

/// `Requested resource not found: Table: … not found`
pub(crate) fn table_not_found(name: &str) -> Fault {
    let text = format!("Requested resource not found: Table: {name} not found");
    Fault::new("ResourceNotFoundException", text)
}
