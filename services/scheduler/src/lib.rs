//! Amazon EventBridge Scheduler: schedules, their groups, and the calls that they make.
//!
//! Knows when a schedule is due and what its target is given. Knows no target: the ARN table or, for universal targets,
//! the router says which operation it is, and a task calls it. A schedule is a row and, while it has a next occurrence, a
//! task that is due then; that task's commit makes the call a task of its own and writes the task of the occurrence that
//! follows. Nothing looks at schedules in between, so that ten thousand that are not due cost nothing.
//!
//! Not here: targets that Buswork does not serve (ECS, Kinesis, SageMaker, …), customer keys.

pub mod api;
mod check;
mod delivery;
mod fault;
mod group;
mod input;
mod keys;
mod ops;
mod plan;
mod schedule;
mod target;
mod token;
mod universal;

use kernel::Service;

/// The service's signing name.
pub(crate) const NAME: &str = "scheduler";

/// In whose name targets are called.
pub(crate) const PRINCIPAL: &str = "scheduler.amazonaws.com";

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::CreateSchedule, _>(ops::create_schedule::create_schedule)
        .effect::<api::UpdateSchedule, _>(ops::update_schedule::update_schedule)
        .transact::<api::GetSchedule, _>(ops::get_schedule::get_schedule)
        .transact::<api::DeleteSchedule, _>(ops::delete_schedule::delete_schedule)
        .transact::<api::ListSchedules, _>(ops::list_schedules::list_schedules)
        .transact::<api::CreateScheduleGroup, _>(ops::groups::create_schedule_group)
        .transact::<api::GetScheduleGroup, _>(ops::groups::get_schedule_group)
        .transact::<api::DeleteScheduleGroup, _>(ops::delete_schedule_group::delete_schedule_group)
        .transact::<api::ListScheduleGroups, _>(ops::groups::list_schedule_groups)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .internal(ops::fire::FIRE, ops::fire::fire)
        .internal(ops::attempt_ended::ATTEMPT_ENDED, ops::attempt_ended::attempt_ended)
        .internal(ops::completed::COMPLETED, ops::completed::completed)
        .internal(ops::delete_schedule_group::EMPTY, ops::delete_schedule_group::empty)
        .internal(token::FORGET, token::forget)
        .internal_effect(ops::call_api::CALL_API, ops::call_api::call_api)
}
