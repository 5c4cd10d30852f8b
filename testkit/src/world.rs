//! The cloud of a test: a kernel with its store, its clock, its seed and a caller.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Document, Fault, Region, Timestamp};
use kernel::trace::{Chain, Span};
use kernel::{Caller, Chance, Clock, Kernel, Service, Tx};
use store::Location;
use store::watch::SharedEngine;

use crate::mortal::{Life, Mortal};

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;

type Services = Box<dyn Fn() -> Vec<Service> + Send + Sync>;

/// A cloud in memory. It starts on 2026-01-01 at midnight UTC; who calls is the root user of account 000000000000 in
/// eu-central-1, unless [`Builder`] says otherwise.
pub struct World {
    kernel: Kernel,
    engine: SharedEngine,
    clock: Clock,
    services: Services,
    seed: u64,
    account: AccountId,
    region: Region,
    life: Life,
}

/// What a [`World`] is made of.
#[must_use]
pub struct Builder {
    services: Services,
    seed: u64,
    start: Timestamp,
    account: AccountId,
    region: Region,
    asleep: bool,
}

impl Builder {
    /// Ids and chance come from here; 1 unless said.
    pub fn seed(self, seed: u64) -> Builder {
        Builder { seed, ..self }
    }

    /// The time at which the clock stands first.
    pub fn start_at(self, start: Timestamp) -> Builder {
        Builder { start, ..self }
    }

    /// Whose calls.
    ///
    /// # Panics
    /// `account` is no account's id.
    pub fn account(self, account: &str) -> Builder {
        let account = AccountId::parse(account).unwrap_or_else(|| panic!("{account} is no account's id"));
        Builder { account, ..self }
    }

    /// Where the calls go to.
    ///
    /// # Panics
    /// `region` is no region's name.
    pub fn region(self, region: &str) -> Builder {
        let region = Region::parse(region).unwrap_or_else(|| panic!("{region} is no region's name"));
        Builder { region, ..self }
    }

    /// Without a runner: tasks stay where they are until [`World::restart`].
    pub fn asleep(self) -> Builder {
        Builder { asleep: true, ..self }
    }

    /// The world.
    ///
    /// # Panics
    /// The kernel does not start.
    pub async fn open(self) -> World {
        let engine =
            store::open(&Location::Memory).unwrap_or_else(|error| panic!("failed to open a store: {error}"));
        let clock = Clock::virtual_at(self.start);
        let life = Life::unending();
        let kernel = assemble(&engine, &clock, &life, self.seed, (self.services)());
        if !self.asleep {
            start(&kernel).await;
        }
        let Builder { services, seed, account, region, .. } = self;
        World { kernel, engine, clock, services, seed, account, region, life }
    }
}

impl World {
    /// A world of these services. The function is run again for every process that [`World::restart`] begins.
    pub async fn new(services: impl Fn() -> Vec<Service> + Send + Sync + 'static) -> World {
        World::of(services).open().await
    }

    /// A world of these services, with more to say about it.
    pub fn of(services: impl Fn() -> Vec<Service> + Send + Sync + 'static) -> Builder {
        Builder {
            services: Box::new(services),
            seed: 1,
            start: Timestamp::from_millis(START_MS),
            account: AccountId::default(),
            region: Region::parse("eu-central-1").unwrap_or_default(),
            asleep: false,
        }
    }

