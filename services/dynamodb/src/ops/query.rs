//! `Query`: the items of one partition of a table or index, in the order of the sort key.

use base::Fault;
use kernel::{Direction, Result, Tx};

use crate::api::{QueryInput, QueryOutput};
use crate::capacity::Rate;
use crate::expression::{Condition, KeyCondition, Kind, Path};
use crate::page::{Range, Reading};
use crate::select::{self, Wanted};
use crate::table::{KeyNames, Table};
use crate::{legacy, request, tables};

pub(crate) async fn query(tx: &mut Tx, input: QueryInput) -> Result<QueryOutput> {
    let limit = select::limit(input.limit)?;
    let start = input.exclusive_start_key.map(|key| key.accept()).transpose()?;
    let given = request::Given {
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        filter: input.filter_expression,
        key_condition: input.key_condition_expression,
        projection: input.projection_expression,
        legacy: legacy::Given {
            conditional_operator: input.conditional_operator,
            query_filter: input.query_filter,
            key_conditions: input.key_conditions,
            attributes_to_get: input.attributes_to_get,
            ..legacy::Given::default()
        },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Filter, Kind::KeyCondition, Kind::Projection])?;
    let mut parsed = accepted.parse()?;
    let Some(parts) = parsed.key_parts.take() else {
        let text =
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.";
        return Err(Fault::validation(text).into());
    };
    let table = tables::for_reading(tx, &input.table_name).await?;
    let index = select::index(&table, input.index_name.as_deref(), input.consistent_read)?;
    let keys = index.map_or(&table.keys, |index| &index.keys);
    let condition = KeyCondition::of(parts, &keys.hash, keys.range.as_deref())?;
    check_types(&table, keys, &condition)?;
    if let Some(filter) = &parsed.filter {
        refuse_keys_in_filter(keys, filter)?;
    }
    let Wanted { items, fetch } = select::wanted(input.select, &table, index, &parsed)?;
    let forward = input.scan_index_forward != Some(false);
    let rate = Rate::reading(input.consistent_read);
    let mut reading = Reading {
        table: &table,
        index,
        range: Range::of_condition(&condition),
        direction: if forward { Direction::Forward } else { Direction::Backward },
        limit,
        filter: parsed.filter.as_ref(),
        projection: parsed.projection.as_ref(),
        items,
        fetch,
        rate,
    };
    if let Some(key) = start {
        reading = reading.start_after(&key)?;
    }
    let page = reading.read(tx).await?;
    Ok(QueryOutput {
        items: items.then_some(page.items),
        count: Some(page.count),
        scanned_count: Some(page.scanned),
        last_evaluated_key: page.last.map(Into::into),
        consumed_capacity: page.meter.report(input.return_consumed_capacity, &table.name, rate),
    })
}

fn check_types(table: &Table, keys: &KeyNames, condition: &KeyCondition<'_>) -> Result<(), Fault> {
    table.check_condition_type(&keys.hash, &[condition.hash])?;
    match (&keys.range, &condition.range) {
        (Some(name), Some(range)) => table.check_condition_type(name, &range.values()),
        _ => Ok(()),
    }
}

fn refuse_keys_in_filter(keys: &KeyNames, filter: &Condition<'_>) -> Result<(), Fault> {
    let mut found = None;
    filter.visit_paths(&mut |path: &Path<'_>| {
        if keys.iter().any(|key| key == path.name) {
            found.get_or_insert_with(|| path.name.to_owned());
        }
    });
    match found {
        None => Ok(()),
        Some(name) => Err(Fault::validation(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        ))),
    }
}
