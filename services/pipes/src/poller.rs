//! What reads for running pipes: one loop for each, outside the store.
//!
//! A loop holds nothing that is not in its queue or in its pipe's row. It ends when the row says that the pipe no longer
//! runs, and is begun again when the server starts. What it has received when the pipe changes, it runs to its end as the
//! pipe was then; the loop of the pipe's next run waits for that. It is no task of the runner, because it never ends by itself and
//! because waiting for messages is nothing that is due: what waits in a long poll costs no commit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{AccountId, Document, Region};
use futures::FutureExt;
use futures::future::{Fuse, FusedFuture, select};
use kernel::{Caller, Direction, Effect, Kernel, Parts, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Wake;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::api::PipeState;
use crate::compiled::Compiled;
use crate::keys::{Pipe, PipeKey, RunningKey, house};
use crate::{NAME, PRINCIPAL, execution, pipe, source, stream};

/// The internal operation that reads for one pipe until it stops.
pub(crate) const RUN: &str = "RunPipe";
/// The internal operation that begins to read for all pipes that run.
pub(crate) const START_ALL: &str = "StartPollers";

/// The pause after the source could not be read.
const PAUSE: Duration = Duration::from_secs(5);
/// The pause after a batch that failed as a whole, lest a queue that hides nothing is read without end.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// Rows read in one step.
const PAGE: usize = 500;

/// One run of one pipe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Run {
    pub account: AccountId,
    pub region: Region,
    pub name: String,
    pub generation: Uuid,
    pub run: u64,
}

impl Run {
    /// Whether both are runs of a pipe of one name in one place.
    fn shares_name(&self, other: &Run) -> bool {
        (&self.account, &self.region, &self.name) == (&other.account, &other.region, &other.name)
    }
}

/// The runs that are read for, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Pollers {
    runs: Mutex<Runs>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Runs {
    begun: u64,
    numbers: HashMap<Run, u64>,
}

impl Pollers {
    /// Begins to read for a run, unless somebody does.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one loop of a pipe; it ends with the pipe's run"
    )]
    pub(crate) fn start(&self, kernel: &Kernel, run: Run) {
        if !self.begin(&run) {
            return;
        }
        let kernel = kernel.clone();
        tokio::spawn(async move {
            let Run { account, region, .. } = run.clone();
            let caller = kernel.house_caller().as_service(PRINCIPAL, account, region);
            if let Err(fault) = kernel.ask(caller, NAME, RUN, &json!(run)).await {
                tracing::error!(pipe = run.name, %fault, "failed to read for a pipe");
            }
        });
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody reads for this run yet.
    fn begin(&self, run: &Run) -> bool {
        let mut runs = self.runs();
        if runs.numbers.contains_key(run) {
            return false;
        }
        runs.begun += 1;
        let number = runs.begun;
        runs.numbers.insert(run.clone(), number);
        true
    }

    /// Returns when the runs of the pipe that began before have ended. What one of them has on its way when the pipe changes
    /// goes on to its end, and until then a stream shows the same records again.
    async fn turn(&self, run: &Run) {
        loop {
            let ended = self.ended.notified();
            if !self.is_preceded(run) {
                return;
            }
            ended.await;
        }
    }

    fn is_preceded(&self, run: &Run) -> bool {
        let runs = self.runs();
        let own = runs.numbers.get(run).copied().unwrap_or_default();
        runs.numbers.iter().any(|(other, number)| *number < own && other.shares_name(run))
    }
}

/// That somebody reads for a run; its end lets the next run begin.
struct Reading<'a> {
    pollers: &'a Pollers,
    run: &'a Run,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.pollers.runs().numbers.remove(self.run);
        self.pollers.ended.notify_waiters();
    }
}

/// Begins to read for every pipe that runs, in all accounts and regions.
pub(crate) async fn start_all(effect: &Effect, _: Document) -> Result<()> {
    let pollers = effect.state::<Pollers>()?;
    for run in effect.transact("FindRunningPipes", running, ()).await? {
        pollers.start(effect.kernel(), run);
    }
    Ok(())
}

