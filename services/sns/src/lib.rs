//! Amazon SNS: topics, subscriptions and deliveries.
//!
//! Knows topics, who subscribes to them, filter policies and how often a delivery is tried. Knows no other service: a
//! queue is sent to by the operation that AWS has for it, a function is found in the ARN table, and HTTP endpoints are
//! called from here. Publishing writes one task for each subscription whose filter lets the message pass, in the same
//! commit as far as it has room, then in further ones; nothing is kept outside the store.
//!
//! The protocols `sms`, `email`, `email-json`, `application` and `firehose` are refused by name. Messages are not signed.

mod access;
pub mod api;
mod deliver;
mod envelope;
mod fan_out;
mod fault;
mod filter;
mod http;
mod keys;
mod message;
mod ops;
mod order;
mod retry;
mod subscription;
mod target;
mod token;
mod topic;

use std::sync::Arc;

use kernel::Service;

pub use access::{ANONYMOUS, is_open};

/// The name in credential scopes and in the router.
const NAME: &str = "sns";

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateTopic, _>(ops::topics::create_topic)
        .transact::<api::DeleteTopic, _>(ops::topics::delete_topic)
        .transact::<api::ListTopics, _>(ops::topics::list_topics)
        .transact::<api::GetTopicAttributes, _>(ops::topics::get_topic_attributes)
        .transact::<api::SetTopicAttributes, _>(ops::topics::set_topic_attributes)
        .transact::<api::Subscribe, _>(ops::subscribe::subscribe)
        .transact::<api::ConfirmSubscription, _>(ops::subscribe::confirm_subscription)
        .transact::<api::Unsubscribe, _>(ops::subscribe::unsubscribe)
        .transact::<api::ListSubscriptions, _>(ops::subscriptions::list_subscriptions)
        .transact::<api::ListSubscriptionsByTopic, _>(ops::subscriptions::list_subscriptions_by_topic)
        .transact::<api::GetSubscriptionAttributes, _>(ops::subscriptions::get_subscription_attributes)
        .transact::<api::SetSubscriptionAttributes, _>(ops::subscriptions::set_subscription_attributes)
        .transact::<api::Publish, _>(ops::publish::publish)
        .transact::<api::PublishBatch, _>(ops::publish::publish_batch)
        .transact::<api::AddPermission, _>(ops::permissions::add_permission)
        .transact::<api::RemovePermission, _>(ops::permissions::remove_permission)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .internal_effect(http::DELIVER, http::deliver)
        .internal(fan_out::FAN_OUT, fan_out::fan_out)
        .internal(deliver::UNDELIVERED, deliver::undelivered)
        .internal(order::FORGET, order::forget)
        .targets(&[target::TOPIC])
        .state(Arc::new(http::Outbound::default()))
}
