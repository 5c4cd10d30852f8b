//! How often an API destination is called: as many calls a second as it allows, the others wait their turn.
//!
//! Kept in memory. After a restart the count begins anew, which lets at most one second's calls more through.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::Timestamp;
use uuid::Uuid;

/// A second's worth of calls may come at once.
const BURST_MS: f64 = 1_000.0;
/// Turns that nobody took are forgotten beyond so many.
const TURNS_MAX: usize = 100_000;

/// The turns of all destinations, by their ARNs.
#[derive(Default)]
pub(crate) struct Limiter(Mutex<HashMap<String, Turns>>);

#[derive(Default)]
struct Turns {
    /// When all calls that were let through or given a turn will have been paid for at an even pace, in milliseconds.
    paid_ms: f64,
    /// Turns that were given to tasks.
    given: HashMap<Uuid, f64>,
}

impl Limiter {
    /// Lets a call through, or says how long it has to wait. A task that comes again at its turn is let through.
    pub(crate) fn admit(
        &self,
        arn: &str,
        rate: u32,
        task: Option<Uuid>,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = all.entry(arn.to_owned()).or_default();
        let now_ms = now.as_millis() as f64;
        let every_ms = 1_000.0 / f64::from(rate.max(1));
        let turn = match task.and_then(|task| turns.given.remove(&task)) {
            Some(turn) => turn,
            None => {
                let from = turns.paid_ms.max(now_ms);
                turns.paid_ms = from + every_ms;
                (turns.paid_ms - BURST_MS).max(now_ms)
            }
        };
        let wait_ms = (turn - now_ms).ceil();
        if wait_ms <= 0.0 {
            return Ok(());
        }
        match task {
            Some(task) => {
                if turns.given.len() >= TURNS_MAX {
                    turns.given.retain(|_, turn| *turn > now_ms);
                }
                turns.given.insert(task, turn);
            }
            // Who does not come again by itself gives its turn back.
            None => turns.paid_ms -= every_ms,
        }
        Err(Duration::from_millis(wait_ms as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_sees_no_more_calls_than_the_rate() {
        let limiter = Limiter::default();
        let start = Timestamp::from_millis(1_767_225_600_000);
        let tasks: Vec<Uuid> = (0..50).map(Uuid::from_u128).collect();
        let mut due: Vec<(Timestamp, Uuid)> = tasks.iter().map(|task| (start, *task)).collect();
        let mut let_through = Vec::new();
        while let Some((at, task)) = due.pop() {
            match limiter.admit("a", 10, Some(task), at) {
                Ok(()) => let_through.push(at.since(start).as_millis()),
                Err(wait) => due.push((at + wait, task)),
            }
        }
        assert_eq!(let_through.len(), 50);
        let first_second = let_through.iter().filter(|at| **at < 1_000).count();
        assert!((10..=20).contains(&first_second), "{first_second}");
        assert!(let_through.iter().max().unwrap().abs_diff(4_000) < 200);
    }
}
