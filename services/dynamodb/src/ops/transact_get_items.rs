//! `TransactGetItems`: up to 100 items as they stood at one moment.

use std::collections::{BTreeMap, HashSet};

use base::Fault;
use kernel::{Result, Tx};

use super::cancellation::{Reason, cancelled, validation_error};
use super::transact_write_items::{ITEMS_BYTES_MAX, TOO_LARGE};
use crate::api::{Get, ItemResponse, TransactGetItemsInput, TransactGetItemsOutput};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::Kind;
use crate::{request, tables};

pub(crate) async fn transact_get_items(
    tx: &mut Tx,
    input: TransactGetItemsInput,
) -> Result<TransactGetItemsOutput> {
    let mut responses = Vec::with_capacity(input.transact_items.len());
    let mut reasons: Vec<Reason> = Vec::with_capacity(input.transact_items.len());
    let mut meters: BTreeMap<String, Meter> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut bytes = 0_usize;
    for item in input.transact_items {
        let Get { key, table_name, projection_expression, expression_attribute_names } = item.get;
        let key = key.accept()?;
        let given = request::Given {
            names: expression_attribute_names,
            projection: projection_expression,
            ..request::Given::default()
        };
        let accepted = given.accept(&[Kind::Projection])?;
        let parsed = accepted.parse()?;
        let table = tables::for_reading(tx, &table_name).await?;
        table.check_no_empty_keys(&key)?;
        let address = match table.address_of_key(&key) {
            Ok(address) => address,
            Err(fault) => {
                reasons.push(Some(validation_error(&fault)));
                continue;
            }
        };
        if !seen.insert((table.space, address.clone())) {
            let text = "Transaction request cannot include multiple operations on one item";
            return Err(Fault::validation(text).into());
        }
        let row = tx.peek(&address.item_key(table.space)).await?;
        bytes += row.as_ref().map_or(0, |row| row.size as usize);
        if bytes > ITEMS_BYTES_MAX {
            return Err(Fault::validation(TOO_LARGE).into());
        }
        let units = Rate::TransactionalRead.units(row.as_ref().map_or(0, |row| row.size as usize));
        meters.entry(table.name.clone()).or_default().add(units);
        let item = match (row, &parsed.projection) {
            (None, _) => None,
            (Some(row), None) => Some(ItemForm::Stored(row.item)),
            (Some(row), Some(projection)) => Some(projection.apply(&row.item.decode()?).into()),
        };
        responses.push(ItemResponse { item });
        reasons.push(None);
    }
    if reasons.iter().any(Option::is_some) {
        return Err(cancelled(&reasons).into());
    }
    let report = |(name, meter): (&String, &Meter)| {
        meter.report(input.return_consumed_capacity, name, Rate::TransactionalRead)
    };
    let consumed: Vec<_> = meters.iter().filter_map(report).collect();
    Ok(TransactGetItemsOutput {
        consumed_capacity: (!consumed.is_empty()).then_some(consumed),
        responses: Some(responses),
    })
}
