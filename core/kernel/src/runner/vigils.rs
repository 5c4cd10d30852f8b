//! The vigils that are kept: who looks, who works, who rests and until when.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;

use base::Timestamp;
use bytes::Bytes;
use futures::future::{BoxFuture, select, select_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use store::watch::Wake;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::router::Kernel;
use crate::vigil::{Rest, look};

/// All vigils of this process, by the keys of their rows.
pub(crate) struct Vigils {
    kernel: Kernel,
    kept: HashMap<Bytes, Vigil>,
    busy: JoinSet<Next>,
    resting: FuturesUnordered<BoxFuture<'static, (Bytes, u64)>>,
    due: BTreeSet<(Timestamp, Bytes)>,
}

/// What has ended.
pub(crate) enum Next {
    /// A look, with its answer; `None` if there is no such row.
    Look(Bytes, Option<Rest>),
    /// Work that a look had left.
    Work(Bytes),
    /// A rest, because of a wake.
    Woken(Bytes, u64),
}

#[derive(Default)]
struct Vigil {
    /// Counts the rests, so that a wake that comes late is known.
    rest: u64,
    looking: bool,
    /// Whether another look was asked for while one was on its way.
    again: bool,
    working: usize,
    until: Option<Timestamp>,
    /// Ends the present rest's wait when it is dropped.
    waiting: Option<oneshot::Sender<()>>,
}

impl Vigils {
    pub(crate) fn new(kernel: Kernel) -> Vigils {
        Vigils {
            kernel,
            kept: HashMap::new(),
            busy: JoinSet::new(),
            resting: FuturesUnordered::new(),
            due: BTreeSet::new(),
        }
    }

    /// Looks for a vigil: its row was written or removed, or what it waits for has come.
    pub(crate) fn stir(&mut self, key: Bytes) {
        let vigil = self.kept.entry(key.clone()).or_default();
        if vigil.looking {
            vigil.again = true;
            return;
        }
        vigil.looking = true;
        vigil.again = false;
        vigil.waiting = None;
        if let Some(until) = vigil.until.take() {
            self.due.remove(&(until, key.clone()));
        }
        let (kernel, working) = (self.kernel.clone(), vigil.working);
        self.busy.spawn(async move {
            let rest = look(&kernel, &key, working).await;
            Next::Look(key, rest)
        });
    }

    /// Looks for all whose time or whose wake has come.
    pub(crate) fn stir_due(&mut self, now: Timestamp) {
        while let Some(Some(woken)) = self.resting.next().now_or_never() {
            self.woken(woken);
        }
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.due.pop_first() else { return };
            if let Some(vigil) = self.kept.get_mut(&key) {
                vigil.until = None;
            }
            self.stir(key);
        }
    }

    fn woken(&mut self, (key, rest): (Bytes, u64)) {
        if self.kept.get(&key).is_some_and(|vigil| vigil.rest == rest && !vigil.looking) {
            self.stir(key);
        }
    }

    /// The next end of a look, of work or of a rest; `None` if there is none.
    pub(crate) async fn next(&mut self) -> Option<Next> {
        tokio::select! {
            biased;
            // Looks and work are guarded: they end in no other way, unless the runner stops.
            Some(Ok(next)) = self.busy.join_next() => Some(next),
            Some((key, rest)) = self.resting.next() => Some(Next::Woken(key, rest)),
            else => None,
        }
    }

    /// Does what follows from it.
    pub(crate) fn follow(&mut self, next: Next) {
        match next {
            Next::Look(key, rest) => self.looked(key, rest),
            Next::Work(key) => {
                if let Some(vigil) = self.kept.get_mut(&key) {
                    vigil.working -= 1;
                }
                self.stir(key);
            }
            Next::Woken(key, rest) => self.woken((key, rest)),
        }
    }

    fn looked(&mut self, key: Bytes, rest: Option<Rest>) {
        let Some(vigil) = self.kept.get_mut(&key) else { return };
        vigil.looking = false;
        vigil.rest += 1;
        let Some(rest) = rest else {
            if vigil.again {
                self.stir(key);
            } else if vigil.working == 0 {
                self.kept.remove(&key);
            }
            return;
        };
        for work in rest.work {
            vigil.working += 1;
            let key = key.clone();
            self.busy.spawn(async move {
                if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                    tracing::error!("the work of a vigil has panicked");
                }
                Next::Work(key)
            });
        }
        if rest.again || vigil.again {
            return self.stir(key);
        }
        vigil.until = rest.until;
        if let Some(until) = rest.until {
            self.due.insert((until, key.clone()));
        }
        if !rest.wakes.is_empty() {
            let (waiting, given_up) = oneshot::channel();
            vigil.waiting = Some(waiting);
            self.resting.push(wait(rest.wakes, given_up, (key, vigil.rest)));
        }
    }

    /// The next time at which somebody wants to look.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether nobody looks and nothing works.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Cuts off whatever looks or works: what it has not committed is done again.
    pub(crate) async fn shutdown(&mut self) {
        self.busy.shutdown().await;
    }
}

fn wait(
    wakes: Vec<Wake>,
    given_up: oneshot::Receiver<()>,
    name: (Bytes, u64),
) -> BoxFuture<'static, (Bytes, u64)> {
    async move {
        select(select_all(wakes), given_up).await;
        name
    }
    .boxed()
}
