//! When something recurs: the schedule expressions of EventBridge's rules and of EventBridge Scheduler.
//!
//! Knows expressions, calendars and time zones; reads no clock. Time zones are those of the database that is built in, so
//! that every machine agrees on them. Cron expressions match wall clock times; a match is then placed in its zone: a wall
//! clock time that daylight saving time skips does not happen, and one that it repeats happens once, the first time.
//!
//! Sources: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>

mod cron;
mod zone;

use std::time::Duration;

use jiff::civil::DateTime;

use crate::Timestamp;
use cron::Cron;
pub use zone::Zone;

/// The text is no schedule expression. Services word the refusal: Scheduler as `Invalid Schedule Expression <text>.`,
/// EventBridge as `Parameter ScheduleExpression is not valid.`
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}` is not a valid schedule expression: {reason}")]
pub struct InvalidSchedule {
    /// What was given.
    pub expression: String,
    /// What is wrong with it: a fragment.
    pub reason: String,
}

/// A schedule expression, compiled.
#[derive(Clone, Debug)]
pub struct Schedule(Kind);

#[derive(Clone, Debug)]
enum Kind {
    At(DateTime),
    Rate(Duration),
    Cron(Box<Cron>),
}

impl Schedule {
    /// `at(2026-01-01T00:00:00)`, `rate(5 minutes)` or `cron(0 12 * * ? *)`, as EventBridge Scheduler takes them.
    pub fn parse(expression: &str) -> Result<Schedule, InvalidSchedule> {
        let parsed = match argument(expression, "at") {
            Some(time) => parse_at(time).map(Kind::At),
            None => parse_recurring(expression, |_, _| true),
        };
        finish(expression, parsed)
    }

    /// `rate(5 minutes)` or `cron(0 12 * * ? *)`, as rules of EventBridge take them: a unit in the singular goes with 1
    /// only, and one in the plural with everything else.
    pub fn parse_rule(expression: &str) -> Result<Schedule, InvalidSchedule> {
        finish(expression, parse_recurring(expression, |value, plural| plural == (value != 1)))
    }

    /// Whether it happens more than once.
    pub fn is_recurring(&self) -> bool {
        !matches!(self.0, Kind::At(_))
    }

    /// The time between two occurrences, if it is always the same.
    pub fn period(&self) -> Option<Duration> {
        match self.0 {
            Kind::Rate(period) => Some(period),
            _ => None,
        }
    }

    /// The first occurrence at `start` or later. A rate happens at `start` itself.
    pub fn first_from(&self, start: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match &self.0 {
            Kind::Rate(_) => Some(start),
            _ => self.next_after(start - Duration::from_millis(1), zone),
        }
    }

    /// The first occurrence later than `after`; a rate is taken to have happened at `after`. `None` if there is none.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match &self.0 {
            Kind::At(time) => zone.nearest(*time).filter(|at| *at > after),
            Kind::Rate(period) => Some(after + *period).filter(|next| *next < Timestamp::MAX),
            Kind::Cron(cron) => {
                let mut local = zone.local(after)?;
                loop {
                    local = cron.next_after(local)?;
                    if let Some(at) = zone.first(local).filter(|at| *at > after) {
                        return Some(at);
                    }
                }
            }
        }
    }

    /// The first occurrence later than `after`, where a rate is counted from `anchor`, one of its occurrences: what was
    /// missed in between is passed over and the rhythm stays.
    pub fn next_in_rhythm(&self, anchor: Timestamp, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let Kind::Rate(period) = self.0 else { return self.next_after(after, zone) };
        if after < anchor {
            return Some(anchor);
        }
        let period_ms = i64::try_from(period.as_millis()).ok()?;
        let passed = (after.as_millis() - anchor.as_millis()) / period_ms;
        let next = passed.checked_add(1)?.checked_mul(period_ms)?.checked_add(anchor.as_millis())?;
        Some(Timestamp::from_millis(next)).filter(|next| *next < Timestamp::MAX)
    }
}

fn finish(expression: &str, parsed: Result<Kind, String>) -> Result<Schedule, InvalidSchedule> {
    parsed.map(Schedule).map_err(|reason| InvalidSchedule { expression: expression.to_owned(), reason })
}

/// What stands between the parentheses of `name(…)`.
fn argument<'a>(expression: &'a str, name: &str) -> Option<&'a str> {
    expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// `units_fit` says whether a value goes with a unit in the plural (`true`) or in the singular (`false`).
fn parse_recurring(expression: &str, units_fit: fn(u32, bool) -> bool) -> Result<Kind, String> {
    if let Some(rate) = argument(expression, "rate") {
        return parse_rate(rate, units_fit).map(Kind::Rate);
    }
    match argument(expression, "cron") {
        Some(fields) => Cron::parse(fields).map(|cron| Kind::Cron(Box::new(cron))),
        None => Err("it is neither of the forms that are known here".to_owned()),
    }
}

fn parse_rate(text: &str, units_fit: fn(u32, bool) -> bool) -> Result<Duration, String> {
    let (value, unit) = text.split_once(' ').ok_or("a rate has a value and a unit")?;
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let value: u32 = value
        .parse()
        .ok()
        .filter(|value| digits && *value > 0)
        .ok_or("a rate's value is a positive number")?;
    let (singular, plural) = match unit.strip_suffix('s') {
        Some(singular) => (singular, true),
        None => (unit, false),
    };
    let seconds = match singular {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return Err("a rate's unit is minutes, hours or days".to_owned()),
    };
    if !units_fit(value, plural) {
        return Err("a unit in the singular goes with the value 1 only".to_owned());
    }
    Ok(Duration::from_secs(u64::from(value) * seconds))
}

fn parse_at(text: &str) -> Result<DateTime, String> {
    const FORM: &str = "a one-time schedule has the form at(yyyy-mm-ddThh:mm:ss)";
    let shape = b"0000-00-00T00:00:00";
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape).all(|(b, s)| if *s == b'0' { b.is_ascii_digit() } else { b == *s });
    let time = text.parse().ok().filter(|_| fits);
    time.ok_or_else(|| FORM.to_owned())
}

#[cfg(test)]
mod tests;
