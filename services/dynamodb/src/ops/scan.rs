//! `Scan`: all items of a table or index, or of one of its segments.

use base::Fault;
use kernel::{Direction, Result, Tx};

use crate::api::{ScanInput, ScanOutput};
use crate::capacity::Rate;
use crate::expression::Kind;
use crate::page::{Range, Reading};
use crate::select::{self, Wanted};
use crate::{legacy, request, tables};

pub(crate) async fn scan(tx: &mut Tx, input: ScanInput) -> Result<ScanOutput> {
    let limit = select::limit(input.limit)?;
    let range = segment(input.segment, input.total_segments)?;
    let start = input.exclusive_start_key.map(|key| key.accept()).transpose()?;
    let given = request::Given {
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        filter: input.filter_expression,
        projection: input.projection_expression,
        legacy: legacy::Given {
            conditional_operator: input.conditional_operator,
            scan_filter: input.scan_filter,
            attributes_to_get: input.attributes_to_get,
            ..legacy::Given::default()
        },
        ..request::Given::default()
    };
    let accepted = given.accept(&[Kind::Filter, Kind::Projection])?;
    let parsed = accepted.parse()?;
    let table = tables::for_reading(tx, &input.table_name).await?;
    let index = select::index(&table, input.index_name.as_deref(), input.consistent_read)?;
    let Wanted { items, fetch } = select::wanted(input.select, &table, index, &parsed)?;
    let rate = Rate::reading(input.consistent_read);
    let mut reading = Reading {
        table: &table,
        index,
        range,
        direction: Direction::Forward,
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
    Ok(ScanOutput {
        items: items.then_some(page.items),
        count: Some(page.count),
        scanned_count: Some(page.scanned),
        last_evaluated_key: page.last.map(Into::into),
        consumed_capacity: page.meter.report(input.return_consumed_capacity, &table.name, rate),
    })
}

fn segment(segment: Option<i32>, total: Option<i32>) -> Result<Range, Fault> {
    let told = Fault::validation;
    let number = |given: Option<i32>| given.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    match (number(segment), number(total)) {
        (None, None) => Ok(Range::of_segment(0, 1)),
        (Some(segment), Some(total)) if segment < total => Ok(Range::of_segment(segment, total)),
        (Some(segment), Some(total)) => Err(told(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is \
             not less than TotalSegments: {total}"
        ))),
        (None, Some(_)) => Err(told(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
             present"
                .to_owned(),
        )),
        (Some(_), None) => Err(told(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
             present"
                .to_owned(),
        )),
    }
}
