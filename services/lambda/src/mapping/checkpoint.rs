//! Where a stream's lane is, and where it is after an attempt. Pure: a checkpoint and an outcome in, a checkpoint out.
//!
//! Positions are sequence numbers, whose order is that of their texts. A batch that has failed is kept: `ends` says behind
//! which record it ends, and behind which of its parts, innermost last, if it was split. A part is tried to its end before
//! the next one is read, so that the order of records is kept whatever happens.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use std::time::Duration;

use base::Timestamp;

use super::settings::Settings;
use crate::keys::Checkpoint;

/// The wait before the first retry after an error of the function, and the longest; each doubles the one before.
const RETRY_WAIT: Duration = Duration::from_secs(1);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(60);

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All records are done.
    Done,
    /// The function failed as a whole.
    Failed,
    /// The function reports failures; this is the first of them.
    FailedAt(String),
    /// The function was not run, which is not its fault.
    Refused,
    /// The first records are too old: they end in front of this position.
    TooOld(String),
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub checkpoint: Checkpoint,
    /// How many records are given up, beginning with which of the batch.
    pub given_up: Option<(usize, usize)>,
}

impl Checkpoint {
    /// At `position`, with nothing behind it.
    pub(crate) fn at(position: String) -> Checkpoint {
        Checkpoint {
            position,
            ends: Vec::new(),
            attempts: 0,
            refusals: 0,
            not_before: None,
            result: "No records processed".to_owned(),
        }
    }

    /// Behind which position the next batch may not reach; `None` if it is a new one.
    pub(crate) fn end(&self) -> Option<&str> {
        self.ends.last().map(String::as_str)
    }

    /// After an attempt with the records of these numbers, which end in front of `end`.
    pub(crate) fn after(
        &self,
        numbers: &[String],
        end: &str,
        outcome: &Outcome,
        settings: &Settings,
        now: Timestamp,
    ) -> Settled {
        match outcome {
            Outcome::Done => self.moved_to(end, "OK"),
            Outcome::TooOld(first_young) => {
                let old = numbers.iter().take_while(|number| *number < first_young).count();
                let mut settled = self.moved_to(first_young, "PROBLEM: Records expired");
                settled.given_up = Some((0, old));
                settled
            }
            Outcome::Refused => {
                let refusals = self.refusals.saturating_add(1);
                let not_before = Some(now + wait(refusals));
                let result = "PROBLEM: Function call failed".to_owned();
                let ends = self.ends_with(end);
                Settled {
                    checkpoint: Checkpoint { refusals, not_before, result, ends, ..self.clone() },
                    given_up: None,
                }
            }
            Outcome::Failed => self.failed(numbers, 0, end, settings, now),
            Outcome::FailedAt(number) => {
                let first = numbers.iter().position(|one| one == number).unwrap_or(0);
                self.failed(numbers, first, end, settings, now)
            }
        }
    }

