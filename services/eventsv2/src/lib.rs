//! Amazon EventBridge's second API (`eventbridgev2`): buses that keep their events, and subscribers that read them.
//!
//! Knows buses, their logs, subscribers with their cursors, filters and transformers, and event sources. Knows no target: the
//! ARN table or an operation's name says who is called, and a task delivers. It must not know the classic API's rows: an
//! event source is a rule there, which is made by calling that API.
//!
//! Publishing appends to the bus's log and delivers nothing. A subscriber is a cursor in that log; what it reads becomes
//! tasks in the commit that moves the cursor. Starting in the past, stopping and going on are all the same: a cursor that
//! stands somewhere.
//!
//! Not here: resource policies and with them other accounts, schema registries, logs, customer keys, partner sources, and
//! the targets that Buswork does not serve.

pub mod api;
mod arn;
mod bus;
mod cache;
mod event;
mod fault;
mod filter;
mod keys;
mod ops;
mod params;
mod publish;
mod source;
mod subscriber;
mod sweep;
mod target;
mod token;

use std::sync::Arc;

use kernel::Service;

/// The service's name in the house. It signs as `events`, like the classic API.
pub(crate) const NAME: &str = "eventsv2";

/// In whose name targets are called.
pub(crate) const PRINCIPAL: &str = "events.amazonaws.com";

/// The service.
pub fn service() -> Service {
    buses_and_sources(Service::new(&api::SERVICE))
        .transact::<api::CreateSubscriber, _>(ops::create_subscriber::create_subscriber)
        .transact::<api::DescribeSubscriber, _>(ops::subscribers::describe_subscriber)
        .transact::<api::UpdateSubscriber, _>(ops::update_subscriber::update_subscriber)
        .transact::<api::DeleteSubscriber, _>(ops::subscribers::delete_subscriber)
        .transact::<api::ListSubscribers, _>(ops::subscribers::list_subscribers)
        .transact::<api::PutEvents, _>(ops::put_events::put_events)
        .transact::<api::PutRawEvents, _>(ops::put_raw_events::put_raw_events)
        .internal(ops::pump::PUMP, ops::pump::pump)
        .internal(ops::fail_delivery::FAIL, ops::fail_delivery::fail_delivery)
        .internal(ops::deliver_to_bus::DELIVER_TO_BUS, ops::deliver_to_bus::deliver_to_bus)
        .internal(ops::deliver_to_bus::FORWARD, ops::deliver_to_bus::forward)
        .internal(source::RULE_WRITTEN, source::rule_written)
        .internal(sweep::SWEEP, sweep::sweep)
        .internal_effect(ops::invoke::INVOKE, ops::invoke::invoke)
        .internal_effect(ops::invoke::START_SYNC, ops::invoke::start_sync)
        .state(Arc::new(cache::Cache::default()))
        .targets(&[target::BUS])
}

fn buses_and_sources(service: Service) -> Service {
    service
        .transact::<api::CreateEventBus, _>(ops::buses::create_event_bus)
        .transact::<api::DescribeEventBus, _>(ops::buses::describe_event_bus)
        .transact::<api::UpdateEventBus, _>(ops::buses::update_event_bus)
        .transact::<api::DeleteEventBus, _>(ops::buses::delete_event_bus)
        .transact::<api::ListEventBuses, _>(ops::buses::list_event_buses)
        .transact::<api::CreateEventSource, _>(ops::sources::create_event_source)
        .transact::<api::DescribeEventSource, _>(ops::sources::describe_event_source)
        .transact::<api::UpdateEventSource, _>(ops::sources::update_event_source)
        .transact::<api::DeleteEventSource, _>(ops::sources::delete_event_source)
        .transact::<api::ListEventSources, _>(ops::sources::list_event_sources)
        .transact::<api::RevokeResource, _>(ops::revoke_resource::revoke_resource)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
}
