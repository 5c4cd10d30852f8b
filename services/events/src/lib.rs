//! Amazon EventBridge: buses, rules, targets and the events that pass them.
//!
//! Knows events, patterns and what a target's input is made of. Knows no target: the ARN table says which operation
//! serves an ARN, and a task delivers. An event is kept for a day with the rules as they stood when it came, so that it
//! can be asked why it went where it went and nowhere else.
//!
//! Knows HTTP endpoints outside only through connections and API destinations. Holds no event in memory beyond the
//! commit that it is part of, and no more than a page of an archive.
//!
//! Not here: global endpoints, partner sources.

pub mod api;
mod archive;
mod bus;
mod bus_log;
mod cache;
mod connection;
mod destination;
mod event;
mod explain;
mod fault;
mod input;
mod keys;
mod limiter;
mod managed;
mod ops;
mod outbound;
mod parameters;
mod policy;
mod publish;
mod redeliver;
mod replay;
mod rule;
mod schedule;
mod search;
mod send;
mod sweep;
mod target;
mod validation;

use std::sync::Arc;

use kernel::{PUBLISH, Service};

pub use destination::{HttpAnswer, HttpRequest, INVOKE_HTTP_ENDPOINT, InvokeHttpEndpointInput, ShowRequest};
pub use explain::{EXPLAIN, ExplainInput, Explained, ExplainedRule, ExplainedTarget, Verdict};
pub use managed::{
    DELETE_MANAGED_RULE, DeleteManagedRuleInput, PUT_MANAGED_RULE, PutManagedRuleInput, PutManagedRuleOutput,
};
pub use redeliver::{REDELIVER, RedeliverInput, RedeliverOutput, Redelivery};
pub use search::{FoundEvent, SEARCH, SearchInput, SearchOutput, TAIL, TailInput, TailOutput};
pub use validation::{
    DELETE_VALIDATION_POLICY, DISCARD_QUARANTINED_EVENT, Failure, LIST_QUARANTINED_EVENTS,
    LIST_VALIDATION_POLICIES, ListedEvent, ListedPolicy, Mode, Outcome, PUT_VALIDATION_POLICY,
    PutValidationPolicyInput, RELEASE_QUARANTINED_EVENT, ReleaseQuarantinedEventInput, Subject, UsedSchema,
    Validated,
};

/// The service.
pub fn service() -> Service {
    let service = around(buses_and_rules(Service::new(&api::SERVICE)));
    validation::serve(internal(service))
        .state(Arc::new(cache::Cache::default()))
        .state(Arc::new(outbound::Outbound::default()))
        .state(Arc::new(limiter::Limiter::default()))
        .targets(&[target::BUS, destination::DESTINATION])
}

/// AWS's operations on buses, rules, targets and events.
fn buses_and_rules(service: Service) -> Service {
    service
        .transact::<api::CreateEventBus, _>(ops::buses::create_event_bus)
        .transact::<api::DescribeEventBus, _>(ops::buses::describe_event_bus)
        .transact::<api::UpdateEventBus, _>(ops::buses::update_event_bus)
        .transact::<api::DeleteEventBus, _>(ops::buses::delete_event_bus)
        .transact::<api::ListEventBuses, _>(ops::buses::list_event_buses)
        .transact::<api::PutRule, _>(ops::put_rule::put_rule)
        .transact::<api::DescribeRule, _>(ops::rules::describe_rule)
        .transact::<api::DeleteRule, _>(ops::rules::delete_rule)
        .transact::<api::ListRules, _>(ops::rules::list_rules)
        .transact::<api::EnableRule, _>(ops::rules::enable_rule)
        .transact::<api::DisableRule, _>(ops::rules::disable_rule)
        .transact::<api::PutTargets, _>(ops::put_targets::put_targets)
        .transact::<api::RemoveTargets, _>(ops::targets::remove_targets)
        .transact::<api::ListTargetsByRule, _>(ops::targets::list_targets_by_rule)
        .transact::<api::ListRuleNamesByTarget, _>(ops::targets::list_rule_names_by_target)
        .transact::<api::PutEvents, _>(ops::put_events::put_events)
        .transact::<api::TestEventPattern, _>(ops::test_event_pattern::test_event_pattern)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .transact::<api::PutPermission, _>(ops::permissions::put_permission)
        .transact::<api::RemovePermission, _>(ops::permissions::remove_permission)
}

/// AWS's operations on archives, replays, connections and API destinations.
fn around(service: Service) -> Service {
    service
        .transact::<api::CreateArchive, _>(ops::archives::create_archive)
        .transact::<api::DescribeArchive, _>(ops::archives::describe_archive)
        .transact::<api::UpdateArchive, _>(ops::archives::update_archive)
        .transact::<api::DeleteArchive, _>(ops::archives::delete_archive)
        .transact::<api::ListArchives, _>(ops::archives::list_archives)
        .transact::<api::StartReplay, _>(ops::replays::start_replay)
        .transact::<api::DescribeReplay, _>(ops::replays::describe_replay)
        .transact::<api::CancelReplay, _>(ops::replays::cancel_replay)
        .transact::<api::ListReplays, _>(ops::replays::list_replays)
        .transact::<api::CreateConnection, _>(ops::connections::create_connection)
        .transact::<api::DescribeConnection, _>(ops::connections::describe_connection)
        .transact::<api::UpdateConnection, _>(ops::connections::update_connection)
        .transact::<api::DeauthorizeConnection, _>(ops::connections::deauthorize_connection)
        .transact::<api::DeleteConnection, _>(ops::connections::delete_connection)
        .transact::<api::ListConnections, _>(ops::connections::list_connections)
        .transact::<api::CreateApiDestination, _>(ops::api_destinations::create_api_destination)
        .transact::<api::DescribeApiDestination, _>(ops::api_destinations::describe_api_destination)
        .transact::<api::UpdateApiDestination, _>(ops::api_destinations::update_api_destination)
        .transact::<api::DeleteApiDestination, _>(ops::api_destinations::delete_api_destination)
        .transact::<api::ListApiDestinations, _>(ops::api_destinations::list_api_destinations)
}

/// What other services, the console and the service's own tasks call.
fn internal(service: Service) -> Service {
    service
        .internal(PUBLISH, ops::publish_service_event::publish_service_event)
        .internal(target::DELIVER_TO_BUS, ops::deliver_to_bus::deliver_to_bus)
        .internal(send::SEND_ON, send::send_on)
        .internal(EXPLAIN, explain::explain_event)
        .internal(SEARCH, search::search_events)
        .internal_effect(TAIL, search::tail_events)
        .internal(REDELIVER, redeliver::redeliver_event)
        .internal(PUT_MANAGED_RULE, managed::put_managed_rule)
        .internal(DELETE_MANAGED_RULE, managed::delete_managed_rule)
        .internal(schedule::FIRE, schedule::fire)
        .internal_effect(bus_log::WRITE, bus_log::write_bus_log)
        .internal(bus_log::OUTCOME, bus_log::log_delivery)
        .internal(replay::PAGE, replay::replay_page)
        .internal(archive::EMPTY, archive::empty_archive)
        .internal_effect(connection::AUTHORIZE, connection::authorize_connection)
        .internal_effect(destination::INVOKE, destination::invoke)
        .internal_effect(INVOKE_HTTP_ENDPOINT, destination::invoke_http_endpoint)
        .internal(sweep::FORGET, sweep::forget_bus)
        .internal(sweep::SWEEP, sweep::sweep)
}
