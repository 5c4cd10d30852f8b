//! `CreateTable`: makes a table, at once.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{CreateTableInput, CreateTableOutput, TableStatus, error};
use crate::keys::TableKey;
use crate::table::{create, describe};
use crate::{stream, tables};

pub(crate) async fn create_table(tx: &mut Tx, input: CreateTableInput) -> Result<CreateTableOutput> {
    if input.table_name.starts_with("arn:") {
        let text = "TableName must be a name when a table is created, not an ARN";
        return Err(Fault::validation(text).into());
    }
    let (id, now) = (tx.id(), tx.now());
    let streamed = input.stream_specification.clone().filter(|wanted| wanted.stream_enabled);
    let mut table = create(input, id, now, || tx.random())?;
    if tx.get(&TableKey { name: table.name.clone() }).await?.is_some() {
        let text = format!("Table already exists: {}", table.name);
        return Err(error::resource_in_use_exception(text).into());
    }
    stream::apply(tx, &mut table, streamed.as_ref()).await?;
    tables::put(tx, &table)?;
    // The table can be used with this commit; the status says what clients wait for to pass.
    let described = describe(&table, tx.scope(), TableStatus::Creating, &Default::default());
    Ok(CreateTableOutput { table_description: Some(described) })
}