async fn running(tx: &mut Tx, (): ()) -> Result<Vec<Run>> {
    tx.enter(house());
    let mut keys: Vec<RunningKey> = Vec::new();
    loop {
        let rows = match keys.last() {
            None => tx.scan::<RunningKey>(Parts::none(), PAGE).await?,
            Some(last) => tx.scan_after(Parts::none(), &last.clone(), PAGE, Direction::Forward).await?,
        };
        let read = rows.len();
        keys.extend(rows.into_iter().map(|(key, ())| key));
        if read < PAGE {
            break;
        }
    }
    let mut runs = Vec::new();
    for key in keys {
        let (Some(account), Some(region)) = (AccountId::parse(&key.account), Region::parse(&key.region))
        else {
            continue;
        };
        tx.enter(Scope { account: account.clone(), region: region.clone() });
        if let Some(found) = tx.peek(&PipeKey { name: key.name.clone() }).await? {
            runs.push(Run { account, region, name: key.name, generation: found.generation, run: found.run });
        }
    }
    Ok(runs)
}

/// Reads batches and runs them, one after the other, until the pipe's row says that this run is over.
pub(crate) async fn run(effect: &Effect, run: Run) -> Result<()> {
    let pollers = effect.state::<Pollers>()?;
    let _reading = Reading { pollers: &pollers, run: &run };
    pollers.turn(&run).await;
    Box::pin(read(effect, &run)).await
}

async fn read(effect: &Effect, run: &Run) -> Result<()> {
    let mut known: Option<(u64, Compiled)> = None;
    loop {
        // Asked for before the look, so that what changes in between wakes us.
        let mut changed = effect.watch::<PipeKey>(&Parts::of(&run.name)).fuse();
        let (version, found) = match effect.transact("LoadPipe", load, run.name.clone()).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(pipe = run.name, %error, "failed to look at a pipe; it is looked at again");
                effect.clock().sleep_until(effect.now() + PAUSE).await;
                continue;
            }
        };
        if found.state != PipeState::Running || (found.generation, found.run) != (run.generation, run.run) {
            return Ok(());
        }
        if known.as_ref().is_none_or(|(seen, _)| *seen != version) {
            let scope = Scope { account: run.account.clone(), region: run.region.clone() };
            known = Some((version, Compiled::new(&run.name, pipe::arn(&scope, &run.name), found.settings)?));
        }
        let Some((_, compiled)) = &known else { return Ok(()) };
        if compiled.is_stream() {
            if let Err(fault) = stream::step(effect, compiled, found.generation, &mut changed).await {
                tracing::warn!(pipe = compiled.arn, %fault, "failed to read a pipe's stream");
                pause(effect, changed, PAUSE).await;
            }
            continue;
        }
        match source::gather(effect, compiled, &mut changed).await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => {
                if !execution::run(effect, compiled, batch).await {
                    pause(effect, changed, FAILED_PAUSE).await;
                }
            }
            Err(fault) => {
                tracing::warn!(pipe = compiled.arn, %fault, "failed to read a pipe's source");
                pause(effect, changed, PAUSE).await;
            }
        }
    }
}

/// Waits, but no longer than until the pipe has changed.
async fn pause(effect: &Effect, changed: Fuse<Wake>, time: Duration) {
    if !changed.is_terminated() {
        select(changed, std::pin::pin!(effect.clock().sleep_until(effect.now() + time))).await;
    }
}

async fn load(tx: &mut Tx, name: String) -> Result<Option<(u64, Pipe)>> {
    let found = tx.peek_versioned(&PipeKey { name }).await?;
    Ok(found.map(|(pipe, version)| (version.0, pipe)))
}

/// Who reads for a pipe calls in its account and region.
pub(crate) fn run_of(caller: &Caller, name: &str, (generation, run): (Uuid, u64)) -> Run {
    let (account, region) = (caller.account.clone(), caller.region.clone());
    Run { account, region, name: name.to_owned(), generation, run }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, run: u64) -> Run {
        let (account, region) = (AccountId::default(), Region::default());
        Run { account, region, name: name.to_owned(), generation: Uuid::nil(), run }
    }

    #[test]
    fn the_runs_of_a_pipe_follow_each_other() {
        let pollers = Pollers::default();
        let (first, second, other) = (run("p", 1), run("p", 2), run("q", 1));
        assert!(pollers.begin(&first) && pollers.begin(&second) && pollers.begin(&other));
        assert!(!pollers.begin(&first), "it is read for once");
        let waiting = |run: &Run| pollers.is_preceded(run);
        assert_eq!((waiting(&first), waiting(&second), waiting(&other)), (false, true, false));
        drop(Reading { pollers: &pollers, run: &first });
        assert!(!waiting(&second));
    }
}
