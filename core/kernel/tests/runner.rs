//! The runner's promises on the virtual clock: exactly once, retries as configured, dead letters, order, answers.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::{AccountId, Arn, Fault, Region, Timestamp};
use kernel::{
    Call, Caller, Chance, Clock, DeadLetter, DeadLetterStyle, Delivery, Effect, Error, Kernel, NewTask,
    Outcome, Parts, Reply, ReplyInput, Result, RetryPolicy, Service, TargetKind, Tx, keys,
};
use serde::{Deserialize, Serialize};
use store::{Location, SharedEngine};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    text: String,
    at: Timestamp,
}
store::stored!(Line, format = 1);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Count(u64);
store::stored!(Count, format = 1);

keys! {
    /// What was delivered, as it came.
    struct LineKey(1, sharded) -> Line { list: String, number: u64 }
    /// How many lines a list has.
    struct CountKey(2) -> Count { list: String }
    /// A task that somebody wants to cancel.
    struct VictimKey(3) -> Victim {}
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Victim(kernel::TaskHandle);
store::stored!(Victim, format = 1);

/// What the flaky target does: fails as often as it says, then works.
#[derive(Default)]
struct Flaky(AtomicU32);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Say {
    list: String,
    text: String,
}

async fn say(tx: &mut Tx, input: Say) -> Result<String> {
    let count_key = CountKey { list: input.list.clone() };
    let Count(number) = tx.get(&count_key).await?.unwrap_or_default();
    tx.put(&LineKey { list: input.list, number }, &Line { text: input.text, at: tx.now() })?;
    tx.put(&count_key, &Count(number + 1))?;
    Ok(format!("line {number}"))
}

async fn flaky(effect: &Effect, input: Say) -> Result<String> {
    let left = effect.state::<Flaky>()?;
    if left.0.load(Ordering::SeqCst) > 0 {
        left.0.fetch_sub(1, Ordering::SeqCst);
        return Err(Fault::new("ServiceException", "down").with_status(500).into());
    }
    effect.transact("Say", say, input).await
}

async fn gone(_: &Effect, _: Say) -> Result<()> {
    Err(Fault::new("ResourceNotFoundException", "gone").into())
}

async fn buggy(_: &mut Tx, _: Say) -> Result<()> {
    panic!("a handler's bug")
}

/// Says the text after it has written something, unless the text is bad.
async fn picky(tx: &mut Tx, input: Say) -> Result<String> {
    let bad = input.text.starts_with("bad");
    let line = say(tx, input).await?;
    if bad { Err(Fault::new("ServiceException", "bad").with_status(500).into()) } else { Ok(line) }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SayAndCancel {
    say: Say,
    cancels: Option<kernel::TaskHandle>,
}

async fn say_and_cancel(tx: &mut Tx, input: SayAndCancel) -> Result<String> {
    if let Some(handle) = &input.cancels {
        tx.cancel(handle);
    }
    say(tx, input.say).await
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pages {
    left: u32,
}

/// Work of many parts, each of which enqueues the next.
async fn pages(tx: &mut Tx, input: Pages) -> Result<()> {
    if input.left > 0 {
        let next = Pages { left: input.left - 1 };
        tx.go_on(tx.now(), NewTask::new(Call::new("list", "Pages", &next)?))?;
        return Ok(());
    }
    say(tx, Say { list: "out".into(), text: "the last page".into() }).await?;
    Ok(())
}

async fn cancel_victim(tx: &mut Tx, input: Say) -> Result<String> {
    if let Some(Victim(handle)) = tx.get(&VictimKey {}).await? {
        tx.cancel(&handle);
    }
    say(tx, input).await
}

async fn enqueue(tx: &mut Tx, mut tasks: Vec<NewTaskInput>) -> Result<()> {
    for task in tasks.drain(..) {
        let due = tx.now() + Duration::from_millis(task.in_ms);
        tx.enqueue(due, task.build()?)?;
    }
    Ok(())
}

#[derive(Clone)]
struct NewTaskInput {
    operation: &'static str,
    say: Say,
    in_ms: u64,
    retry: RetryPolicy,
    dead_letter: bool,
    order: Option<&'static str>,
    lane: Option<&'static str>,
    reply: bool,
}

impl NewTaskInput {
    fn new(operation: &'static str, text: &str) -> NewTaskInput {
        let say = Say { list: "out".into(), text: text.into() };
        let retry = RetryPolicy::event_bridge();
        NewTaskInput {
            operation,
            say,
            in_ms: 0,
            retry,
            dead_letter: false,
            order: None,
            lane: None,
            reply: false,
        }
    }

    fn build(self) -> Result<NewTask> {
        let arn = "arn:aws:list:eu-central-1:000000000000:dead".parse::<Arn>();
        let letter = |arn| DeadLetter {
            arn,
            body: None,
            attributes: vec![("RULE_ARN".into(), "rule".into())],
            style: DeadLetterStyle::EventBridge,
        };
        Ok(NewTask {
            retry: self.retry,
            dead_letter: self
                .dead_letter
                .then(|| arn.map(letter))
                .transpose()
                .map_err(|e| Error::bug(e.to_string()))?,
            order: self.order.map(str::to_owned),
            lane: self.lane.map(str::to_owned),
            reply: self.reply.then(|| Reply {
                service: "list".into(),
                operation: "Answer".into(),
                context: r#"{"asked":7}"#.into(),
            }),
            ..NewTask::new(Call::new("list", self.operation, &self.say)?)
        })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    asked: u32,
}

async fn answer(tx: &mut Tx, input: ReplyInput<Asked>) -> Result<()> {
    let text = match input.outcome {
        Outcome::Succeeded(output) => format!("{} got {output}", input.context.asked),
        Outcome::Failed(fault) => format!("{} failed with {}", input.context.asked, fault.code),
    };
    say(tx, Say { list: "answers".into(), text }).await?;
    Ok(())
}

fn dead(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let names: Vec<String> =
        delivery.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let say = Say { list: arn.resource.clone(), text: names.join(" ") };
    Call::new("list", "Say", &say).map_err(|error| Fault::validation(error.to_string()))
}

fn service(flaky_state: &Arc<Flaky>) -> Service {
    Service::internal_only("list")
        .internal("Say", say)
        .internal_effect("Flaky", flaky)
        .internal_effect("Gone", gone)
        .internal("Buggy", buggy)
        .internal("Picky", picky)
        .internal("CancelVictim", cancel_victim)
        .internal("Pages", pages)
        .internal("SayAndCancel", say_and_cancel)
        .internal("Answer", answer)
        .state(Arc::clone(flaky_state))
        .targets(&[TargetKind {
            service: "list",
            name: "list",
            serves: |_| true,
            call: dead,
            at_once: |_| false,
        }])
}

struct World {
    engine: SharedEngine,
    clock: Clock,
    flaky: Arc<Flaky>,
    kernel: Kernel,
}

impl World {
    async fn new() -> World {
        let engine = store::open(&Location::Memory).unwrap();
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
        World::over(engine, clock).await
    }

    async fn over(engine: SharedEngine, clock: Clock) -> World {
        let flaky = Arc::new(Flaky::default());
        let kernel =
            Kernel::new(Arc::clone(&engine), clock.clone(), Chance::seeded(1), vec![service(&flaky)]);
        kernel.start().await.unwrap();
        World { engine, clock, flaky, kernel }
    }

    fn caller(&self) -> Caller {
        let region = Region::parse("eu-central-1").unwrap();
        Caller::root_user(AccountId::default(), region, self.kernel.new_id())
    }

    async fn enqueue(&self, tasks: Vec<NewTaskInput>) {
        self.kernel.transact("list", self.caller(), "Enqueue", enqueue, tasks).await.unwrap();
    }

    async fn lines(&self, list: &'static str) -> Vec<Line> {
        async fn read(tx: &mut Tx, list: String) -> Result<Vec<Line>> {
            Ok(tx.scan::<LineKey>(Parts::of(&list), 1_000).await?.into_iter().map(|(_, line)| line).collect())
        }
        self.kernel.transact("list", self.caller(), "Read", read, list.to_owned()).await.unwrap()
    }

    async fn texts(&self, list: &'static str) -> Vec<String> {
        self.lines(list).await.into_iter().map(|line| line.text).collect()
    }
}

#[tokio::test]
async fn many_callers_of_one_counter_lose_nothing() {
    let world = World::new().await;
    let calls = (0..200).map(|i| {
        let say_input = Say { list: "out".into(), text: i.to_string() };
        world.kernel.transact("list", world.caller(), "Say", say, say_input)
    });
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(world.lines("out").await.len(), 200);
}

#[tokio::test]
async fn a_task_waits_for_its_time_and_runs_once() {
    let world = World::new().await;
    world.enqueue(vec![NewTaskInput { in_ms: 60_000, ..NewTaskInput::new("Say", "late") }]).await;
    world.kernel.advance(Duration::from_secs(59)).await;
    assert!(world.texts("out").await.is_empty());
    world.kernel.advance(Duration::from_secs(1)).await;
    assert_eq!(world.texts("out").await, ["late"]);
    world.kernel.advance(Duration::from_secs(86_400)).await;
    assert_eq!(world.texts("out").await, ["late"]);
}

#[tokio::test]
async fn a_target_that_is_down_for_a_while_is_tried_until_it_works() {
    let world = World::new().await;
    world.flaky.0.store(5, Ordering::SeqCst);
    world.enqueue(vec![NewTaskInput { reply: true, ..NewTaskInput::new("Flaky", "at last") }]).await;
    world.kernel.idle().await;
    assert!(world.texts("out").await.is_empty());
    world.kernel.advance(Duration::from_secs(60)).await;
    assert_eq!(world.texts("out").await, ["at last"]);
    assert_eq!(world.texts("answers").await, ["7 got \"line 0\""]);
}

#[tokio::test]
async fn a_target_that_stays_down_is_dead_lettered_after_a_day() {
    let world = World::new().await;
    world.flaky.0.store(u32::MAX, Ordering::SeqCst);
    let retry = RetryPolicy { retries_max: 1_000, ..RetryPolicy::event_bridge() };
    let task = NewTaskInput { retry, dead_letter: true, reply: true, ..NewTaskInput::new("Flaky", "x") };
    world.enqueue(vec![task]).await;
    world.kernel.advance(Duration::from_secs(86_400 - 600)).await;
    assert!(world.lines("dead").await.is_empty());
    world.kernel.advance(Duration::from_secs(600)).await;
    let dead = world.lines("dead").await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0].text.contains("RULE_ARN=rule ERROR_CODE=ERROR_FROM_TARGET"), "{}", dead[0].text);
    assert!(dead[0].text.contains("EXHAUSTED_RETRY_CONDITION=MaximumEventAgeInSeconds"), "{}", dead[0].text);
    assert_eq!(world.texts("answers").await, ["7 failed with ServiceException"]);
}

#[tokio::test]
async fn attempts_are_bounded_and_permanent_faults_are_not_tried_again() {
    let world = World::new().await;
    world.flaky.0.store(u32::MAX, Ordering::SeqCst);
    let retry = RetryPolicy { retries_max: 2, ..RetryPolicy::event_bridge() };
    let twice = NewTaskInput { retry, dead_letter: true, ..NewTaskInput::new("Flaky", "x") };
    world.enqueue(vec![twice]).await;
    world.kernel.advance(Duration::from_secs(3_600)).await;
    assert!(world.texts("dead").await[0].contains("MaximumRetryAttempts RETRY_ATTEMPTS=2"));
    assert_eq!(world.flaky.0.load(Ordering::SeqCst), u32::MAX - 3);

    world.enqueue(vec![NewTaskInput { dead_letter: true, ..NewTaskInput::new("Gone", "x") }]).await;
    world.kernel.idle().await;
    let text = world.texts("dead").await[1].clone();
    assert!(text.contains("ERROR_CODE=NO_RESOURCE") && text.ends_with("RETRY_ATTEMPTS=0"), "{text}");
}

#[tokio::test]
async fn one_order_is_kept_through_retries_and_restarts() {
    let world = World::new().await;
    world.flaky.0.store(3, Ordering::SeqCst);
    let ordered = |text: &str| NewTaskInput { order: Some("o"), ..NewTaskInput::new("Flaky", text) };
    world.enqueue(vec![ordered("1"), ordered("2")]).await;
    world.enqueue(vec![ordered("3")]).await;
    world.enqueue(vec![NewTaskInput::new("Say", "free")]).await;
    world.kernel.idle().await;
    assert_eq!(world.texts("out").await, ["free"], "another order is not held up");

    // A second kernel over the same rows stands for a restart: the first of the order is the one that waits longest.
    world.kernel.halt().await;
    let restarted = World::over(Arc::clone(&world.engine), world.clock.clone()).await;
    restarted.kernel.idle().await;
    assert_eq!(restarted.texts("out").await, ["free"]);
    restarted.kernel.advance(Duration::from_secs(60)).await;
    assert_eq!(restarted.texts("out").await, ["free", "1", "2", "3"]);
}

#[tokio::test]
async fn a_panicking_handler_is_an_error_and_its_task_stays() {
    let world = World::new().await;
    let retry = RetryPolicy { retries_max: 1, ..RetryPolicy::internal() };
    world.enqueue(vec![NewTaskInput { retry, reply: true, ..NewTaskInput::new("Buggy", "x") }]).await;
    world.kernel.advance(Duration::from_secs(60)).await;
    assert_eq!(world.texts("answers").await, ["7 failed with InternalFailure"]);
}

#[tokio::test]
async fn a_crowded_lane_delays_no_other() {
    let world = World::new().await;
    let slow: Vec<_> = (0..300)
        .map(|i| NewTaskInput { lane: Some("slow"), ..NewTaskInput::new("Say", &i.to_string()) })
        .collect();
    world.enqueue(slow).await;
    world.enqueue(vec![NewTaskInput { lane: Some("fast"), ..NewTaskInput::new("Say", "fast") }]).await;
    world.kernel.idle().await;
    assert_eq!(world.lines("out").await.len(), 301);
    assert_eq!(world.engine.name(), "memory");
}

#[tokio::test]
async fn a_cancelled_task_does_not_run() {
    async fn once(tx: &mut Tx, (): ()) -> Result<kernel::TaskHandle> {
        let say = Say { list: "out".into(), text: "never".into() };
        tx.enqueue(tx.now() + Duration::from_secs(5), NewTask::new(Call::new("list", "Say", &say)?))
    }
    async fn cancel(tx: &mut Tx, handle: kernel::TaskHandle) -> Result<()> {
        tx.cancel(&handle);
        Ok(())
    }
    let world = World::new().await;
    let handle = world.kernel.transact("list", world.caller(), "Once", once, ()).await.unwrap();
    world.kernel.transact("list", world.caller(), "Cancel", cancel, handle).await.unwrap();
    world.kernel.advance(Duration::from_secs(60)).await;
    assert!(world.texts("out").await.is_empty());
}

#[tokio::test]
async fn tasks_that_run_together_fail_alone() {
    let world = World::new().await;
    let retry = RetryPolicy { retries_max: 1, ..RetryPolicy::internal() };
    let task = |i: u32| {
        let text = if i % 20 == 7 { format!("bad {i}") } else { i.to_string() };
        NewTaskInput {
            retry: retry.clone(),
            reply: true,
            lane: Some("l"),
            ..NewTaskInput::new("Picky", &text)
        }
    };
    world.enqueue((0..40).map(task).collect()).await;
    world.kernel.advance(Duration::from_secs(60)).await;
    let said = world.texts("out").await;
    assert_eq!(said.len(), 38, "nothing of what fails is written, and nothing else is lost: {said:?}");
    assert!(said.iter().all(|text| !text.starts_with("bad")));
    let answers = world.texts("answers").await;
    assert_eq!(answers.iter().filter(|text| text.contains(" got ")).count(), 38);
    assert_eq!(answers.iter().filter(|text| *text == "7 failed with ServiceException").count(), 2);
}

#[tokio::test]
async fn every_task_of_a_batch_has_its_own_place_on_the_trace() {
    let world = World::new().await;
    let (caller, house) = (world.caller(), world.kernel.house_caller());
    let tasks: Vec<_> = (0..10).map(|i| NewTaskInput::new("Say", &i.to_string())).collect();
    world.kernel.transact("list", caller.clone(), "Enqueue", enqueue, tasks).await.unwrap();
    world.kernel.idle().await;
    let root = caller.trace.root.to_string();
    let spans = world.kernel.transact("kernel", house, "Find", chains, root).await.unwrap();
    let attempts: Vec<_> = spans.iter().filter_map(|span| span.attempt.as_ref()).collect();
    assert_eq!(attempts.len(), 10);
    let tasks: std::collections::BTreeSet<_> = attempts.iter().map(|attempt| attempt.task).collect();
    let ids: std::collections::BTreeSet<_> = spans.iter().map(|span| span.id).collect();
    assert_eq!((tasks.len(), ids.len()), (10, spans.len()));
    let root = spans.iter().find(|span| span.attempt.is_none()).unwrap();
    assert!(spans.iter().filter(|span| span.attempt.is_some()).all(|span| span.parent == root.id));
}

async fn chains(tx: &mut Tx, root: String) -> Result<Vec<kernel::trace::Span>> {
    let chains = kernel::trace::find(tx, &root).await?;
    Ok(chains.into_iter().flat_map(|chain| chain.spans).collect())
}

#[tokio::test]
async fn a_task_cancelled_by_one_that_runs_with_it_does_not_run() {
    async fn two_orders(tx: &mut Tx, (): ()) -> Result<()> {
        let task = |text: &str, order: &str, cancels| {
            let say = Say { list: "out".into(), text: text.into() };
            let call = Call::new("list", "SayAndCancel", &SayAndCancel { say, cancels })?;
            Ok::<_, Error>(NewTask { order: Some(order.to_owned()), ..NewTask::new(call) })
        };
        // The firsts of both orders run together, and then their seconds, the killer's order first.
        tx.enqueue(tx.now(), task("first of the killer", "k", None)?)?;
        tx.enqueue(tx.now(), task("first of the victim", "v", None)?)?;
        let victim = tx.enqueue(tx.now(), task("victim", "v", None)?)?;
        tx.enqueue(tx.now(), task("killer", "k", Some(victim))?)?;
        Ok(())
    }
    let world = World::new().await;
    world.kernel.transact("list", world.caller(), "TwoOrders", two_orders, ()).await.unwrap();
    world.kernel.idle().await;
    assert_eq!(world.texts("out").await, ["first of the killer", "first of the victim", "killer"]);
}

#[tokio::test]
async fn work_of_many_parts_is_no_loop() {
    let world = World::new().await;
    world.kernel.transact("list", world.caller(), "Begin", pages, Pages { left: 1_000 }).await.unwrap();
    world.kernel.idle().await;
    assert_eq!(world.texts("out").await, ["the last page"]);
}

#[tokio::test]
async fn a_task_cancelled_by_the_one_before_it_in_its_order_does_not_run() {
    async fn both(tx: &mut Tx, operation: &'static str) -> Result<()> {
        let task = |operation: &str, text: &str| {
            let say = Say { list: "out".into(), text: text.into() };
            let call = Call::new("list", operation, &say)?;
            Ok::<_, Error>(NewTask { order: Some("o".into()), ..NewTask::new(call) })
        };
        tx.enqueue(tx.now(), task("CancelVictim", "first")?)?;
        let victim = tx.enqueue(tx.now(), task(operation, "victim")?)?;
        tx.put(&VictimKey {}, &Victim(victim))
    }
    for operation in ["Say", "Flaky"] {
        let world = World::new().await;
        world.kernel.transact("list", world.caller(), "Both", both, operation).await.unwrap();
        world.kernel.advance(Duration::from_secs(3_600)).await;
        assert_eq!(world.texts("out").await, ["first"], "{operation}");
    }
}
