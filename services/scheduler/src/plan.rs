//! When a schedule occurs. Pure: settings and times in, times out.

use std::time::Duration;

use base::{Schedule, Timestamp, Zone};
use uuid::Uuid;

use crate::api::RetryPolicy;
use crate::keys::{Settings, Timing};

/// How old an occurrence may become before it is given up, unless the target's retry policy says otherwise.
const AGE_S_MAX: u32 = 86_400;

/// The compiled timing; `None` only for a row that this version of the code would not have written.
fn compile(timing: &Timing) -> Option<(Schedule, Zone)> {
    let zone = timing.zone.as_deref().map_or(Some(Zone::UTC), Zone::parse)?;
    Some((Schedule::parse(&timing.expression).ok()?, zone))
}

/// The first occurrence of a schedule whose timing is set, or set again, at `now`; `last` is the last one that it had.
///
/// A rate begins with its start date or at once; a one-time schedule knows no start and no end, and one whose time has
/// passed occurs at once.
pub(crate) fn first(timing: &Timing, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let (schedule, zone) = compile(timing)?;
    if !schedule.is_recurring() {
        return schedule.first_from(Timestamp::from_millis(0), &zone).filter(|_| last.is_none());
    }
    let at = match (schedule.period(), timing.start.or(last)) {
        (Some(_), Some(anchor)) => schedule.next_in_rhythm(anchor, now - Duration::from_millis(1), &zone),
        (Some(_), None) => Some(now),
        (None, _) => match timing.start.filter(|start| *start > now) {
            Some(start) => schedule.first_from(start, &zone),
            None => schedule.next_after(now, &zone),
        },
    };
    within(timing, at)
}

/// The occurrence after `at`, decided at `now`. What could no more be delivered in time is passed over.
pub(crate) fn next(settings: &Settings, at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let (schedule, zone) = compile(&settings.timing)?;
    if !schedule.is_recurring() {
        return None;
    }
    let too_old = now - age_max(settings.target.retry_policy.as_ref());
    let next = match schedule.next_after(at, &zone) {
        Some(next) if next < too_old => schedule.next_in_rhythm(at, too_old, &zone),
        next => next,
    };
    within(&settings.timing, next)
}

fn within(timing: &Timing, at: Option<Timestamp>) -> Option<Timestamp> {
    at.filter(|at| timing.end.is_none_or(|end| *at <= end))
}

/// How long a call is worth trying.
pub(crate) fn age_max(policy: Option<&RetryPolicy>) -> Duration {
    let seconds = policy.and_then(|policy| policy.maximum_event_age_in_seconds);
    Duration::from_secs(seconds.map_or(AGE_S_MAX, i32::unsigned_abs).into())
}

/// How far into its flexible window an occurrence is moved: at random between occurrences, and always the same for one.
pub(crate) fn offset(window_minutes: Option<i32>, generation: Uuid, at: Timestamp) -> Duration {
    let Some(minutes) = window_minutes else { return Duration::ZERO };
    let window_ms = u64::from(minutes.unsigned_abs()) * 60_000;
    let seed = generation
        .as_bytes()
        .iter()
        .chain(&at.as_millis().to_be_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    // The low bits of such a sum follow its last bytes too closely.
    let mixed = (seed ^ (seed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Duration::from_millis((mixed >> 16) % window_ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Target;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_iso(text).unwrap()
    }

    fn timing(expression: &str, start: Option<&str>, end: Option<&str>) -> Timing {
        Timing { expression: expression.to_owned(), zone: None, start: start.map(at), end: end.map(at) }
    }

    #[test]
    fn where_a_schedule_begins() {
        let now = "2026-01-01T10:00:30Z";
        let (before, later) = ("2026-01-01T09:58:00Z", "2026-01-02T00:00:00Z");
        for (expression, start, end, last, expected) in [
            ("rate(5 minutes)", None, None, None, Some(now)),
            ("rate(5 minutes)", Some(later), None, None, Some(later)),
            ("rate(5 minutes)", Some(before), None, None, Some("2026-01-01T10:03:00Z")),
            ("rate(5 minutes)", None, None, Some(before), Some("2026-01-01T10:03:00Z")),
            ("rate(5 minutes)", Some(later), Some(now), None, None),
            ("cron(0 * * * ? *)", None, None, None, Some("2026-01-01T11:00:00Z")),
            ("cron(0 * * * ? *)", Some(later), None, None, Some(later)),
            ("cron(0 0 1 1 ? 2025)", None, None, None, None),
            ("at(2026-01-01T12:00:00)", Some(later), Some(before), None, Some("2026-01-01T12:00:00Z")),
            ("at(2025-01-01T12:00:00)", None, None, None, Some("2025-01-01T12:00:00Z")),
            ("at(2025-01-01T12:00:00)", None, None, Some("2025-01-01T12:00:00Z"), None),
        ] {
            let first = first(&timing(expression, start, end), last.map(at), at(now));
            assert_eq!(first, expected.map(at), "{expression} {start:?} {end:?} {last:?}");
        }
    }

    #[test]
    fn what_was_missed_is_made_up_for_as_long_as_it_may_wait() {
        let settings = |age_s| Settings {
            timing: timing("rate(10 minutes)", None, Some("2026-01-03T00:00:00Z")),
            enabled: true,
            description: None,
            target: Target {
                retry_policy: Some(RetryPolicy {
                    maximum_event_age_in_seconds: Some(age_s),
                    maximum_retry_attempts: None,
                }),
                ..Target::default()
            },
            window_minutes: None,
            delete_after_completion: false,
        };
        for (age_s, now, expected) in [
            (86_400, "2026-01-01T00:00:01Z", Some("2026-01-01T00:10:00Z")),
            (86_400, "2026-01-01T08:00:00Z", Some("2026-01-01T00:10:00Z")),
            (3_600, "2026-01-01T08:05:00Z", Some("2026-01-01T07:10:00Z")),
            (60, "2026-01-04T00:00:00Z", None),
        ] {
            let next = next(&settings(age_s), at("2026-01-01T00:00:00Z"), at(now));
            assert_eq!(next, expected.map(at), "{age_s} {now}");
        }
    }

    #[test]
    fn windows_spread_and_are_kept() {
        let generation = Uuid::from_u128(7);
        let minute = |n: i64| Timestamp::from_millis(n * 60_000);
        let offsets: Vec<Duration> = (0..600).map(|n| offset(Some(10), generation, minute(n))).collect();
        assert!(offsets.iter().all(|offset| *offset < Duration::from_secs(600)));
        for tenth in 0..10_u64 {
            let within = |offset: &&Duration| offset.as_secs() / 60 == tenth;
            assert!(offsets.iter().filter(within).count() > 20, "minute {tenth}");
        }
        assert_eq!(offset(Some(10), generation, minute(5)), offsets[5]);
        assert_eq!(offset(None, generation, minute(5)), Duration::ZERO);
    }
}
