//! The operations, one a file.

pub(crate) mod backfill;
pub(crate) mod batch_get_item;
pub(crate) mod batch_write_item;
mod cancellation;
pub(crate) mod create_backup;
pub(crate) mod create_table;
pub(crate) mod delete_backup;
pub(crate) mod delete_item;
pub(crate) mod delete_table;
pub(crate) mod describe_backup;
pub(crate) mod describe_continuous_backups;
pub(crate) mod describe_contributor_insights;
pub(crate) mod describe_endpoints;
pub(crate) mod describe_kinesis_streaming_destination;
pub(crate) mod describe_stream;
pub(crate) mod describe_table;
pub(crate) mod describe_time_to_live;
pub(crate) mod get_item;
pub(crate) mod get_records;
pub(crate) mod get_shard_iterator;
pub(crate) mod keep_history;
pub(crate) mod list_backups;
pub(crate) mod list_streams;
pub(crate) mod list_tables;
pub(crate) mod list_tags_of_resource;
pub(crate) mod purge;
pub(crate) mod put_item;
pub(crate) mod query;
pub(crate) mod read_stream;
pub(crate) mod restore_table_from_backup;
pub(crate) mod restore_table_to_point_in_time;
pub(crate) mod scan;
pub(crate) mod sweep;
pub(crate) mod tag_resource;
pub(crate) mod transact_get_items;
pub(crate) mod transact_write_items;
pub(crate) mod trim_stream;
pub(crate) mod untag_resource;
pub(crate) mod update_continuous_backups;
pub(crate) mod update_item;
pub(crate) mod update_table;
pub(crate) mod update_time_to_live;

use base::Fault;

use crate::api::{ItemCollectionMetrics, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValue};
use crate::table::Table;
use crate::value::Item;

/// Refuses a `ReturnValues` that the operation does not have.
fn check_return_values(given: Option<ReturnValue>, possible: &[ReturnValue]) -> Result<ReturnValue, Fault> {
    let wanted = given.unwrap_or(ReturnValue::None);
    if possible.contains(&wanted) {
        Ok(wanted)
    } else {
        Err(Fault::validation("Return values set to invalid value"))
    }
}

/// Whether the caller wants a report, for which an item's size must be known.
fn wants_capacity(wanted: Option<ReturnConsumedCapacity>) -> bool {
    wanted.is_some_and(|wanted| wanted != ReturnConsumedCapacity::None)
}

/// The metrics of the item collection that `item` belongs to. Only tables with local indexes have collections; here no
/// collection has a bound, so the estimate is the smallest that AWS gives.
fn collection_metrics(
    wanted: Option<ReturnItemCollectionMetrics>,
    table: &Table,
    item: &Item,
) -> Option<ItemCollectionMetrics> {
    wanted.filter(|wanted| *wanted == ReturnItemCollectionMetrics::Size)?;
    table.indexes.iter().find(|index| index.local)?;
    let hash = item.get(&table.keys.hash)?.clone();
    Some(ItemCollectionMetrics {
        item_collection_key: Some(Item::from([(table.keys.hash.clone(), hash)]).into()),
        size_estimate_range_gb: Some(vec![0.0, 1.0]),
    })
}
