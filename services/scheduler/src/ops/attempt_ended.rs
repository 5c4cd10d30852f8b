use base::{AccountId, Fault, Region};
use kernel::task::Verdict;
use kernel::{Call, Outcome, ReplyInput, Result, Scope, Task, Tx};

use super::completed;
use crate::NAME;
use crate::delivery::{self, Invocation};

/// The internal operation that is told how an attempt ended which was a task of its own.
pub(crate) const ATTEMPT_ENDED: &str = "ScheduleAttemptEnded";

/// Makes the next attempt, or ends the call as the runner would: with a dead letter, and with the schedule if it was
/// its last.
pub(crate) async fn attempt_ended(
    tx: &mut Tx,
    reply: ReplyInput<(AccountId, Region, Invocation)>,
) -> Result<()> {
    let (account, region, invocation) = reply.context;
    tx.enter(Scope { account, region });
    if let Outcome::Failed(fault) = reply.outcome {
        match verdict(tx, &invocation, &fault)? {
            Verdict::RetryAt(at) => {
                let again = Invocation { attempt: invocation.attempt + 1, ..invocation };
                return delivery::enqueue(tx, &again, at);
            }
            Verdict::GiveUp(because) => delivery::bury(tx, &invocation, &fault, because)?,
        }
    }
    if invocation.is_last { completed::delete(tx, invocation.completed()).await } else { Ok(()) }
}

/// What the retry policy says, as of a task that has had so many attempts.
fn verdict(tx: &Tx, invocation: &Invocation, fault: &Fault) -> Result<Verdict> {
    let retry = invocation.retry();
    let task = Task {
        id: tx.caller().request_id,
        call: Call::new(NAME, ATTEMPT_ENDED, &())?,
        caller: tx.caller().clone(),
        retry: retry.clone(),
        dead_letter: None,
        reply: None,
        lane: None,
        order: None,
        note: None,
        quiet: false,
        kept: false,
        first_due: invocation.since,
        attempts: invocation.attempt,
        last_fault: None,
    };
    Ok(retry.after(&task, fault, tx.now(), tx.random()))
}
