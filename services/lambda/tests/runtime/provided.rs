//! The supervisor with a custom runtime: process life, pools, limits, failures.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{House, answer, failure, function, invocation, provided};
use serde_json::json;

#[tokio::test]
async fn an_invocation_is_answered_logged_and_the_process_kept() {
    let house = House::new();
    let spec = Arc::new(provided());
    let first = house.invoke(&spec, json!({ "print": "hello" })).await;
    assert_eq!((answer(&first), first.function_error), (json!({ "print": "hello" }), None));
    assert!(first.init_ms.is_some());
    assert!(first.log_stream.contains("/[$LATEST]"), "{}", first.log_stream);
    let second = house.invoke(&spec, json!([1])).await;
    assert_eq!((answer(&second), second.init_ms), (json!([1]), None));
    assert_eq!(house.supervisor.processes(), 1);
    let kinds: Vec<String> =
        house.log.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["INIT_START", "START", "hello", "END", "REPORT", "START", "END", "REPORT"]);
    let tail: Vec<&str> = second.log_tail.lines().collect();
    assert_eq!(tail[0], "START RequestId: r1 Version: $LATEST");
    assert_eq!(tail.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_at_once_have_a_process_each() {
    let house = House::new();
    let spec = Arc::new(provided());
    let calls = (0..8).map(|n| {
        let (supervisor, spec) = (house.supervisor.clone(), spec.clone());
        async move { supervisor.invoke(&spec, invocation(json!(n))).await.unwrap() }
    });
    let mut set = tokio::task::JoinSet::new();
    calls.for_each(|call| {
        set.spawn(call);
    });
    let mut answers: Vec<_> = set.join_all().await.iter().map(|a| answer(a).as_i64().unwrap()).collect();
    answers.sort_unstable();
    assert_eq!(answers, (0..8).collect::<Vec<_>>());
    assert!((1..=8).contains(&house.supervisor.processes()));
}

#[tokio::test]
async fn a_new_revision_has_new_processes() {
    let house = House::new();
    let old = Arc::new(provided());
    house.invoke(&old, json!(1)).await;
    let mut new = provided();
    new.revision = "2".to_owned();
    let new = Arc::new(new);
    assert!(house.invoke(&new, json!(2)).await.init_ms.is_some());
    assert_eq!(house.supervisor.idle(), 1);
    house.supervisor.forget(&new.arn);
    assert_eq!(house.supervisor.idle(), 0);
}

#[tokio::test]
async fn what_the_code_reports_is_passed_on() {
    let house = House::new();
    let spec = Arc::new(provided());
    let error = house.invoke(&spec, json!({ "error": "no" })).await;
    assert_eq!(failure(&error), json!({ "errorType": "Told", "errorMessage": "no" }));
    assert_eq!(house.supervisor.idle(), 1);
}

#[tokio::test]
async fn a_process_that_ends_is_an_exit_error_and_another_follows() {
    let house = House::new();
    let spec = Arc::new(provided());
    let gone = house.invoke(&spec, json!({ "exit": 3 })).await;
    let message = "RequestId: r1 Error: Runtime exited with error: exit status 3";
    assert_eq!(failure(&gone), json!({ "errorType": "Runtime.ExitError", "errorMessage": message }));
    assert!(gone.log_tail.contains("Status: error\tError Type: Runtime.ExitError"), "{}", gone.log_tail);
    let gone = house.invoke(&spec, json!({ "exit": 0 })).await;
    let message = "RequestId: r1 Error: Runtime exited without providing a reason";
    assert_eq!(failure(&gone), json!({ "errorType": "Runtime.ExitError", "errorMessage": message }));
    assert_eq!(answer(&house.invoke(&spec, json!(1)).await), json!(1));
}

#[tokio::test]
async fn a_hanging_process_is_ended_at_the_timeout() {
    let house = House::new();
    let mut spec = provided();
    spec.timeout = Duration::from_millis(200);
    let spec = Arc::new(spec);
    let late = house.invoke(&spec, json!({ "hang": true })).await;
    let message = "RequestId: r1 Error: Task timed out after 0.20 seconds";
    assert_eq!(failure(&late), json!({ "errorType": "Sandbox.Timedout", "errorMessage": message }));
    assert!(late.log_tail.contains(" r1 Task timed out after 0.20 seconds"), "{}", late.log_tail);
    assert!(late.log_tail.ends_with("Status: timeout\t\n"), "{}", late.log_tail);
    assert_eq!(house.supervisor.processes(), 0);
}

#[tokio::test]
async fn a_process_that_asks_for_no_more_work_is_replaced() {
    let house = House::with(|config| config.take_limit = Duration::from_millis(50));
    let spec = Arc::new(provided());
    house.invoke(&spec, json!({ "stall": true })).await;
    let next = house.invoke(&spec, json!(1)).await;
    assert_eq!((answer(&next), next.function_error), (json!(1), None));
    assert!(next.init_ms.is_some());
}

#[tokio::test]
async fn failures_at_the_start_are_told() {
    let house = House::new();
    let mut spec = provided();
    spec.environment.insert("FAIL_INIT".to_owned(), "1".to_owned());
    let failed = house.invoke(&Arc::new(spec), json!(1)).await;
    assert_eq!(failure(&failed), json!({ "errorType": "Init.Failed", "errorMessage": "told to fail" }));

    let empty = function("provided.al2", "any", &[("readme", b"")]);
    let failed = house.invoke(&Arc::new(empty), json!(1)).await;
    let message =
        "RequestId: r1 Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    assert_eq!(
        failure(&failed),
        json!({ "errorType": "Runtime.InvalidEntrypoint", "errorMessage": message })
    );

    let unknown = Arc::new(function("java21", "any", &[]));
    let error = house.try_invoke(&unknown, json!(1)).await.unwrap_err();
    assert!(error.to_string().starts_with("the runtime java21 is not served"), "{error}");
}

