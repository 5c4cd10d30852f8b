//! `UpdateItem`: changes parts of an item, or makes it.

use kernel::{Result, Tx};

use super::{check_return_values, collection_metrics};
use crate::api::{ReturnValue, UpdateItemInput, UpdateItemOutput};
use crate::capacity::Rate;
use crate::expression::{Kind, Update};
use crate::value::Item;
use crate::write::{Change, Write, Written};
use crate::{legacy, request, tables, write};

pub(crate) async fn update_item(tx: &mut Tx, input: UpdateItemInput) -> Result<UpdateItemOutput> {
    use ReturnValue::{AllNew, AllOld, None, UpdatedNew, UpdatedOld};
    let returned = check_return_values(input.return_values, &[None, AllOld, UpdatedOld, AllNew, UpdatedNew])?;
    let key = input.key.accept()?;
    let given = request::Given {
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        condition: input.condition_expression,
        update: input.update_expression,
        legacy: legacy::Given {
            expected: input.expected,
            conditional_operator: input.conditional_operator,
            attribute_updates: input.attribute_updates,
            ..legacy::Given::default()
        },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Update, Kind::Condition])?;
    let parsed = accepted.parse()?;
    let update = parsed.update.unwrap_or_default();
    let table = tables::for_writing(tx, &input.table_name).await?;
    let address = table.address_of_key(&key)?;
    write::check_keys_untouched(&table, &update)?;
    let item_collection_metrics = collection_metrics(input.return_item_collection_metrics, &table, &key);
    let change = Write {
        table: &table,
        address,
        key,
        condition: parsed.condition.as_ref(),
        change: Change::Update(&update),
        wants_before: true,
        rate: Rate::Write,
    };
    let shown = input.return_values_on_condition_check_failure;
    let written = write::write(tx, change).await?.map_err(|refused| refused.into_fault(shown))?;
    Ok(UpdateItemOutput {
        consumed_capacity: written.meter.report(input.return_consumed_capacity, &table.name, Rate::Write),
        attributes: attributes(returned, &update, written).map(Into::into),
        item_collection_metrics,
    })
}

/// What `ReturnValues` asks for; nothing rather than an empty map.
fn attributes(returned: ReturnValue, update: &Update<'_>, written: Written) -> Option<Item> {
    let touched = |item: Item| update.touched().apply(&item);
    let attributes = match returned {
        ReturnValue::None => None,
        ReturnValue::AllOld => written.before,
        ReturnValue::AllNew => written.after,
        ReturnValue::UpdatedOld => written.before.map(touched),
        ReturnValue::UpdatedNew => written.after.map(touched),
    };
    attributes.filter(|attributes| !attributes.is_empty())
}
