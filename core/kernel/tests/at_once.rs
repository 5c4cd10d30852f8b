//! What is run in the commit that enqueues it happens exactly once, in order, and as the runner would have done it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{
    Call, Caller, Chance, Clock, Effect, Kernel, NewTask, Outcome, Parts, Reply, ReplyInput, Result,
    RetryPolicy, Service, TraceCx, Tx, keys,
};
use serde::{Deserialize, Serialize};
use store::Location;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Text(String);
store::stored!(Text, format = 1);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Count(u64);
store::stored!(Count, format = 1);

keys! {
    /// What was said, as it was said.
    struct TextKey(1) -> Text { number: u64 }
    /// How much was said: a row that everybody wants.
    struct CountKey(2) -> Count {}
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    operation: String,
    texts: Vec<String>,
    order: Option<String>,
    replies: bool,
}

fn asked(operation: &str, texts: &[&str]) -> Asked {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    Asked { operation: operation.to_owned(), texts, order: None, replies: false }
}

async fn ask(tx: &mut Tx, asked: Asked) -> Result<()> {
    for text in asked.texts {
        let task = NewTask {
            retry: RetryPolicy::event_bridge(),
            order: asked.order.clone(),
            reply: asked.replies.then(|| Reply {
                service: "list".into(),
                operation: "Answer".into(),
                context: "7".into(),
            }),
            at_once: true,
            ..NewTask::new(Call::new("list", &asked.operation, &text)?)
        };
        tx.enqueue(tx.now(), task)?;
    }
    Ok(())
}

async fn say(tx: &mut Tx, text: String) -> Result<()> {
    let Count(number) = tx.get(&CountKey {}).await?.unwrap_or_default();
    tx.put(&TextKey { number }, &Text(text))?;
    tx.put(&CountKey {}, &Count(number + 1))
}

/// Says it and has it said again, one shorter, as long as there is something to say.
async fn echo(tx: &mut Tx, text: String) -> Result<()> {
    let shorter = text.get(1..).filter(|shorter| !shorter.is_empty()).map(str::to_owned);
    say(tx, text).await?;
    match shorter {
        Some(shorter) => ask(tx, asked("Echo", &[&shorter])).await,
        None => Ok(()),
    }
}

async fn picky(tx: &mut Tx, text: String) -> Result<()> {
    let bad = text == "bad";
    say(tx, text).await?;
    if bad { Err(Fault::new("AccessDeniedException", "bad").into()) } else { Ok(()) }
}

async fn buggy(_: &mut Tx, _: String) -> Result<()> {
    panic!("a handler's bug")
}

async fn outside(effect: &Effect, text: String) -> Result<()> {
    effect.transact("Say", say, text).await
}

async fn answer(tx: &mut Tx, input: ReplyInput<u32>) -> Result<()> {
    let text = match input.outcome {
        Outcome::Succeeded(_) => "answered".to_owned(),
        Outcome::Failed(fault) => format!("failed with {}", fault.code),
    };
    say(tx, format!("{} {text}", input.context)).await
}

async fn kernel() -> Kernel {
    let engine = store::open(&Location::Memory).unwrap();
    let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
    let service = Service::internal_only("list")
        .internal("Say", say)
        .internal("Echo", echo)
        .internal("Picky", picky)
        .internal("Buggy", buggy)
        .internal_effect("Outside", outside)
        .internal("Answer", answer);
    let kernel = Kernel::new(engine, clock, Chance::seeded(1), vec![service]);
    kernel.start().await.unwrap();
    kernel
}

fn caller(root: Uuid) -> Caller {
    let caller = Caller::root_user(AccountId::default(), Region::parse("eu-central-1").unwrap(), root);
    Caller { trace: TraceCx::root(root), ..caller }
}

async fn request(kernel: &Kernel, asked: Asked) -> Uuid {
    let root = kernel.new_id();
    kernel.transact("list", caller(root), "Ask", ask, asked).await.unwrap();
    root
}

async fn said(kernel: &Kernel) -> Vec<String> {
    async fn read(tx: &mut Tx, (): ()) -> Result<Vec<String>> {
        let rows = tx.scan::<TextKey>(Parts::none(), 1_000).await?;
        Ok(rows.into_iter().map(|(_, Text(text))| text).collect())
    }
    kernel.transact("list", caller(kernel.new_id()), "Read", read, ()).await.unwrap()
}

