//! Vigils on the virtual clock: they look when something has come and not otherwise, nobody waits for those that rest, and
//! nothing that a task does around its handler takes the runner's place with it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use kernel::{
    Call, Chance, Clock, DeadLetter, DeadLetterStyle, Delivery, Effect, Kernel, NewTask, Parts, Rest, Result,
    RetryPolicy, Service, SourceKind, TargetKind, Tx, Watched, keys,
};
use serde::{Deserialize, Serialize};
use store::{Location, SharedEngine};

keys! {
    /// What lies in the tray, and is taken out by the clerk.
    struct TrayKey(1, sharded) -> String { tray: String, number: u64 }
    /// What the clerk has done, in order.
    struct DoneKey(2) -> String { number: u64 }
}

/// How often the clerk has looked, and what is to go wrong.
#[derive(Default)]
struct Notes {
    looks: AtomicU32,
    panics: AtomicU32,
    stuck: AtomicU32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tray(String);

const TRAY: SourceKind = SourceKind {
    service: "desk",
    name: "tray",
    serves: |arn| arn.resource_after("tray").is_some(),
    watched: |arn| Watched::rows::<TrayKey>(Parts::of(arn.resource_after("tray").unwrap_or_default())),
    next: None,
};

/// Takes one sheet, does it as work, and comes again when it is done; rests an hour at most.
async fn clerk(effect: &Effect, Tray(tray): Tray) -> Result<Rest> {
    let notes = effect.state::<Notes>()?;
    notes.looks.fetch_add(1, Ordering::SeqCst);
    if notes.panics.load(Ordering::SeqCst) > 0 {
        notes.panics.fetch_sub(1, Ordering::SeqCst);
        panic!("a look's bug");
    }
    let arn: Arn = format!("arn:aws:desk:us-east-1:000000000000:tray/{tray}").parse().unwrap();
    let wake = effect.watch_source(&arn).unwrap();
    let Some(sheet) = effect.transact("Take", take, tray).await? else {
        return Ok(Rest::new().on(wake).until(effect.now() + Duration::from_secs(3_600)));
    };
    let (own, stuck) = (effect.clone(), notes.stuck.load(Ordering::SeqCst) > 0);
    Ok(Rest::new().with_work(async move {
        if stuck {
            notes.stuck.fetch_add(1, Ordering::SeqCst);
            own.clock().sleep_until(Timestamp::MAX).await;
        }
        own.transact("Do", done, sheet).await.unwrap();
    }))
}

async fn take(tx: &mut Tx, tray: String) -> Result<Option<String>> {
    let first = tx.scan::<TrayKey>(Parts::of(&tray), 1).await?.into_iter().next();
    Ok(first.map(|(key, sheet)| {
        tx.delete(&key);
        sheet
    }))
}

async fn done(tx: &mut Tx, sheet: String) -> Result<()> {
    let number = tx.scan::<DoneKey>(Parts::none(), 100).await?.len() as u64;
    tx.put(&DoneKey { number }, &sheet)
}

async fn lay(tx: &mut Tx, (tray, number, sheet): (&'static str, u64, &'static str)) -> Result<()> {
    tx.put(&TrayKey { tray: tray.to_owned(), number }, &sheet.to_owned())
}

async fn keep(tx: &mut Tx, tray: &'static str) -> Result<()> {
    tx.keep_vigil(tray, "Clerk", &Tray(tray.to_owned()))
}

async fn end(tx: &mut Tx, tray: &'static str) -> Result<()> {
    tx.end_vigil(tray);
    Ok(())
}

async fn read(tx: &mut Tx, (): ()) -> Result<Vec<String>> {
    Ok(tx.scan::<DoneKey>(Parts::none(), 100).await?.into_iter().map(|(_, sheet)| sheet).collect())
}

/// A dead-letter target whose first delivery brings the runner itself down.
static TRAPS: AtomicU32 = AtomicU32::new(0);

const TRAP: TargetKind = TargetKind {
    at_once: |_| false,
    service: "desk",
    name: "trap",
    serves: |_| true,
    call: |_, _: Delivery| {
        if TRAPS.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("a target's bug");
        }
        Call::new("desk", "Bury", &"buried").map_err(Fault::internal)
    },
};

async fn bury(tx: &mut Tx, sheet: String) -> Result<()> {
    done(tx, sheet).await
}

async fn fails(_: &mut Tx, _: String) -> Result<()> {
    Err(Fault::new("ResourceNotFoundException", "gone").into())
}

