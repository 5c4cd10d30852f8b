//! State machines and executions.

use http::StatusCode;
use serde_json::json;

use crate::world::{World, assert_order};

#[tokio::test]
async fn a_machine_shows_its_executions_newest_first() {
    let world = World::new().await;
    let machine = world.four().await;
    let page = world.read("state-machine", &[("arn", &machine)]).await;
    assert!(page.contains("Executions (4)"), "{page}");
    assert!(page.contains("1–4 of 4"), "{page}");
    assert_order(
        &page,
        &[
            "Name",
            "Status",
            "Started",
            "End time",
            "last",
            "SUCCEEDED",
            "2026-11-22 10:20:19.530Z",
            "stopped",
            "ABORTED",
            "failing",
            "FAILED",
            "first",
            "SUCCEEDED",
            "2026-11-22 10:20:19.500Z",
        ],
    );
    let list = world.read("state-machines", &[]).await;
    assert!(list.contains("State machines (1)") && list.contains("dev-meetup-deposit STANDARD"), "{list}");
}

#[tokio::test]
async fn executions_are_searched_filtered_and_sorted() {
    let world = World::new().await;
    let machine = world.four().await;
    let check = async |parameters: &[(&str, &str)], parts: &[&str]| {
        let page = world.read("state-machine", &[&[("arn", machine.as_str())], parameters].concat()).await;
        assert_order(&page, parts);
    };
    check(&[("status", "SUCCEEDED")], &["Executions (2)", "last SUCCEEDED", "first SUCCEEDED"]).await;
    check(&[("status", "ABORTED")], &["Executions (1)", "stopped ABORTED"]).await;
    check(&[("status", "TIMED_OUT")], &["Executions (0)", "No execution matches."]).await;
    check(&[("name", "FAIL")], &["Executions (1)", "failing FAILED"]).await;
    check(&[("name", "st"), ("status", "SUCCEEDED")], &["Executions (2)"]).await;
    check(&[("sort", "name")], &["failing FAILED", "first SUCCEEDED", "last SUCCEEDED", "stopped ABORTED"])
        .await;
    check(
        &[("sort", "started"), ("order", "up")],
        &["first SUCC", "failing FAILED", "stopped AB", "last SUCC"],
    )
    .await;
}

#[tokio::test]
async fn executions_are_shown_a_page_at_a_time() {
    let world = World::new().await;
    let machine = world.machine("busy").await;
    for number in 1..=30 {
        world.execute(&machine, &format!("run-{number:02}"), json!({})).await;
    }
    let first = world.read("state-machine", &[("arn", &machine)]).await;
    assert_order(&first, &["Executions (30)", "1–25 of 30", "run-30", "run-06"]);
    assert!(!first.contains("run-05"), "{first}");
    let second = world.read("state-machine", &[("arn", &machine), ("page", "2")]).await;
    assert_order(&second, &["26–30 of 30", "run-05", "run-01"]);
}

#[tokio::test]
async fn executions_are_started_and_stopped_by_the_pages_own_forms_only() {
    let world = World::new().await;
    let machine = world.machine("dev-meetup-deposit").await;
    let form = [("arn", machine.as_str()), ("name", "mine"), ("input", r#"{"wait": 60}"#)];
    let (status, ..) = world.post("execution/start", "http://evil.example", &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, location, _) = world.post("execution/start", "http://127.0.0.1:4566", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.ends_with("mine"), "{location}");
    let arn = machine.replace(":stateMachine:", ":execution:") + ":mine";
    let page = world.read("execution", &[("arn", &arn)]).await;
    assert_order(&page, &["Stop execution", "RUNNING"]);
    let page = world.read("execution", &[("arn", &arn), ("tab", "io")]).await;
    assert!(page.contains("It is still running."), "{page}");

    let stop = [("arn", arn.as_str()), ("machine", machine.as_str()), ("error", "Teller")];
    let (status, ..) = world.post("execution/stop", "null", &stop).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, location, _) = world.post("execution/stop", "http://127.0.0.1:4566", &stop).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.contains("/state-machine?"), "{location}");
    let page = world.read("state-machine", &[("arn", &machine)]).await;
    assert_order(&page, &["Executions (1)", "mine ABORTED"]);
}

#[tokio::test]
async fn faults_are_shown_in_the_services_words() {
    let world = World::new().await;
    let machine = world.machine("dev-meetup-deposit").await;
    let form = [("arn", machine.as_str()), ("input", "{no json")];
    let (status, _, page) = world.post("execution/start", "http://127.0.0.1:4566", &form).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("InvalidExecutionInput"), "{page}");
    let (status, page) = world.source("state-machine", &[("arn", &format!("{machine}-gone"))]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("StateMachineDoesNotExist"), "{page}");
    let (status, page) = world.source("nowhere", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("the console has no page `nowhere`"), "{page}");
    // Lambda is not part of this server: its list says so, and the overview does without it.
    let (status, page) = world.source("functions", &[]).await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    assert!(page.contains("lambda:ListFunctions is not implemented"), "{page}");
    assert_order(&world.read("", &[]).await, &["Latest events", "State machines 1", "Functions –"]);
}