    /// The kernel of the present process.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The store, which outlives processes. What is committed to it directly, no crash takes away.
    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }

    /// The clock; it stands still unless the test moves it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who calls: the root user of the world's account, at the beginning of a chain of causes.
    pub fn caller(&self) -> Caller {
        Caller::root_user(self.account.clone(), self.region.clone(), self.kernel.new_id())
    }

    /// Runs an operation of a service's API.
    ///
    /// # Errors
    /// What the operation answers, or what its schema says of the input.
    pub async fn call(&self, service: &str, operation: &str, input: Document) -> Result<Document, Fault> {
        self.call_as(self.caller(), service, operation, input).await
    }

    /// The same as somebody else, or elsewhere.
    ///
    /// # Errors
    /// As [`World::call`].
    pub async fn call_as(
        &self,
        caller: Caller,
        service: &str,
        operation: &str,
        input: Document,
    ) -> Result<Document, Fault> {
        self.kernel.run_document(caller, service, operation, &input).await
    }

    /// What a call answers that must succeed.
    ///
    /// # Panics
    /// It does not.
    pub async fn ok(&self, service: &str, operation: &str, input: Document) -> Document {
        let answer = self.call(service, operation, input).await;
        answer.unwrap_or_else(|fault| panic!("{service}:{operation} answers {fault}"))
    }

    /// The fault of a call that must fail.
    ///
    /// # Panics
    /// It does not.
    pub async fn refused(&self, service: &str, operation: &str, input: Document) -> Fault {
        match self.call(service, operation, input).await {
            Ok(answer) => panic!("{service}:{operation} is not refused: {answer}"),
            Err(fault) => fault,
        }
    }

    /// Runs an internal operation of a service.
    ///
    /// # Errors
    /// What the operation answers.
    pub async fn ask(&self, service: &str, operation: &str, input: Document) -> Result<Document, Fault> {
        self.kernel.ask(self.caller(), service, operation, &input).await
    }

    /// Lets time pass: all that falls due within it is done, each at its time.
    pub async fn advance(&self, by: Duration) {
        self.kernel.advance(by).await;
    }

    /// Returns when nothing is left to do at the present time.
    pub async fn idle(&self) {
        self.kernel.idle().await;
    }

    /// The process dies after so many more commits: the next one is not taken, nor any after it.
    pub fn die_after(&self, commits: u32) {
        self.life.end_after(commits);
    }

    /// The bytes that the largest commit of the present process wrote, keys and values: how much of a cloud it holds in
    /// memory at once.
    pub fn largest_commit(&self) -> usize {
        self.life.largest()
    }

    /// Whether the process has died: whether a commit was refused to it.
    pub fn is_dead(&self) -> bool {
        self.life.is_over()
    }

    /// The process dies now, and another one goes on over the same rows. What was only in its memory is gone.
    pub async fn crash(&mut self) {
        self.restart().await;
        self.idle().await;
    }

    /// Another process over the same rows, whether the present one has died or not. It uses other ids and chance.
    ///
    /// # Panics
    /// The kernel does not start.
    pub async fn restart(&mut self) {
        self.life.end_after(0);
        self.kernel.halt().await;
        self.life = Life::unending();
        self.seed += 1;
        self.kernel = assemble(&self.engine, &self.clock, &self.life, self.seed, (self.services)());
        start(&self.kernel).await;
    }

    /// The chains of causes that `subject` belongs to (a request's or an event's id, an ARN), newest first.
    ///
    /// # Panics
    /// The store does not answer.
    pub async fn chains(&self, subject: &str) -> Vec<Chain> {
        let caller = self.kernel.house_caller();
        let found = self.kernel.transact("kernel", caller, "Find", find_chains, subject.to_owned()).await;
        found.unwrap_or_else(|error| panic!("failed to read the trace: {error}"))
    }

    /// All spans of the chains that `subject` belongs to, in the order of time; what follows from a span stands behind it
    /// also where no time has passed.
    pub async fn spans(&self, subject: &str) -> Vec<Span> {
        let mut spans: Vec<Span> =
            self.chains(subject).await.into_iter().flat_map(|chain| chain.spans).collect();
        let parents: HashMap<u64, u64> = spans.iter().map(|span| (span.id, span.parent)).collect();
        let depth = |span: &Span| std::iter::successors(Some(span.id), |id| parents.get(id).copied()).count();
        spans.sort_by_cached_key(|span| (span.at, depth(span)));
        spans
    }
}

async fn find_chains(tx: &mut Tx, subject: String) -> kernel::Result<Vec<Chain>> {
    kernel::trace::find(tx, &subject).await
}

fn assemble(engine: &SharedEngine, clock: &Clock, life: &Life, seed: u64, services: Vec<Service>) -> Kernel {
    let mortal = Arc::new(Mortal { inner: Arc::clone(engine), life: life.clone() });
    Kernel::new(mortal, clock.clone(), Chance::seeded(seed), services)
}

async fn start(kernel: &Kernel) {
    kernel.start().await.unwrap_or_else(|error| panic!("failed to start the kernel: {error}"));
}
