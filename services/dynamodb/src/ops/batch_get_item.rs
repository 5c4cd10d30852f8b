//! `BatchGetItem`: up to 100 items by their keys, up to 16 MB at once.

use std::collections::{BTreeMap, HashSet};

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::Kind;
use crate::{legacy, request, tables};

const KEYS_MAX: usize = 100;
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) async fn batch_get_item(tx: &mut Tx, input: BatchGetItemInput) -> Result<BatchGetItemOutput> {
    if input.request_items.values().map(|wanted| wanted.keys.len()).sum::<usize>() > KEYS_MAX {
        return Err(Fault::validation("Too many items requested for the BatchGetItem call").into());
    }
    let mut room = ANSWER_BYTES_MAX;
    let mut responses = BTreeMap::new();
    let mut unprocessed = BTreeMap::new();
    let mut consumed = Vec::new();
    for (name, wanted) in input.request_items {
        let rate = Rate::reading(wanted.consistent_read);
        let read = read_table(tx, &name, wanted, rate, &mut room).await?;
        consumed.extend(read.meter.report(input.return_consumed_capacity, tables::name_of(&name), rate));
        responses.insert(name.clone(), read.items);
        unprocessed.extend(read.left.map(|left| (name, left)));
    }
    Ok(BatchGetItemOutput {
        responses: Some(responses),
        unprocessed_keys: Some(unprocessed),
        consumed_capacity: (!consumed.is_empty()).then_some(consumed),
    })
}

/// What was read of one table, and what the answer has no room for.
struct Read {
    items: Vec<ItemForm>,
    left: Option<KeysAndAttributes>,
    meter: Meter,
}

async fn read_table(
    tx: &mut Tx,
    name: &str,
    wanted: KeysAndAttributes,
    rate: Rate,
    room: &mut usize,
) -> Result<Read> {
    let mut rest = KeysAndAttributes { keys: Vec::new(), ..wanted.clone() };
    let given = request::Given {
        names: wanted.expression_attribute_names,
        projection: wanted.projection_expression,
        legacy: legacy::Given { attributes_to_get: wanted.attributes_to_get, ..legacy::Given::default() },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Projection])?;
    let parsed = accepted.parse()?;
    let table = tables::for_reading(tx, name).await?;
    let mut seen = HashSet::new();
    let mut read = Read { items: Vec::new(), left: None, meter: Meter::default() };
    for key in wanted.keys {
        let key = key.accept()?;
        let address = table.address_of_key(&key)?;
        if !seen.insert(address.clone()) {
            return Err(Fault::validation("Provided list of item keys contains duplicates").into());
        }
        let row = match *room {
            0 => None,
            _ => tx.peek(&address.item_key(table.space)).await?,
        };
        let size = row.as_ref().map_or(0, |row| row.size as usize);
        if size > *room || *room == 0 {
            *room = 0;
            rest.keys.push(key.into());
            continue;
        }
        *room -= size;
        read.meter.add(rate.units(size));
        read.items.extend(match (row, &parsed.projection) {
            (None, _) => None,
            (Some(row), None) => Some(ItemForm::Stored(row.item)),
            (Some(row), Some(projection)) => Some(projection.apply(&row.item.decode()?).into()),
        });
    }
    read.left = (!rest.keys.is_empty()).then_some(rest);
    Ok(read)
}
