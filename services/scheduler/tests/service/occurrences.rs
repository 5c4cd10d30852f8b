//! When targets are called.

use std::time::Duration;

use base::Timestamp;
use serde_json::json;

use crate::support::{bodies, hours, messages, minutes, schedule, world};

#[tokio::test]
async fn a_year_has_a_call_for_every_day_in_local_time() {
    let world = world().await;
    let changes = json!({ "ScheduleExpressionTimezone": "Europe/Berlin" });
    world.ok("scheduler", "CreateSchedule", schedule("cron(30 2 * * ? *)", changes)).await;
    world.advance(hours(365 * 24)).await;
    let times = bodies(&world, "inbox").await;
    // The 29th of March has no half past two; the 25th of October has two and one call.
    assert_eq!(times.len(), 364);
    let summer: Vec<&String> = times.iter().filter(|time| time.ends_with("T00:30:00Z")).collect();
    assert_eq!(summer.first().unwrap().as_str(), "2026-03-30T00:30:00Z");
    assert_eq!(summer.last().unwrap().as_str(), "2026-10-25T00:30:00Z");
    assert!(times.iter().all(|time| time.ends_with("T00:30:00Z") || time.ends_with("T01:30:00Z")));
}

#[tokio::test]
async fn start_and_end_bound_a_schedule() {
    let world = world().await;
    let (start, end) = (1_767_225_600 + 3_600, 1_767_225_600 + 3 * 3_600);
    let changes = json!({ "StartDate": start, "EndDate": end });
    world.ok("scheduler", "CreateSchedule", schedule("rate(1 hour)", changes)).await;
    world.advance(hours(24)).await;
    let expected = ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"];
    assert_eq!(bodies(&world, "inbox").await, expected);
    let kept = world.ok("scheduler", "GetSchedule", json!({ "Name": "s" })).await;
    assert_eq!(kept["State"], "ENABLED");
}

#[tokio::test]
async fn a_one_time_schedule_goes_when_it_is_done_if_it_shall() {
    let world = world().await;
    for (name, action) in [("stays", "NONE"), ("goes", "DELETE")] {
        let changes = json!({
            "Name": name, "ActionAfterCompletion": action, "ScheduleExpressionTimezone": "America/New_York",
        });
        world.ok("scheduler", "CreateSchedule", schedule("at(2026-01-01T07:00:00)", changes)).await;
    }
    world.advance(hours(11)).await;
    assert_eq!(bodies(&world, "inbox").await.len(), 0);
    world.advance(hours(24)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"]);
    let listed = world.ok("scheduler", "ListSchedules", json!({})).await;
    assert_eq!(listed["Schedules"].as_array().unwrap().len(), 1);
    assert_eq!(listed["Schedules"][0]["Name"], "stays");
}

#[tokio::test]
async fn a_flexible_window_moves_calls_within_it() {
    let world = world().await;
    let changes = json!({ "FlexibleTimeWindow": { "Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15 } });
    world.ok("scheduler", "CreateSchedule", schedule("cron(0 * * * ? *)", changes)).await;
    let mut waits = Vec::new();
    for hour in 1..=24 {
        world.advance(Duration::from_millis(3_600_000 - (world.now().as_millis() % 3_600_000) as u64)).await;
        let scheduled = world.now();
        let due = world.kernel().next_due().unwrap_or(scheduled);
        let wait = due.since(scheduled);
        assert!(wait < minutes(15), "{hour}: {wait:?}");
        waits.push(wait);
        world.advance(minutes(15)).await;
        assert_eq!(bodies(&world, "inbox").await, [scheduled.to_iso_seconds()], "{hour}");
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 20, "{waits:?}");
}

/// Commits of a hundred days with so many schedules that are due in June.
async fn commits_until_due(schedules: u32) -> (testkit::World, u64) {
    let world = world().await;
    for n in 0..schedules {
        let changes = json!({ "Name": format!("s{n}") });
        world.ok("scheduler", "CreateSchedule", schedule("cron(0 0 1 6 ? *)", changes)).await;
    }
    world.idle().await;
    let before = world.engine().snapshot().await.unwrap().version().0;
    world.advance(hours(24 * 100)).await;
    let after = world.engine().snapshot().await.unwrap().version().0;
    (world, after - before)
}

#[tokio::test]
async fn what_is_not_due_costs_nothing() {
    let (_, alone) = commits_until_due(0).await;
    let (world, among_many) = commits_until_due(1_000).await;
    assert_eq!(among_many, alone, "a commit was made for schedules that are not due");
    world.advance(hours(24 * 60)).await;
    assert_eq!(messages(&world, "inbox").await.len(), 1_000);
}

#[tokio::test]
async fn a_crash_between_due_and_delivery_loses_and_repeats_nothing() {
    for commits in 0..6 {
        let mut world = world().await;
        let end = 1_767_225_600 + 3_600;
        let changes = json!({ "EndDate": end, "ActionAfterCompletion": "DELETE" });
        world.ok("scheduler", "CreateSchedule", schedule("rate(30 minutes)", changes)).await;
        world.idle().await;
        // The calls at 00:30 and 01:00, wherever the process dies on its way to them.
        world.clock().set(Timestamp::from_iso("2026-01-01T00:29:59Z").unwrap());
        world.die_after(commits);
        world.clock().set(Timestamp::from_iso("2026-01-01T00:30:00Z").unwrap());
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        world.crash().await;
        world.advance(hours(2)).await;
        let expected = ["2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"];
        assert_eq!(bodies(&world, "inbox").await, expected, "after {commits} commits");
        assert_eq!(world.ok("scheduler", "ListSchedules", json!({})).await["Schedules"], json!([]));
    }
}

#[tokio::test]
async fn what_was_missed_while_nothing_ran_is_made_up_for_within_the_events_age() {
    let mut world = world().await;
    let changes = json!({ "Target": { "RetryPolicy": { "MaximumEventAgeInSeconds": 7_200 } } });
    world.ok("scheduler", "CreateSchedule", schedule("cron(0 * * * ? *)", changes)).await;
    world.advance(hours(1)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T01:00:00Z"]);
    world.kernel().halt().await;
    world.clock().set(Timestamp::from_iso("2026-01-01T09:30:00Z").unwrap());
    world.restart().await;
    world.idle().await;
    // The one that was waited for is called late; those that were too old by now are passed over.
    let expected = ["2026-01-01T02:00:00Z", "2026-01-01T08:00:00Z", "2026-01-01T09:00:00Z"];
    assert_eq!(bodies(&world, "inbox").await, expected);
    world.advance(minutes(30)).await;
    assert_eq!(bodies(&world, "inbox").await, ["2026-01-01T10:00:00Z"]);
}
