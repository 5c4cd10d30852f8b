//! Executions: started once, described, listed, stopped, and taken up again after a restart.

use serde_json::{Value, json};

use crate::world::{World, function, machine_arn};

fn pass() -> Value {
    json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } })
}

fn wait(seconds: u32) -> Value {
    json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": seconds, "End": true } } })
}

/// The deposit service of the reference system.
fn deposit() -> Value {
    json!({ "StartAt": "Deposit to trading account", "States": {
        "Deposit to trading account": {
            "Type": "Task", "Resource": function("deposit"), "Next": "Notify support",
            "Retry": [{ "ErrorEquals": ["Lambda.ClientExecutionTimeoutException", "Lambda.ServiceException",
                "Lambda.AWSLambdaException", "Lambda.SdkClientException"],
                "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2 }] },
        "Notify support": { "Type": "Pass", "ResultPath": null, "End": true } } })
}

#[tokio::test]
async fn the_deposit_of_the_reference_system() {
    let world = World::new().await;
    let input = r#"{"amount": 50, "accountNumber": "179", "clientId": "90876"}"#;
    let arn = world.run(&deposit(), input).await;
    let described = world.describe(&arn).await;
    assert_eq!(
        described,
        json!({
            "executionArn": arn, "stateMachineArn": machine_arn("m"), "name": "e", "status": "SUCCEEDED",
            "startDate": 1_767_225_600, "stopDate": 1_767_225_600,
            "input": input, "inputDetails": { "included": true },
            "output": r#"{"amount":50,"accountNumber":"179","clientId":"90876","ticketNumber":"t-1"}"#,
            "outputDetails": { "included": true },
            "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        })
    );
    let state = r#"{\"amount\":50,\"accountNumber\":\"179\",\"clientId\":\"90876\"}"#;
    let paid = r#"{\"amount\":50,\"accountNumber\":\"179\",\"clientId\":\"90876\",\"ticketNumber\":\"t-1\"}"#;
    let given = input.replace('"', "\\\"");
    let resource = function("deposit");
    assert_eq!(
        world.lines(&arn).await,
        [
            format!(r#"1<0 +0s ExecutionStarted {{"input":"{given}"}}"#),
            format!(r#"2<0 +0s TaskStateEntered {{"name":"Deposit to trading account","input":"{state}"}}"#),
            format!(r#"3<2 +0s LambdaFunctionScheduled {{"resource":"{resource}","input":"{state}"}}"#),
            "4<3 +0s LambdaFunctionStarted".to_owned(),
            format!(r#"5<4 +0s LambdaFunctionSucceeded {{"output":"{paid}"}}"#),
            format!(r#"6<5 +0s TaskStateExited {{"name":"Deposit to trading account","output":"{paid}"}}"#),
            format!(r#"7<6 +0s PassStateEntered {{"name":"Notify support","input":"{paid}"}}"#),
            format!(r#"8<7 +0s PassStateExited {{"name":"Notify support","output":"{paid}"}}"#),
            format!(r#"9<8 +0s ExecutionSucceeded {{"output":"{paid}"}}"#),
        ]
    );
}

#[tokio::test]
async fn the_same_start_again_answers_the_same_while_it_runs() {
    let world = World::new().await;
    let arn = world.create("m", &wait(10)).await;
    let input = json!({ "stateMachineArn": arn, "name": "e", "input": "{ \"a\": 1 }" });
    let first = world.ok("StartExecution", input.clone()).await;
    world.advance(5).await;
    assert_eq!(world.ok("StartExecution", input.clone()).await, first);
    let execution = first["executionArn"].as_str().unwrap();
    let exists = format!("ExecutionAlreadyExists: Execution Already Exists: '{execution}'");
    // Text counts, not meaning.
    let other = json!({ "stateMachineArn": arn, "name": "e", "input": "{\"a\":1}" });
    assert_eq!(world.refused("StartExecution", other).await, exists);
    world.advance(5).await;
    assert_eq!(world.end(execution).await, r#"SUCCEEDED {"a":1}"#);
    assert_eq!(world.refused("StartExecution", input).await, exists);
    assert_eq!(world.statuses().await.len(), 2);
}

#[tokio::test]
async fn starts_that_are_refused() {
    let world = World::new().await;
    let arn = world.create("m", &pass()).await;
    let nobody = machine_arn("nobody");
    let large = format!("\"{}\"", "ä".repeat(140_000));
    let cases = [
        (
            json!({ "stateMachineArn": nobody }),
            format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{nobody}'"),
        ),
        (json!({ "stateMachineArn": arn, "name": "a/b" }), "InvalidName: Invalid Name: 'a/b'".to_owned()),
        (
            json!({ "stateMachineArn": arn, "input": "{" }),
            "InvalidExecutionInput: Invalid State Machine Execution Input: 'EOF while parsing".to_owned(),
        ),
        (
            json!({ "stateMachineArn": arn, "input": large }),
            "ValidationException: 1 validation error detected: Value at 'input' failed".to_owned(),
        ),
        (json!({ "stateMachineArn": "m" }), "InvalidArn: Invalid Arn: 'Invalid ARN prefix: m'".to_owned()),
    ];
    for (input, expected) in cases {
        let refused = world.refused("StartExecution", input).await;
        assert!(refused.starts_with(&expected), "{refused}");
    }
    let unnamed = world.ok("StartExecution", json!({ "stateMachineArn": arn })).await;
    let described = world.describe(unnamed["executionArn"].as_str().unwrap()).await;
    assert_eq!((&described["input"], described["name"].as_str().unwrap().len()), (&json!("{}"), 36));
}

#[tokio::test]
async fn the_largest_input_comes_through_byte_for_byte() {
    let world = World::new().await;
    world.create("m", &pass()).await;
    let input = format!("[\"{}\" ]", "x".repeat(262_144 - 5));
    assert_eq!(input.len(), 262_144);
    let arn = world.start("m", "e", &input).await;
    assert_eq!(world.describe(&arn).await["input"], input);
    assert_eq!(world.history(&arn).await[0]["executionStartedEventDetails"]["input"], input);
    assert_eq!(world.types(&arn).await.len(), 4);
}

#[tokio::test]
async fn executions_are_listed_newest_first_two_by_two() {
    let world = World::new().await;
    let choice = json!({ "StartAt": "C", "States": {
        "C": { "Type": "Choice", "Choices": [{ "Variable": "$.wait", "IsPresent": true, "Next": "W" },
            { "Variable": "$.fail", "IsPresent": true, "Next": "F" }], "Default": "S" },
        "W": { "Type": "Wait", "Seconds": 1000, "Next": "S" },
        "F": { "Type": "Fail", "Error": "E", "Cause": "C" },
        "S": { "Type": "Succeed" } } });
    let arn = world.create("m", &choice).await;
    let inputs = [r#"{"wait":1}"#, "{}", r#"{"fail":1}"#, r#"{"wait":1}"#, "{}", r#"{"wait":1}"#];
    for (input, i) in inputs.iter().zip(0..) {
        world.start("m", &format!("e{i}"), input).await;
        if i % 2 == 1 {
            world.advance(1).await;
        }
    }
    let stop = json!({ "executionArn": arn.replace("stateMachine", "execution") + ":e5" });
    world.ok("StopExecution", stop).await;
    let list = async |filter: Option<&str>| {
        let mut names = Vec::new();
        let mut input = json!({ "stateMachineArn": arn, "maxResults": 2 });
        if let Some(filter) = filter {
            input["statusFilter"] = json!(filter);
        }
        loop {
            let page = world.ok("ListExecutions", input.clone()).await;
            let shown = page["executions"].as_array().unwrap();
            assert!(shown.len() <= 2);
            names.extend(shown.iter().map(|e| {
                assert_eq!(e.get("stopDate").is_none(), e["status"] == "RUNNING");
                format!("{} {}", e["name"].as_str().unwrap(), e["status"].as_str().unwrap())
            }));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return names,
            }
        }
    };
    assert_eq!(
        list(None).await,
        ["e5 ABORTED", "e4 SUCCEEDED", "e3 RUNNING", "e2 FAILED", "e1 SUCCEEDED", "e0 RUNNING"]
    );
    assert_eq!(list(Some("RUNNING")).await, ["e3 RUNNING", "e0 RUNNING"]);
    assert_eq!(list(Some("SUCCEEDED")).await, ["e4 SUCCEEDED", "e1 SUCCEEDED"]);
    assert_eq!(list(Some("FAILED")).await, ["e2 FAILED"]);
    assert_eq!(list(Some("ABORTED")).await, ["e5 ABORTED"]);
    let page = world.ok("ListExecutions", json!({ "stateMachineArn": arn, "maxResults": 2 })).await;
    let elsewhere =
        json!({ "stateMachineArn": arn, "statusFilter": "RUNNING", "nextToken": page["nextToken"] });
    let refused = world.refused("ListExecutions", elsewhere).await;
    assert!(refused.starts_with("InvalidToken: "), "a token is of one list: {refused}");
    assert_eq!(list(Some("TIMED_OUT")).await, [""; 0]);
    assert_eq!(list(Some("PENDING_REDRIVE")).await, [""; 0]);
}

#[tokio::test]
async fn history_in_pages_from_either_end() {
    let world = World::new().await;
    // Every wait ends a chunk.
    let mut states = json!({ "P9": { "Type": "Pass", "End": true } });
    for i in 0..9 {
        states[format!("P{i}")] = json!({ "Type": "Wait", "Seconds": 1, "Next": format!("P{}", i + 1) });
    }
    let arn = world.run(&json!({ "StartAt": "P0", "States": states }), "{}").await;
    world.advance(20).await;
    let all = world.history(&arn).await;
    assert_eq!(all.len(), 22);
    for reverse in [false, true] {
        for size in [1, 2, 3, 7, 21, 22, 23] {
            let mut seen = Vec::new();
            let mut input = json!({ "executionArn": arn, "maxResults": size, "reverseOrder": reverse });
            loop {
                let page = world.ok("GetExecutionHistory", input.clone()).await;
                seen.extend(page["events"].as_array().unwrap().clone());
                match page.get("nextToken") {
                    Some(token) => input["nextToken"] = token.clone(),
                    None => break,
                }
            }
            if reverse {
                seen.reverse();
            }
            assert_eq!(seen, all, "{size} {reverse}");
        }
    }
    let bare = json!({ "executionArn": arn, "includeExecutionData": false });
    let bare = world.ok("GetExecutionHistory", bare).await;
    assert_eq!(bare["events"][1]["stateEnteredEventDetails"], json!({ "name": "P0" }));
}

#[tokio::test]
async fn pages_of_large_events_end_early() {
    let world = World::new().await;
    let mut states = json!({ "P15": { "Type": "Pass", "End": true } });
    for i in 0..15 {
        states[format!("P{i}")] = json!({ "Type": "Pass", "Next": format!("P{}", i + 1) });
    }
    let input = json!("x".repeat(250_000)).to_string();
    let arn = world.run(&json!({ "StartAt": "P0", "States": states }), &input).await;
    for reverse in [false, true] {
        let mut input = json!({ "executionArn": arn, "maxResults": 1000, "reverseOrder": reverse });
        let (mut ids, mut pages) = (Vec::new(), 0);
        loop {
            let page = world.ok("GetExecutionHistory", input.clone()).await;
            pages += 1;
            ids.extend(page["events"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => break,
            }
        }
        let mut expected: Vec<i64> = (1..=34).collect();
        if reverse {
            expected.reverse();
        }
        assert_eq!(ids, expected);
        assert!((2..5).contains(&pages), "{pages}");
    }
}

#[tokio::test]
async fn a_stopped_execution_is_aborted_once() {
    let world = World::new().await;
    let arn = world.run(&wait(10), "{}").await;
    world.advance(1).await;
    let stop = json!({ "executionArn": arn, "error": "Stopped", "cause": "by hand" });
    assert_eq!(world.ok("StopExecution", stop.clone()).await, json!({ "stopDate": 1_767_225_601 }));
    world.advance(20).await;
    assert_eq!(world.end(&arn).await, "ABORTED Stopped by hand");
    assert_eq!(world.ok("StopExecution", stop).await, json!({ "stopDate": 1_767_225_601 }));
    assert_eq!(
        world.lines(&arn).await,
        [
            r#"1<0 +0s ExecutionStarted {"input":"{}"}"#,
            r#"2<0 +0s WaitStateEntered {"name":"W","input":"{}"}"#,
            r#"3<0 +1s ExecutionAborted {"error":"Stopped","cause":"by hand"}"#,
        ]
    );
    let nobody = arn.replace(":m:e", ":m:nobody");
    assert_eq!(
        world.refused("StopExecution", json!({ "executionArn": nobody })).await,
        format!("ExecutionDoesNotExist: Execution Does Not Exist: '{nobody}'")
    );
}

#[tokio::test]
async fn a_wait_survives_a_restart() {
    let mut world = World::new().await;
    let arn = world.run(&wait(10), r#"{"a":[1,2]}"#).await;
    world.advance(4).await;
    world.restart().await;
    world.advance(5).await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    world.restart().await;
    world.advance(1).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"a":[1,2]}"#);
    assert_eq!(
        world.lines(&arn).await[2..],
        [
            r#"3<2 +10s WaitStateExited {"name":"W","output":"{\"a\":[1,2]}"}"#,
            r#"4<3 +10s ExecutionSucceeded {"output":"{\"a\":[1,2]}"}"#,
        ]
    );
}

#[tokio::test]
async fn two_hundred_executions_and_none_is_lost() {
    let world = World::new().await;
    let arn = world.create("m", &deposit()).await;
    let starts = (0..200).map(|i| {
        let input = json!({ "stateMachineArn": arn, "name": format!("e{i}"),
            "input": json!({ "clientId": i }).to_string() });
        world.call("states", "StartExecution", input)
    });
    for started in futures::future::join_all(starts).await {
        started.unwrap();
    }
    world.kernel.idle().await;
    let listed = world.ok("ListExecutions", json!({ "stateMachineArn": arn, "maxResults": 1000 })).await;
    let listed = listed["executions"].as_array().unwrap();
    assert_eq!(listed.len(), 200);
    assert!(listed.iter().all(|execution| execution["status"] == "SUCCEEDED"));
    let statuses = world.statuses().await;
    assert_eq!(statuses.len(), 400);
    // The two events of an execution come in order.
    for i in 0..200 {
        let mine: Vec<&Value> = statuses
            .iter()
            .filter(|detail| detail["name"] == format!("e{i}"))
            .map(|detail| &detail["status"])
            .collect();
        assert_eq!(mine, ["RUNNING", "SUCCEEDED"]);
    }
}

#[tokio::test]
async fn more_transitions_than_hops_end_no_execution() {
    let world = World::new().await;
    let counting = json!({ "StartAt": "W", "States": {
        "W": { "Type": "Wait", "Seconds": 1, "Next": "Count" },
        "Count": { "Type": "Pass", "Parameters": { "n.$": "States.MathAdd($.n, 1)" }, "Next": "Done?" },
        "Done?": { "Type": "Choice", "Choices": [{ "Variable": "$.n", "NumericLessThan": 400, "Next": "W" }],
            "Default": "End" },
        "End": { "Type": "Succeed" } } });
    let arn = world.run(&counting, r#"{"n":0}"#).await;
    world.advance(400).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"n":400}"#);
}

#[tokio::test]
async fn many_transitions_without_a_wait_are_several_commits() {
    let world = World::new().await;
    let counting = json!({ "StartAt": "Count", "States": {
        "Count": { "Type": "Pass", "Parameters": { "n.$": "States.MathAdd($.n, 1)" }, "Next": "Done?" },
        "Done?": { "Type": "Choice", "Choices": [{ "Variable": "$.n", "NumericLessThan": 300, "Next": "Count" }],
            "Default": "End" },
        "End": { "Type": "Succeed" } } });
    let arn = world.run(&counting, r#"{"n":0}"#).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"n":300}"#);
    let history = world.history(&arn).await;
    assert_eq!(history.len(), 1 + 4 * 300 + 2 + 1);
    assert!(history.iter().zip(1..).all(|(event, id)| event["id"] == id));
}

#[tokio::test]
async fn a_machine_that_never_ends_fails_with_its_history_full() {
    let world = World::new().await;
    let forever = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Choice", "Choices": [{ "Variable": "$.no", "IsPresent": true, "Next": "End" }],
            "Default": "A" },
        "End": { "Type": "Succeed" } } });
    let arn = world.run(&forever, "{}").await;
    let end = world.end(&arn).await;
    assert!(
        end.starts_with("FAILED States.Runtime The execution reached the maximum number of history"),
        "{end}"
    );
    assert_eq!(world.history(&arn).await.len(), 25_000);
}