    /// The records from the `first` on have failed; those in front of it are done.
    fn failed(
        &self,
        numbers: &[String],
        first: usize,
        end: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Settled {
        let mut next = Checkpoint {
            ends: self.ends_with(end),
            refusals: 0,
            not_before: None,
            result: "PROBLEM: Function call failed".to_owned(),
            ..self.clone()
        };
        if first > 0 {
            next.position = numbers[first].clone();
            next.attempts = 0;
        }
        let left = &numbers[first..];
        // A split does not count as a retry, and both parts begin anew.
        if settings.bisects && first == 0 && left.len() > 1 {
            next.ends.push(left[left.len() / 2].clone());
            next.attempts = 0;
            return Settled { checkpoint: next, given_up: None };
        }
        next.attempts = next.attempts.saturating_add(1);
        if settings.retries_max >= 0 && next.attempts > settings.retries_max.unsigned_abs() {
            let mut settled = next.moved_to(end, &next.result);
            settled.given_up = Some((first, left.len()));
            return settled;
        }
        next.not_before = Some(now + wait(next.attempts));
        Settled { checkpoint: next, given_up: None }
    }

    fn moved_to(&self, position: &str, result: &str) -> Settled {
        let mut ends = self.ends.clone();
        ends.retain(|end| end.as_str() > position);
        let checkpoint =
            Checkpoint { ends, result: result.to_owned(), ..Checkpoint::at(position.to_owned()) };
        Settled { checkpoint, given_up: None }
    }

    fn ends_with(&self, end: &str) -> Vec<String> {
        let mut ends = self.ends.clone();
        if ends.is_empty() {
            ends.push(end.to_owned());
        }
        ends
    }
}

fn wait(times: u32) -> Duration {
    (RETRY_WAIT * 2_u32.pow(times.saturating_sub(1).min(10))).min(RETRY_WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn numbers(of: &[u32]) -> Vec<String> {
        of.iter().map(u32::to_string).collect()
    }

    fn settings(bisects: bool, retries_max: i32) -> Settings {
        Settings { bisects, retries_max, ..Settings::default_for(Kind::Stream, None) }
    }

    /// Attempts until the lane is behind record 4: which batches the function sees, and what is given up.
    fn run(settings: &Settings, fails: impl Fn(&[u32]) -> Outcome) -> (Vec<Vec<u32>>, Vec<u32>) {
        let mut checkpoint = Checkpoint::at("1".to_owned());
        let (mut seen, mut given_up) = (Vec::new(), Vec::new());
        while checkpoint.position.as_str() < "5" && seen.len() < 40 {
            let from: u32 = checkpoint.position.parse().unwrap();
            let end = checkpoint.end().unwrap_or("5").to_owned();
            let batch: Vec<u32> = (from..end.parse().unwrap()).collect();
            let settled = checkpoint.after(&numbers(&batch), &end, &fails(&batch), settings, NOW);
            if let Some((first, count)) = settled.given_up {
                given_up.extend(&batch[first..first + count]);
            }
            seen.push(batch);
            checkpoint = settled.checkpoint;
        }
        assert!(checkpoint.ends.is_empty());
        (seen, given_up)
    }

    #[test]
    fn a_bad_record_is_isolated_and_given_up() {
        let bad = |batch: &[u32]| if batch.contains(&3) { Outcome::Failed } else { Outcome::Done };
        let (seen, given_up) = run(&settings(true, 1), bad);
        let expected: [&[u32]; 6] = [&[1, 2, 3, 4], &[1, 2], &[3, 4], &[3], &[3], &[4]];
        assert_eq!(seen, expected);
        assert_eq!(given_up, [3]);
    }

    #[test]
    fn without_splitting_the_batch_is_given_up_as_a_whole() {
        let (seen, given_up) = run(&settings(false, 2), |_| Outcome::Failed);
        assert_eq!(seen.len(), 3);
        assert_eq!(given_up, [1, 2, 3, 4]);
    }

    #[test]
    fn a_report_moves_the_lane_to_the_first_failure() {
        let report = |batch: &[u32]| match batch.contains(&3) {
            true => Outcome::FailedAt("3".to_owned()),
            false => Outcome::Done,
        };
        let (seen, given_up) = run(&settings(false, 1), report);
        let expected: [&[u32]; 2] = [&[1, 2, 3, 4], &[3, 4]];
        assert_eq!(seen, expected);
        assert_eq!(given_up, [3, 4]);
    }

    #[test]
    fn refusals_count_for_nothing_but_the_wait() {
        let checkpoint = Checkpoint::at("1".to_owned());
        let refused = |checkpoint: &Checkpoint| {
            checkpoint.after(&numbers(&[1]), "2", &Outcome::Refused, &settings(false, 0), NOW).checkpoint
        };
        let mut checkpoint = refused(&checkpoint);
        assert_eq!(checkpoint.not_before, Some(NOW + Duration::from_secs(1)));
        for _ in 0..20 {
            checkpoint = refused(&checkpoint);
        }
        assert_eq!(checkpoint.not_before, Some(NOW + Duration::from_secs(60)));
        assert_eq!((checkpoint.attempts, checkpoint.position.as_str()), (0, "1"));
    }

    #[test]
    fn old_records_are_given_up_from_the_front() {
        let too_old = Outcome::TooOld("3".to_owned());
        let settled = Checkpoint::at("1".to_owned()).after(
            &numbers(&[1, 2, 3]),
            "4",
            &too_old,
            &settings(false, -1),
            NOW,
        );
        assert_eq!(settled.given_up, Some((0, 2)));
        assert_eq!(settled.checkpoint.position, "3");
    }
}
