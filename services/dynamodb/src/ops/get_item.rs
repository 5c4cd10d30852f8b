//! `GetItem`: one item by its key. Every read is consistent; `ConsistentRead` only counts double.

use kernel::{Result, Tx};

use crate::api::{GetItemInput, GetItemOutput};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::Kind;
use crate::{legacy, request, tables};

pub(crate) async fn get_item(tx: &mut Tx, input: GetItemInput) -> Result<GetItemOutput> {
    let key = input.key.accept()?;
    let given = request::Given {
        names: input.expression_attribute_names,
        projection: input.projection_expression,
        legacy: legacy::Given { attributes_to_get: input.attributes_to_get, ..legacy::Given::default() },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Projection])?;
    let parsed = accepted.parse()?;
    let table = tables::for_reading(tx, &input.table_name).await?;
    let address = table.address_of_key(&key)?;
    let row = tx.peek(&address.item_key(table.space)).await?;
    let rate = Rate::reading(input.consistent_read);
    let mut meter = Meter::default();
    meter.add(rate.units(row.as_ref().map_or(0, |row| row.size as usize)));
    let item = match (row, &parsed.projection) {
        (None, _) => None,
        (Some(row), None) => Some(ItemForm::Stored(row.item)),
        (Some(row), Some(projection)) => Some(projection.apply(&row.item.decode()?).into()),
    };
    let consumed_capacity = meter.report(input.return_consumed_capacity, &table.name, rate);
    Ok(GetItemOutput { item, consumed_capacity })
}
