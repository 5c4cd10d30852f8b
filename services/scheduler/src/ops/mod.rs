//! The operations: one a file, small ones by noun.

pub(crate) mod attempt_ended;
pub(crate) mod call_api;
pub(crate) mod completed;
pub(crate) mod create_schedule;
pub(crate) mod delete_schedule;
pub(crate) mod delete_schedule_group;
pub(crate) mod fire;
pub(crate) mod get_schedule;
pub(crate) mod groups;
pub(crate) mod list_schedules;
pub(crate) mod tags;
pub(crate) mod update_schedule;

/// The size of a page where the caller gives none.
const PAGE_DEFAULT: usize = 100;

/// The page size that `MaxResults` asks for; the schema bounds it.
fn page_size(asked: Option<i32>) -> usize {
    asked.map_or(PAGE_DEFAULT, |size| size.unsigned_abs() as usize)
}
