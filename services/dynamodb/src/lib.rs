//! Amazon DynamoDB: tables, items and the expressions over them, and the streams of their changes, which have an API of
//! their own over the same rows.
//!
//! Knows tables with their indexes, items, DynamoDB's numbers and its expression language.
//! Must not know any other service, HTTP, the clock, or how a row reaches the disk: time, ids and rows come with the
//! transaction, and what has to happen later (expiry of items, filling of an index, removal of a table's rows, copying of
//! items for restores and backups) is a task.
//!
//! Two invariants, written as absences: no item is ever read whose index entries are of another commit, and no
//! conditional write commits on an item that changed after its condition was judged.

pub mod api;
pub mod api_streams;
pub mod border;
mod capacity;
mod expiry;
pub mod expression;
pub mod keys;
mod legacy;
pub mod number;
mod ops;
mod page;
pub mod recovery;
mod request;
mod select;
pub mod stored;
pub mod stream;
pub mod table;
mod tables;
pub mod value;
mod write;

use std::sync::Arc;

use kernel::Service;

/// The service, for the router.
pub fn service() -> Service {
    with_backups(with_streams(Service::new(&api::SERVICE)))
        .state(Arc::new(tables::Tables::default()))
        .transact::<api::CreateTable, _>(ops::create_table::create_table)
        .transact::<api::DeleteTable, _>(ops::delete_table::delete_table)
        .transact::<api::DescribeTable, _>(ops::describe_table::describe_table)
        .transact::<api::ListTables, _>(ops::list_tables::list_tables)
        .transact::<api::UpdateTable, _>(ops::update_table::update_table)
        .transact::<api::PutItem, _>(ops::put_item::put_item)
        .transact::<api::GetItem, _>(ops::get_item::get_item)
        .transact::<api::UpdateItem, _>(ops::update_item::update_item)
        .transact::<api::DeleteItem, _>(ops::delete_item::delete_item)
        .transact::<api::Query, _>(ops::query::query)
        .transact::<api::Scan, _>(ops::scan::scan)
        .transact::<api::BatchWriteItem, _>(ops::batch_write_item::batch_write_item)
        .transact::<api::BatchGetItem, _>(ops::batch_get_item::batch_get_item)
        .transact::<api::TransactWriteItems, _>(ops::transact_write_items::transact_write_items)
        .transact::<api::TransactGetItems, _>(ops::transact_get_items::transact_get_items)
        .transact::<api::TagResource, _>(ops::tag_resource::tag_resource)
        .transact::<api::UntagResource, _>(ops::untag_resource::untag_resource)
        .transact::<api::ListTagsOfResource, _>(ops::list_tags_of_resource::list_tags_of_resource)
        .transact::<api::DescribeTimeToLive, _>(ops::describe_time_to_live::describe_time_to_live)
        .transact::<api::UpdateTimeToLive, _>(ops::update_time_to_live::update_time_to_live)
        .transact::<api::DescribeContributorInsights, _>(
            ops::describe_contributor_insights::describe_contributor_insights,
        )
        .transact::<api::DescribeKinesisStreamingDestination, _>(
            ops::describe_kinesis_streaming_destination::describe_kinesis_streaming_destination,
        )
        .transact::<api::DescribeEndpoints, _>(ops::describe_endpoints::describe_endpoints)
        .internal(expiry::SWEEP, ops::sweep::sweep)
        .internal(ops::purge::PURGE, ops::purge::purge)
        .internal(ops::backfill::BACKFILL, ops::backfill::backfill)
}

/// The streams' API: another prefix of targets, the same signing name.
fn with_streams(service: Service) -> Service {
    service
        .also(&api_streams::SERVICE)
        .transact::<api_streams::ListStreams, _>(ops::list_streams::list_streams)
        .transact::<api_streams::DescribeStream, _>(ops::describe_stream::describe_stream)
        .transact::<api_streams::GetShardIterator, _>(ops::get_shard_iterator::get_shard_iterator)
        .transact::<api_streams::GetRecords, _>(ops::get_records::get_records)
        .internal(ops::read_stream::POSITION, ops::read_stream::find_position)
        .internal(ops::read_stream::READ, ops::read_stream::read_stream)
        .internal(stream::TRIM, ops::trim_stream::trim_stream)
        .sources(&[stream::source::STREAM])
}

/// Point-in-time recovery and backups.
fn with_backups(service: Service) -> Service {
    service
        .transact::<api::DescribeContinuousBackups, _>(
            ops::describe_continuous_backups::describe_continuous_backups,
        )
        .transact::<api::UpdateContinuousBackups, _>(
            ops::update_continuous_backups::update_continuous_backups,
        )
        .transact::<api::RestoreTableToPointInTime, _>(
            ops::restore_table_to_point_in_time::restore_table_to_point_in_time,
        )
        .transact::<api::CreateBackup, _>(ops::create_backup::create_backup)
        .transact::<api::DescribeBackup, _>(ops::describe_backup::describe_backup)
        .transact::<api::ListBackups, _>(ops::list_backups::list_backups)
        .transact::<api::DeleteBackup, _>(ops::delete_backup::delete_backup)
        .transact::<api::RestoreTableFromBackup, _>(ops::restore_table_from_backup::restore_table_from_backup)
        .internal(recovery::TICK, ops::keep_history::keep_history)
        .internal(recovery::copy::COPY, recovery::copy::step)
        .internal(recovery::backup::EXPIRE, ops::delete_backup::expire_backup)
}
