//! What the runner has on its desk: timers, orders, lanes, vigils and what is running. Decides what runs next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::Timestamp;
use bytes::Bytes;
use store::engine::Version;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::batch::{divide, run_all};
use super::run::Done;
use super::vigils::Vigils;
use super::{Entry, Message};
use crate::clock::Clock;
use crate::router::Kernel;

/// Tasks of one lane that run at once.
const LANE_WIDTH: usize = 128;
/// Tasks without a lane that run at once.
const OPEN_WIDTH: usize = 1024;
/// Payloads kept for tasks that wait in a lane; more are read again when their turn comes.
const PAYLOADS_MAX: usize = 4096;
/// How long the stop waits for what runs.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
/// Payloads kept of one order.
const HELD_PAYLOADS_MAX: usize = 16;

pub(crate) struct Desk {
    kernel: Kernel,
    inbox: mpsc::UnboundedReceiver<Message>,
    next_due: Arc<AtomicI64>,
    timers: BinaryHeap<Reverse<Timer>>,
    orders: HashMap<Arc<str>, BTreeMap<(u64, u64), Held>>,
    lanes: HashMap<Arc<str>, Lane>,
    running: JoinSet<Vec<Done>>,
    /// What may run now, until [`Desk::launch`] has divided it into batches.
    ready: Vec<Entry>,
    payloads: usize,
    vigils: Vigils,
    idle: Vec<oneshot::Sender<()>>,
    stopping: Option<oneshot::Sender<()>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    due: Timestamp,
    key: Bytes,
    version: u64,
    order: Option<Arc<str>>,
    lane: Option<Arc<str>>,
}

/// An ordered task that is not the first of its order.
struct Held(Entry);

#[derive(Default)]
struct Lane {
    running: usize,
    waiting: VecDeque<Entry>,
}

impl Desk {
    pub(crate) fn new(
        kernel: Kernel,
        inbox: mpsc::UnboundedReceiver<Message>,
        next_due: Arc<AtomicI64>,
    ) -> Desk {
        Desk {
            vigils: Vigils::new(kernel.clone()),
            kernel,
            inbox,
            next_due,
            timers: BinaryHeap::new(),
            orders: HashMap::new(),
            lanes: HashMap::new(),
            running: JoinSet::new(),
            ready: Vec::new(),
            payloads: 0,
            idle: Vec::new(),
            stopping: None,
        }
    }

    /// The runner's loop. Ends when it is stopped or when every handle is gone.
    pub(crate) async fn work(mut self) {
        loop {
            if self.stopping.is_none() {
                self.start_due();
                self.launch();
                self.vigils.stir_due(self.kernel.clock().now());
            }
            self.answer_idle();
            let wake = self.next_due();
            self.next_due
                .store(if wake == Timestamp::MAX { i64::MAX } else { wake.as_millis() }, Ordering::SeqCst);
            let clock = self.kernel.clock().clone();
            tokio::select! {
                biased;
                message = self.inbox.recv() => match message {
                    Some(message) => self.receive_all(message),
                    None => return,
                },
                Some(done) = self.running.join_next() => {
                    done.into_iter().flatten().for_each(|done| self.done(done));
                }
                Some(next) = self.vigils.next() => self.vigils.follow(next),
                () = clock.sleep_until(wake), if self.stopping.is_none() => {}
            }
            if self.stopping.is_some() {
                return self.stop().await;
            }
        }
    }

    /// Takes what has come together: it may run together.
    fn receive_all(&mut self, first: Message) {
        self.receive(first);
        while let Ok(message) = self.inbox.try_recv() {
            self.receive(message);
        }
        while let Some(done) = self.running.try_join_next() {
            done.into_iter().flatten().for_each(|done| self.done(done));
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::New(entries) => entries.into_iter().for_each(|entry| self.add(entry)),
            Message::Vigils(keys) => keys.into_iter().for_each(|key| self.vigils.stir(key)),
            Message::Idle(answer) => self.idle.push(answer),
            Message::Stop(answer) => self.stopping = Some(answer),
        }
    }

    /// Nothing is started any more. What runs gets a moment, which is the machine's and not the clock's: what waits for a
    /// virtual clock would wait for ever. What is cut off runs again at the next start.
    async fn stop(mut self) {
        let clock = Clock::real();
        let patience = clock.sleep_until(clock.now() + PATIENCE);
        tokio::pin!(patience);
        while !self.running.is_empty() || !self.vigils.is_idle() {
            tokio::select! {
                Some(_) = self.running.join_next() => {}
                Some(_) = self.vigils.next() => {}
                () = &mut patience => break,
            }
        }
        self.running.shutdown().await;
        self.vigils.shutdown().await;
        if let Some(answer) = self.stopping.take() {
            let _ = answer.send(());
        }
    }

