//! `DeleteItem`: removes an item; one that does not exist is no error.

use kernel::{Result, Tx};

use super::{check_return_values, collection_metrics, wants_capacity};
use crate::api::{DeleteItemInput, DeleteItemOutput, ReturnValue};
use crate::capacity::Rate;
use crate::expression::Kind;
use crate::write::{Change, Write};
use crate::{legacy, request, tables, write};

pub(crate) async fn delete_item(tx: &mut Tx, input: DeleteItemInput) -> Result<DeleteItemOutput> {
    let returned = check_return_values(input.return_values, &[ReturnValue::None, ReturnValue::AllOld])?;
    let key = input.key.accept()?;
    let given = request::Given {
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        condition: input.condition_expression,
        legacy: legacy::Given {
            expected: input.expected,
            conditional_operator: input.conditional_operator,
            ..legacy::Given::default()
        },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Condition])?;
    let parsed = accepted.parse()?;
    let table = tables::for_writing(tx, &input.table_name).await?;
    let address = table.address_of_key(&key)?;
    let item_collection_metrics = collection_metrics(input.return_item_collection_metrics, &table, &key);
    let delete = Write {
        table: &table,
        address,
        key,
        condition: parsed.condition.as_ref(),
        change: Change::Delete,
        wants_before: returned == ReturnValue::AllOld || wants_capacity(input.return_consumed_capacity),
        rate: Rate::Write,
    };
    let shown = input.return_values_on_condition_check_failure;
    let written = write::write(tx, delete).await?.map_err(|refused| refused.into_fault(shown))?;
    Ok(DeleteItemOutput {
        attributes: written.before.filter(|_| returned == ReturnValue::AllOld).map(Into::into),
        consumed_capacity: written.meter.report(input.return_consumed_capacity, &table.name, Rate::Write),
        item_collection_metrics,
    })
}
