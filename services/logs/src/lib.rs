//! Amazon CloudWatch Logs: groups, streams and events.
//!
//! Knows text by time. Knows no function and no other writer. Events older than their group's retention are not given
//! out and are removed by a task; subscriptions send them on. Data protection, metric filters and Insights are not served.

pub mod api;
mod fault;
mod filter;
mod keys;
mod ops;
mod subscription;
mod token;

use kernel::{Service, TargetKind};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateLogGroup, _>(ops::group::create_log_group)
        .transact::<api::DeleteLogGroup, _>(ops::group::delete_log_group)
        .transact::<api::DescribeLogGroups, _>(ops::group::describe_log_groups)
        .transact::<api::PutRetentionPolicy, _>(ops::retention::put_retention_policy)
        .transact::<api::DeleteRetentionPolicy, _>(ops::retention::delete_retention_policy)
        .transact::<api::CreateLogStream, _>(ops::stream::create_log_stream)
        .transact::<api::DeleteLogStream, _>(ops::stream::delete_log_stream)
        .transact::<api::DescribeLogStreams, _>(ops::stream::describe_log_streams)
        .transact::<api::PutLogEvents, _>(ops::put_log_events::put_log_events)
        .transact::<api::GetLogEvents, _>(ops::get_log_events::get_log_events)
        .transact::<api::FilterLogEvents, _>(ops::filter_log_events::filter_log_events)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .transact::<api::PutSubscriptionFilter, _>(ops::subscription::put_subscription_filter)
        .transact::<api::DescribeSubscriptionFilters, _>(ops::subscription::describe_subscription_filters)
        .transact::<api::DeleteSubscriptionFilter, _>(ops::subscription::delete_subscription_filter)
        .transact::<api::TagLogGroup, _>(ops::tags::tag_log_group)
        .transact::<api::UntagLogGroup, _>(ops::tags::untag_log_group)
        .transact::<api::ListTagsLogGroup, _>(ops::tags::list_tags_log_group)
        .transact::<api::PutResourcePolicy, _>(ops::resource_policy::put_resource_policy)
        .transact::<api::DescribeResourcePolicies, _>(ops::resource_policy::describe_resource_policies)
        .transact::<api::DeleteResourcePolicy, _>(ops::resource_policy::delete_resource_policy)
        .internal(ops::remove::REMOVE_STREAM, ops::remove::remove_stream)
        .internal(ops::remove::EXPIRE, ops::remove::expire)
        .internal(ops::deliver::DELIVER, ops::deliver::deliver)
        .targets(&[GROUP])
}

/// A log group as the target of events: each event becomes a stream's line.
const GROUP: TargetKind = TargetKind {
    service: "logs",
    name: "CloudWatch Logs group",
    serves: |arn| arn.resource.starts_with("log-group:"),
    call: ops::deliver::call,
    at_once: |_| false,
};
