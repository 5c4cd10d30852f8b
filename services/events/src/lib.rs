//! Amazon EventBridge: buses, rules, targets and the events that pass them.
//!
//! Knows events, patterns and what a target's input is made of. Knows no target: the ARN table says which operation
//! serves an ARN, and a task delivers. An event is kept for a day with the rules as they stood when it came, so that it
//! can be asked why it went where it went and nowhere else.
//!
//! Not here: schedules, archives, replays, connections, API destinations, endpoints, partner sources.

pub mod api;
mod archive;
mod bus;
mod bus_log;
mod cache;
mod event;
mod explain;
mod fault;
mod input;
mod keys;
mod managed;
mod ops;
mod parameters;
mod publish;
mod redeliver;
mod rule;
mod schedule;
mod search;
mod sweep;
mod target;
mod validation;

use std::sync::Arc;

use kernel::{PUBLISH, Service};

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
    let service = Service::new(&api::SERVICE)
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
        .internal(PUBLISH, ops::publish_service_event::publish_service_event)
        .internal(target::DELIVER_TO_BUS, ops::deliver_to_bus::deliver_to_bus)
        .internal(EXPLAIN, explain::explain_event)
        .internal(SEARCH, search::search_events)
        .internal_effect(TAIL, search::tail_events)
        .internal(REDELIVER, redeliver::redeliver_event)
        .internal(PUT_MANAGED_RULE, managed::put_managed_rule)
        .internal(DELETE_MANAGED_RULE, managed::delete_managed_rule)
        .internal(schedule::FIRE, schedule::fire)
        .internal_effect(bus_log::WRITE, bus_log::write_bus_log)
        .internal(bus_log::OUTCOME, bus_log::log_delivery)
        .internal(archive::EMPTY, archive::empty_archive)
        .internal(sweep::SWEEP, sweep::sweep)
        .state(Arc::new(cache::Cache::default()))
        .targets(&[target::BUS]);
    validation::serve(service)
}