#[tokio::test]
async fn it_is_done_when_the_request_is_answered_and_once() {
    let kernel = kernel().await;
    request(&kernel, asked("Say", &["one", "two"])).await;
    assert_eq!(said(&kernel).await, ["one", "two"], "nobody waited for the runner");
    kernel.advance(Duration::from_secs(60)).await;
    assert_eq!(said(&kernel).await, ["one", "two"]);
}

#[tokio::test]
async fn it_stands_on_the_trace_as_if_the_runner_had_done_it() {
    let kernel = kernel().await;
    let root = request(&kernel, asked("Echo", &["ab"])).await;
    async fn read(tx: &mut Tx, root: String) -> Result<Vec<kernel::trace::Span>> {
        Ok(kernel::trace::find(tx, &root).await?.into_iter().flat_map(|chain| chain.spans).collect())
    }
    let spans =
        kernel.transact("kernel", kernel.house_caller(), "Find", read, root.to_string()).await.unwrap();
    let mut spans: Vec<_> = spans.iter().collect();
    assert_eq!(spans.len(), 3);
    let mut above = 0;
    for expected in ["list:Ask", "list:Echo", "list:Echo"] {
        let place = spans.iter().position(|span| span.parent == above).unwrap();
        let span = spans.remove(place);
        assert_eq!(span.operation, expected);
        assert_eq!(span.attempt.is_some(), expected == "list:Echo");
        above = span.id;
    }
}

#[tokio::test]
async fn what_fails_is_the_runners_and_takes_nothing_with_it() {
    let kernel = kernel().await;
    request(&kernel, Asked { replies: true, ..asked("Picky", &["good", "bad", "better"]) }).await;
    kernel.advance(Duration::from_secs(60)).await;
    let mut all = said(&kernel).await;
    all.sort();
    assert_eq!(all, ["7 answered", "7 answered", "7 failed with AccessDeniedException", "better", "good"]);
}

#[tokio::test]
async fn a_panic_costs_the_request_nothing() {
    let kernel = kernel().await;
    let asked = Asked { replies: true, ..asked("Buggy", &["x"]) };
    request(&kernel, asked).await;
    assert!(said(&kernel).await.is_empty());
    kernel.advance(Duration::from_secs(2 * 86_400)).await;
    assert_eq!(said(&kernel).await, ["7 failed with InternalFailure"]);
}

#[tokio::test]
async fn what_calls_out_waits_for_the_commit() {
    let kernel = kernel().await;
    request(&kernel, asked("Outside", &["x"])).await;
    kernel.idle().await;
    assert_eq!(said(&kernel).await, ["x"]);
}

#[tokio::test]
async fn what_is_too_much_for_one_commit_follows_it_in_its_order() {
    let kernel = kernel().await;
    let texts: Vec<String> = (0..40).map(|n| format!("{n:02}")).collect();
    let asked = Asked { texts: texts.clone(), order: Some("o".into()), ..asked("Say", &[]) };
    request(&kernel, asked).await;
    let at_once = said(&kernel).await;
    assert_eq!(at_once, texts[..at_once.len()]);
    assert!((1..40).contains(&at_once.len()), "{}", at_once.len());
    kernel.idle().await;
    assert_eq!(said(&kernel).await, texts);
}

#[tokio::test]
async fn what_causes_itself_is_cut_into_commits() {
    let kernel = kernel().await;
    request(&kernel, asked("Echo", &["abcdefghijklmnopqrstuvwxyz"])).await;
    let at_once = said(&kernel).await.len();
    assert!((1..26).contains(&at_once), "{at_once}");
    kernel.idle().await;
    assert_eq!(said(&kernel).await.len(), 26);
}

#[tokio::test]
async fn requests_that_want_the_same_row_all_get_it() {
    let kernel = kernel().await;
    let requests = (0..50).map(|n| {
        let kernel = kernel.clone();
        async move { request(&kernel, asked("Say", &[&n.to_string()])).await }
    });
    futures::future::join_all(requests).await;
    kernel.advance(Duration::from_secs(60)).await;
    let mut all: Vec<u32> = said(&kernel).await.iter().map(|text| text.parse().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
}
