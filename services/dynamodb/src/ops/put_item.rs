//! `PutItem`: writes a whole item.

use kernel::{Result, Tx};

use super::{check_return_values, collection_metrics, wants_capacity};
use crate::api::{PutItemInput, PutItemOutput, ReturnValue};
use crate::capacity::Rate;
use crate::expression::Kind;
use crate::write::{Change, Write};
use crate::{legacy, request, tables, write};

pub(crate) async fn put_item(tx: &mut Tx, input: PutItemInput) -> Result<PutItemOutput> {
    let returned = check_return_values(input.return_values, &[ReturnValue::None, ReturnValue::AllOld])?;
    let item = input.item.accept()?;
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
    let address = table.address_of_item(&item)?;
    let item_collection_metrics = collection_metrics(input.return_item_collection_metrics, &table, &item);
    let put = Write {
        table: &table,
        address,
        key: Default::default(),
        condition: parsed.condition.as_ref(),
        change: Change::Put(item),
        wants_before: returned == ReturnValue::AllOld || wants_capacity(input.return_consumed_capacity),
        rate: Rate::Write,
    };
    let shown = input.return_values_on_condition_check_failure;
    let written = write::write(tx, put).await?.map_err(|refused| refused.into_fault(shown))?;
    Ok(PutItemOutput {
        attributes: written.before.filter(|_| returned == ReturnValue::AllOld).map(Into::into),
        consumed_capacity: written.meter.report(input.return_consumed_capacity, &table.name, Rate::Write),
        item_collection_metrics,
    })
}