#[tokio::test]
async fn a_stream_is_joined_and_a_broken_one_is_an_error() {
    let house = House::new();
    let spec = Arc::new(provided());
    let streamed = house.invoke(&spec, json!({ "stream": "hello" })).await;
    assert_eq!((&streamed.payload[..], streamed.streamed), (&b"hello"[..], true));
    assert_eq!(streamed.content_type.as_deref(), Some("text/plain"));
    let broken = house.invoke(&spec, json!({ "break": "hel" })).await;
    assert_eq!(failure(&broken), json!({ "errorType": "Broken" }));
}

#[tokio::test]
async fn an_answer_over_six_megabytes_is_refused() {
    let house = House::new();
    let spec = Arc::new(provided());
    let event = json!("x".repeat(6 * 1024 * 1024 + 99));
    let large = house.invoke(&spec, event).await;
    let message =
        "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).";
    let expected = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message });
    assert_eq!(failure(&large), expected);
}

#[tokio::test]
async fn idle_processes_are_let_go() {
    let house = House::with(|config| config.idle_limit = Duration::from_millis(40));
    let spec = Arc::new(provided());
    house.invoke(&spec, json!(1)).await;
    while house.supervisor.idle() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(house.invoke(&spec, json!(1)).await.init_ms.is_some());
}

#[tokio::test]
async fn one_slot_serves_two_functions_in_turn() {
    let house = House::with(|config| config.processes_max = 1);
    let one = Arc::new(provided());
    let mut other = provided();
    other.arn.push_str("-other");
    let other = Arc::new(other);
    for spec in [&one, &other, &one] {
        assert_eq!(answer(&house.invoke(spec, json!(1)).await), json!(1));
    }
    assert_eq!(house.supervisor.processes(), 1);
}

#[tokio::test]
async fn a_damaged_package_is_named() {
    let house = House::new();
    let mut spec = provided();
    let archive = lambda::runtime::Archive::inline(bytes::Bytes::from_static(b"no zip"));
    spec.code = lambda::runtime::Code::Zip(archive);
    let error = house.try_invoke(&Arc::new(spec), json!(1)).await.unwrap_err();
    assert!(error.to_string().contains("Could not unzip uploaded file"), "{error}");
}
