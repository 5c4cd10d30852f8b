//! Whether an execution can be redriven, and the tokens by which a redrive is asked for once.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>

use std::time::Duration;

use base::Timestamp;

use crate::api::{ExecutionRedriveStatus, ExecutionStatus as Status};
use crate::execution::{Execution, Redrives, Rest};

/// How long after its end an execution can be redriven.
const PERIOD: Duration = Duration::from_secs(14 * 86_400);
/// How long an execution may take, redrives included.
const OPEN_MAX: Duration = Duration::from_secs(365 * 86_400);
/// An execution with so many events cannot be redriven: there must be room for `ExecutionRedriven` and one more.
pub(crate) const HISTORY_EVENTS: i64 = 24_999;
/// How long a client token is known, and how many are.
const TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
const TOKENS_MAX: usize = 10;

/// What AWS says of an execution whose machine is going.
pub(crate) const DELETING: &str = "State machine is in DELETING status";

/// `redriveStatus` at this time, and `redriveStatusReason` where it is `NOT_REDRIVABLE`.
pub(crate) fn status(execution: &Execution, now: Timestamp) -> (ExecutionRedriveStatus, Option<String>) {
    match obstacle(execution, now) {
        Some(reason) => (ExecutionRedriveStatus::NotRedrivable, Some(reason)),
        None if execution.map.is_some() => (ExecutionRedriveStatus::RedrivableByMapRun, None),
        None => (ExecutionRedriveStatus::Redrivable, None),
    }
}

/// Why it cannot be redriven, in AWS's words; the last is ours.
fn obstacle(execution: &Execution, now: Timestamp) -> Option<String> {
    let status = execution.status();
    let end = match &execution.end {
        Some(end) if status != Status::Succeeded => end,
        _ => return Some(format!("Execution is {status} and cannot be redriven")),
    };
    let reason = if now > end.at + PERIOD {
        "Execution redrivable period exceeded"
    } else if now > execution.started_at + OPEN_MAX {
        "Execution has exceeded the max execution time"
    } else {
        match end.rest {
            Some(Rest::Kept) => return None,
            Some(Rest::TooLong) => "Execution history event limit exceeded",
            Some(Rest::TooLarge) => "Execution holds too much data to be redriven",
            None => "Execution was started before the launch of RedriveExecution",
        }
    };
    Some(reason.to_owned())
}

impl Redrives {
    /// The redrive that this token has brought about.
    pub(crate) fn by_token(&self, token: &str, now: Timestamp) -> Option<Timestamp> {
        let known = self.tokens.iter().find(|(known, at)| known == token && now <= *at + TOKEN_LIFE);
        known.map(|(_, at)| *at)
    }

    /// One redrive more.
    pub(crate) fn another(before: Option<Redrives>, token: Option<String>, now: Timestamp) -> Redrives {
        let mut redrives = before.unwrap_or(Redrives { count: 0, last: now, tokens: Vec::new() });
        redrives.count += 1;
        redrives.last = now;
        redrives.tokens.extend(token.map(|token| (token, now)));
        redrives.tokens.retain(|(_, at)| now <= *at + TOKEN_LIFE);
        let old = redrives.tokens.len().saturating_sub(TOKENS_MAX);
        redrives.tokens.drain(..old);
        redrives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tokens_are_known_for_fifteen_minutes() {
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000_000 + seconds * 1_000);
        let mut redrives = None;
        for n in 0..12 {
            redrives = Some(Redrives::another(redrives, Some(format!("t{n}")), at(n)));
        }
        let redrives = redrives.unwrap();
        assert_eq!((redrives.count, redrives.last), (12, at(11)));
        for (token, now, known) in [
            ("t0", 12, None),
            ("t1", 12, None),
            ("t2", 12, Some(at(2))),
            ("t11", 911, Some(at(11))),
            ("t11", 912, None),
            ("nobody", 12, None),
        ] {
            assert_eq!(redrives.by_token(token, at(now)), known, "{token} at {now}");
        }
        let without = Redrives::another(Some(redrives), None, at(10_000));
        assert_eq!((without.count, without.tokens), (13, vec![]));
    }
}