    /// The next time at which something is due.
    fn next_due(&self) -> Timestamp {
        let task = self.timers.peek().map(|Reverse(timer)| timer.due);
        task.into_iter().chain(self.vigils.next_due()).min().unwrap_or(Timestamp::MAX)
    }

    /// A vigil whose row was found at the start.
    pub(crate) fn keep_vigil(&mut self, key: Bytes) {
        self.vigils.stir(key);
    }

    /// A task that is new to the desk.
    pub(crate) fn add(&mut self, entry: Entry) {
        let Some(order) = entry.order.clone() else { return self.admit(entry) };
        let held = self.orders.entry(order).or_default();
        let first = held.first_key_value().is_none_or(|(place, _)| *place > entry.place);
        let was_empty = held.is_empty();
        let spare = if held.len() < HELD_PAYLOADS_MAX { entry.task.clone() } else { None };
        held.insert(entry.place, Held(Entry { task: spare, ..entry.clone() }));
        // Only the first of an order is admitted; places rise, so a later one never comes in front of a running one.
        if first && was_empty {
            self.admit(entry);
        }
    }

    fn admit(&mut self, entry: Entry) {
        if entry.due > self.kernel.clock().now() {
            let Entry { key, version, due, order, lane, .. } = entry;
            return self.timers.push(Reverse(Timer { due, key, version: version.0, order, lane }));
        }
        self.dispatch(entry);
    }

    fn start_due(&mut self) {
        let now = self.kernel.clock().now();
        while self.timers.peek().is_some_and(|Reverse(timer)| timer.due <= now) {
            let Some(Reverse(timer)) = self.timers.pop() else { return };
            let Ok(mut entry) = Entry::new(timer.key, Version(timer.version), None) else { continue };
            entry.order = timer.order;
            entry.lane = timer.lane;
            self.dispatch(entry);
        }
    }

    /// Runs the task now, or when its lane has room. A task whose lane is not known yet is read in the open lane.
    fn dispatch(&mut self, mut entry: Entry) {
        let (name, width) = lane_of(&entry);
        let lane = self.lanes.entry(name).or_default();
        if lane.running < width {
            lane.running += 1;
            self.ready.push(entry);
            return;
        }
        if self.payloads >= PAYLOADS_MAX {
            entry.task = None;
        }
        self.payloads += usize::from(entry.task.is_some());
        lane.waiting.push_back(entry);
    }

    /// Starts what is ready.
    fn launch(&mut self) {
        for batch in divide(&self.kernel, std::mem::take(&mut self.ready)) {
            self.running.spawn(run_all(self.kernel.clone(), batch));
        }
    }

    fn done(&mut self, done: Done) {
        let (name, width) = lane_of(&done.entry);
        if let Some(lane) = self.lanes.get_mut(&name) {
            lane.running -= 1;
            while lane.running < width {
                let Some(next) = lane.waiting.pop_front() else { break };
                self.payloads -= usize::from(next.task.is_some());
                lane.running += 1;
                self.ready.push(next);
            }
            if lane.running == 0 && lane.waiting.is_empty() {
                self.lanes.remove(&name);
            }
        }
        self.follow(done);
    }

    /// What comes after a task: its own next attempt, or the next of its order.
    fn follow(&mut self, done: Done) {
        let Some(order) = done.entry.order else {
            if let Some(again) = done.again {
                self.admit(again);
            }
            return;
        };
        let Some(held) = self.orders.get_mut(&order) else { return };
        held.remove(&done.entry.place);
        if let Some(again) = &done.again {
            held.insert(again.place, Held(again.clone()));
        }
        match held.first_key_value() {
            Some((_, Held(next))) => {
                let next = next.clone();
                self.admit(next);
            }
            None => {
                self.orders.remove(&order);
            }
        }
    }

    fn answer_idle(&mut self) {
        let now = self.kernel.clock().now();
        let rests = self.running.is_empty() && self.ready.is_empty() && self.vigils.is_idle();
        if rests && self.next_due() > now && self.inbox.is_empty() {
            self.idle.drain(..).for_each(|answer| {
                let _ = answer.send(());
            });
        }
    }
}

fn lane_of(entry: &Entry) -> (Arc<str>, usize) {
    match &entry.lane {
        Some(lane) => (Arc::clone(lane), LANE_WIDTH),
        None => (Arc::from(""), OPEN_WIDTH),
    }
}
