//! The warm processes of one revision of one function, and the invocations that wait for one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::process::Process;

/// Processes without work, most recently used last. A process with work is in nobody's list.
pub(super) struct Pool {
    pub(super) revision: String,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    idle: Vec<(Instant, Arc<Process>)>,
    waiting: VecDeque<oneshot::Sender<Arc<Process>>>,
    closed: bool,
}

impl Pool {
    pub(super) fn new(revision: String) -> Pool {
        Pool { revision, seats: Mutex::default() }
    }

    /// The process that worked last, if one is free and alive.
    pub(super) fn take(&self) -> Option<Arc<Process>> {
        let mut seats = self.lock();
        while let Some((_, process)) = seats.idle.pop() {
            if process.is_alive() {
                return Some(process);
            }
        }
        None
    }

    /// Queues for the next process that becomes free.
    pub(super) fn wait(&self) -> oneshot::Receiver<Arc<Process>> {
        let (sender, receiver) = oneshot::channel();
        self.lock().waiting.push_back(sender);
        receiver
    }

    /// Takes a process back. Whoever waits gets it; `keep` says whether it may stay if nobody does.
    pub(super) fn put(&self, process: Arc<Process>, now: Instant, keep: bool) {
        let mut seats = self.lock();
        if seats.closed || !process.is_alive() {
            return;
        }
        let mut process = process;
        while let Some(waiting) = seats.waiting.pop_front() {
            match waiting.send(process) {
                Ok(()) => return,
                Err(back) => process = back,
            }
        }
        if keep {
            seats.idle.push((now, process));
        }
    }

    /// Ends every free process now, and every other when it comes back.
    pub(super) fn close(&self) {
        let mut seats = self.lock();
        seats.closed = true;
        seats.idle.clear();
    }

    /// Ends processes that died or have been free for longer than `limit`.
    pub(super) fn reap(&self, now: Instant, limit: Duration) {
        self.lock().idle.retain(|(since, process)| process.is_alive() && now.duration_since(*since) < limit);
    }

    /// Ends the process that has been free longest; false if none is free.
    pub(super) fn evict(&self) -> bool {
        let mut seats = self.lock();
        let some = !seats.idle.is_empty();
        if some {
            seats.idle.remove(0);
        }
        some
    }

    /// How many processes are free.
    pub(super) fn idle(&self) -> usize {
        self.lock().idle.len()
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