async fn enqueue(tx: &mut Tx, (): ()) -> Result<()> {
    let dead_letter = Some(DeadLetter {
        arn: "arn:aws:desk:us-east-1:000000000000:trap".parse().unwrap(),
        body: None,
        attributes: Vec::new(),
        style: DeadLetterStyle::Bare,
    });
    let task = NewTask {
        dead_letter,
        lane: Some("lane".to_owned()),
        retry: RetryPolicy::event_bridge(),
        ..NewTask::new(Call::new("desk", "Fails", &"x")?)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}

struct World {
    kernel: Kernel,
    notes: Arc<Notes>,
}

impl World {
    async fn over(engine: &SharedEngine, clock: &Clock) -> World {
        let notes = Arc::new(Notes::default());
        let service = Service::internal_only("desk")
            .state(Arc::clone(&notes))
            .vigil("Clerk", clerk)
            .internal("Bury", bury)
            .internal("Fails", fails)
            .sources(&[TRAY])
            .targets(&[TRAP]);
        let kernel = Kernel::new(Arc::clone(engine), clock.clone(), Chance::seeded(5), vec![service]);
        kernel.start().await.unwrap();
        World { kernel, notes }
    }

    async fn run<I, O, F>(&self, handler: F, input: I) -> O
    where
        I: Clone + Send + Sync,
        O: Send,
        F: for<'a> kernel::TransactHandler<'a, I, O>,
    {
        self.kernel.transact("desk", self.kernel.house_caller(), "Test", handler, input).await.unwrap()
    }

    async fn done(&self) -> Vec<String> {
        self.run(read, ()).await
    }

    fn looks(&self) -> u32 {
        self.notes.looks.load(Ordering::SeqCst)
    }
}

fn memory() -> (SharedEngine, Clock) {
    (store::open(&Location::Memory).unwrap(), Clock::virtual_at(Timestamp::from_millis(1_000_000)))
}

#[tokio::test]
async fn a_vigil_looks_when_something_has_come_and_rests_otherwise() {
    let (engine, clock) = memory();
    let world = World::over(&engine, &clock).await;
    world.run(keep, "in").await;
    world.kernel.idle().await;
    assert_eq!(world.looks(), 1);
    world.run(lay, ("elsewhere", 1, "not mine")).await;
    world.kernel.idle().await;
    assert_eq!(world.looks(), 1);
    world.run(lay, ("in", 1, "first")).await;
    world.run(lay, ("in", 2, "second")).await;
    world.kernel.idle().await;
    assert_eq!(world.done().await, ["first", "second"]);
    let before = world.looks();
    world.kernel.advance(Duration::from_secs(7_200)).await;
    assert_eq!(world.looks(), before + 2, "once an hour, since that is what it asked for");
}

#[tokio::test]
async fn a_vigil_ends_with_its_row_and_begins_anew_with_every_process() {
    let (engine, clock) = memory();
    let world = World::over(&engine, &clock).await;
    world.run(keep, "in").await;
    world.kernel.idle().await;
    world.kernel.halt().await;
    world.run(lay, ("in", 1, "while nobody was there")).await;
    let world = World::over(&engine, &clock).await;
    world.kernel.idle().await;
    assert_eq!(world.done().await, ["while nobody was there"]);
    world.run(end, "in").await;
    world.kernel.idle().await;
    let before = world.looks();
    world.run(lay, ("in", 2, "too late")).await;
    world.kernel.advance(Duration::from_secs(7_200)).await;
    assert_eq!(world.looks(), before);
    world.run(keep, "in").await;
    world.kernel.idle().await;
    assert_eq!(world.done().await, ["while nobody was there", "too late"]);
}

#[tokio::test]
async fn a_look_that_panics_is_tried_again() {
    let (engine, clock) = memory();
    let world = World::over(&engine, &clock).await;
    world.notes.panics.store(1, Ordering::SeqCst);
    world.run(lay, ("in", 1, "first")).await;
    world.run(keep, "in").await;
    world.kernel.idle().await;
    assert_eq!(world.done().await, Vec::<String>::new());
    world.kernel.advance(Duration::from_secs(5)).await;
    assert_eq!(world.done().await, ["first"]);
}

#[tokio::test]
async fn a_halt_ends_what_waits_for_a_clock_that_stands_still() {
    let (engine, clock) = memory();
    let world = World::over(&engine, &clock).await;
    world.notes.stuck.store(1, Ordering::SeqCst);
    world.run(lay, ("in", 1, "first")).await;
    world.run(keep, "in").await;
    while world.notes.stuck.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    world.kernel.halt().await;
    assert_eq!(world.done().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_panic_around_a_handler_does_not_take_the_tasks_place_with_it() {
    let (engine, clock) = memory();
    let world = World::over(&engine, &clock).await;
    world.run(enqueue, ()).await;
    world.kernel.idle().await;
    assert_eq!(world.done().await, Vec::<String>::new());
    world.kernel.advance(Duration::from_secs(1)).await;
    assert_eq!(world.done().await, ["buried"], "the task is settled by the same process");
}
