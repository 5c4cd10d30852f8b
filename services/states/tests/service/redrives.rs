//! RedriveExecution: what did not succeed runs again, what did does not.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>

use serde_json::{Value, json};

use crate::world::{START_MS, World, function, machine_arn, plain};

const DAY: u64 = 86_400;

/// A task that fails until its execution is redriven.
fn flaky(more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": function("fails-unless-redriven"),
        "Parameters": { "redrives.$": "$$.Execution.RedriveCount" } });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    state
}

fn one_task() -> Value {
    json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "Result": { "a": 1 }, "Next": "T" },
        "T": flaky(json!({ "ResultPath": "$.t", "End": true })) } })
}

async fn redrive(world: &World, arn: &str) -> Value {
    let answer = world.ok("RedriveExecution", json!({ "executionArn": arn })).await;
    world.kernel.idle().await;
    answer
}

/// The redrive's members of a description.
async fn shown(world: &World, arn: &str) -> String {
    let shown = world.describe(arn).await;
    let text = |name: &str| shown.get(name).map(|value| format!(" {value}")).unwrap_or_default();
    ["status", "redriveCount", "redriveDate", "redriveStatus", "redriveStatusReason"].map(text).concat()
}

#[tokio::test]
async fn a_failed_task_runs_again() {
    let world = World::new().await;
    let arn = world.run(&one_task(), r#"{"in": 1}"#).await;
    assert_eq!(shown(&world, &arn).await, r#" "FAILED" 0 "REDRIVABLE""#);
    world.advance(60).await;
    let answer = redrive(&world, &arn).await;
    let date = (START_MS + 60_000) as f64 / 1000.0;
    assert_eq!(answer["redriveDate"].as_f64(), Some(date));
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"a":1,"t":{"redrives":1}}"#);
    let lines = world.lines(&arn).await;
    let again = lines.iter().position(|line| line.contains("ExecutionRedriven")).unwrap();
    assert_eq!(
        lines[again - 2..]
            .iter()
            .map(|line| line.split(" {\"resource").next().unwrap().split(" {\"error").next().unwrap())
            .collect::<Vec<_>>(),
        [
            "7<6 +0s LambdaFunctionFailed",
            "8<7 +0s ExecutionFailed",
            "9<8 +60s ExecutionRedriven {\"redriveCount\":1}",
            "10<7 +60s LambdaFunctionScheduled",
            "11<10 +60s LambdaFunctionStarted",
            "12<11 +60s LambdaFunctionSucceeded {\"output\":\"{\\\"redrives\\\":1}\"}",
            "13<12 +60s TaskStateExited {\"name\":\"T\",\"output\":\"{\\\"a\\\":1,\\\"t\\\":{\\\"redrives\\\":1}}\"}",
            "14<13 +60s ExecutionSucceeded {\"output\":\"{\\\"a\\\":1,\\\"t\\\":{\\\"redrives\\\":1}}\"}",
        ]
    );
    let after = format!(
        r#" "SUCCEEDED" 1 {} "NOT_REDRIVABLE" "Execution is SUCCEEDED and cannot be redriven""#,
        world.describe(&arn).await["redriveDate"]
    );
    assert_eq!(shown(&world, &arn).await, after);

    let told: Vec<String> = world
        .statuses()
        .await
        .iter()
        .map(|detail| {
            let part = ["status", "stopDate", "redriveCount", "redriveDate", "redriveStatus"];
            part.map(|name| detail[name].to_string().replace("17672256", "")).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""RUNNING" null 0 null "NOT_REDRIVABLE""#,
            r#""FAILED" 00000 0 null "REDRIVABLE""#,
            r#""RUNNING" null 1 60000 "NOT_REDRIVABLE""#,
            r#""SUCCEEDED" 60000 1 60000 "NOT_REDRIVABLE""#,
        ]
    );
    let list = |filter: &str| json!({ "stateMachineArn": machine_arn("m"), "statusFilter": filter });
    assert_eq!(world.ok("ListExecutions", list("FAILED")).await["executions"], json!([]));
    let listed = world.ok("ListExecutions", list("SUCCEEDED")).await["executions"][0].clone();
    assert_eq!((&listed["redriveCount"], listed["redriveDate"].as_f64()), (&json!(1), Some(date)));
}

#[tokio::test]
async fn a_token_redrives_once() {
    let world = World::new().await;
    let fail = json!({ "StartAt": "F", "States": { "F": { "Type": "Fail", "Error": "E" } } });
    let arn = world.run(&fail, "{}").await;
    let ask = |token: &str| json!({ "executionArn": arn, "clientToken": token });
    let first = world.ok("RedriveExecution", ask("t")).await;
    world.advance(5 * 60).await;
    assert_eq!(world.ok("RedriveExecution", ask("t")).await, first);
    assert_eq!(world.describe(&arn).await["redriveCount"], 1);
    let second = world.ok("RedriveExecution", ask("u")).await;
    assert_ne!(second, first);
    assert_eq!(world.ok("RedriveExecution", ask("t")).await, first, "the last ten are known");
    world.advance(15 * 60 + 1).await;
    world.ok("RedriveExecution", ask("t")).await;
    assert_eq!(world.describe(&arn).await["redriveCount"], 3, "for a quarter of an hour");
}

#[tokio::test]
async fn what_cannot_be_redriven() {
    let world = World::new().await;
    let wait = json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": 10, "End": true } } });
    let arn = world.run(&wait, "{}").await;
    let refused = |arn: String| {
        let world = &world;
        async move { world.refused("RedriveExecution", json!({ "executionArn": arn })).await }
    };
    let running = "ExecutionNotRedrivable: Execution is RUNNING and cannot be redriven";
    assert_eq!(refused(arn.clone()).await, running);
    world.advance(10).await;
    let succeeded = "ExecutionNotRedrivable: Execution is SUCCEEDED and cannot be redriven";
    assert_eq!(refused(arn.clone()).await, succeeded);
    let nobody = arn.replace(":m:e", ":m:nobody");
    assert_eq!(
        refused(nobody.clone()).await,
        format!("ExecutionDoesNotExist: Execution Does Not Exist: '{nobody}'")
    );
    let express = arn.replace(":execution:", ":express:") + ":00000000-0000-4000-8000-000000000000";
    assert!(refused(express).await.starts_with("InvalidArn: "));

    let late = world.start("m", "late", "{}").await;
    world.ok("StopExecution", json!({ "executionArn": late })).await;
    world.advance(14 * DAY).await;
    assert_eq!(shown(&world, &late).await, r#" "ABORTED" 0 "REDRIVABLE""#);
    world.advance(1).await;
    let exceeded = "Execution redrivable period exceeded";
    assert_eq!(shown(&world, &late).await, format!(r#" "ABORTED" 0 "NOT_REDRIVABLE" "{exceeded}""#));
    assert_eq!(refused(late).await, format!("ExecutionNotRedrivable: {exceeded}"));
    let both = json!({ "stateMachineArn": machine_arn("m"), "redriveFilter": "REDRIVEN" });
    assert!(world.refused("ListExecutions", both).await.starts_with("ValidationException: "));
}

#[tokio::test]
async fn the_definition_and_the_input_stay_those_of_the_start() {
    let world = World::new().await;
    let arn = world.run(&one_task(), r#"{"in": 1}"#).await;
    let other = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    let update = json!({ "stateMachineArn": machine_arn("m"), "definition": other.to_string() });
    world.ok("UpdateStateMachine", update).await;
    redrive(&world, &arn).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED {"a":1,"t":{"redrives":1}}"#);
    assert_eq!(world.describe(&arn).await["input"], r#"{"in": 1}"#);
}

#[tokio::test]
async fn timeouts_and_retries_begin_anew() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "T", "TimeoutSeconds": 100, "States": {
        "T": { "Type": "Task", "Resource": function("fails"), "End": true,
            "Retry": [{ "ErrorEquals": ["Error"], "IntervalSeconds": 40, "BackoffRate": 1, "MaxAttempts": 9 }] } } });
    let arn = world.run(&definition, "{}").await;
    let attempts =
        |types: Vec<String>| types.iter().filter(|name| *name == "LambdaFunctionScheduled").count();
    world.advance(1_000).await;
    assert_eq!((world.end(&arn).await.as_str(), attempts(world.types(&arn).await)), ("TIMED_OUT", 3));
    redrive(&world, &arn).await;
    world.advance(99).await;
    assert_eq!((world.end(&arn).await.as_str(), attempts(world.types(&arn).await)), ("RUNNING", 6));
    world.advance(1).await;
    assert_eq!(world.end(&arn).await, "TIMED_OUT");
    assert_eq!(world.describe(&arn).await["redriveCount"], 1);
}

/// Branches of which one succeeds, one fails and two are cut short; then an item of a map fails.
fn forked(url: &str) -> Value {
    let ask = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } } });
    let branches = json!([
        { "StartAt": "Good", "States": { "Good": { "Type": "Task", "Resource": function("deposit"), "End": true } } },
        { "StartAt": "Bad", "States": { "Bad": { "Type": "Wait", "Seconds": 5, "Next": "Flaky" },
            "Flaky": flaky(json!({ "End": true, "Retry": [{ "ErrorEquals": ["Error"], "MaxAttempts": 1 }] })) } },
        { "StartAt": "Wait", "States": { "Wait": { "Type": "Wait", "Seconds": 50, "End": true } } },
        { "StartAt": "Ask", "States": { "Ask": ask } },
    ]);
    let item = json!({ "StartAt": "Item", "States": { "Item": flaky(json!({
        "Parameters": { "redrives.$": "States.MathAdd($$.Execution.RedriveCount, -1)", "item.$": "$" }, "End": true })) } });
    json!({ "StartAt": "Parallel", "States": {
        "Parallel": { "Type": "Parallel", "Branches": branches, "ResultPath": "$.parallel", "Next": "Map" },
        "Map": { "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": item,
            "ResultPath": "$.map", "End": true } } })
}

struct Run {
    world: World,
    url: String,
    arn: String,
}

impl Run {
    async fn prepare() -> Run {
        let world = World::new().await;
        let url = world.queue("q").await;
        world.create("m", &forked(&url)).await;
        world.kernel.idle().await;
        let arn = format!("{}:e", machine_arn("m").replace("stateMachine", "execution"));
        Run { world, url, arn }
    }

    async fn start(&self) -> bool {
        let input =
            json!({ "stateMachineArn": machine_arn("m"), "name": "e", "input": r#"{"items":[1,2]}"# });
        self.world.call("states", "StartExecution", input).await.is_ok()
    }

    /// Plays the world around the execution: questions are answered half a minute after they came, and an execution
    /// that failed is redriven, at most so often, until it ends or the process is dead.
    async fn play(&mut self, redrives: u64) {
        for _ in 0..120 {
            self.world.advance(1).await;
            let describe = json!({ "executionArn": self.arn });
            let Ok(shown) = self.world.call("states", "DescribeExecution", describe).await else { return };
            if self.world.is_dead() {
                return;
            }
            let count = shown["redriveCount"].as_u64().unwrap();
            match shown["status"].as_str() {
                Some("FAILED") if count < redrives => {
                    let token = format!("redrive-{count}");
                    let input = json!({ "executionArn": self.arn, "clientToken": token });
                    let _ = self.world.call("states", "RedriveExecution", input).await;
                }
                Some("RUNNING") if count > 0 => self.answer().await,
                Some("RUNNING") => {}
                _ => return,
            }
        }
    }

    async fn answer(&self) {
        let input = json!({ "QueueUrl": self.url, "VisibilityTimeout": 1, "MaxNumberOfMessages": 10 });
        let Ok(received) = self.world.call("sqs", "ReceiveMessage", input).await else { return };
        for message in received["Messages"].as_array().into_iter().flatten() {
            let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            let answer = json!({ "taskToken": body["token"], "output": "\"yes\"" });
            // It may be the question of an attempt that is over.
            let _ = self.world.call("states", "SendTaskSuccess", answer).await;
        }
    }

    /// The types of the events and the end, and the statuses that came to the bus. Which of two branches comes first may
    /// depend on the second in which the process died: what happened to each state is told by itself.
    async fn found(&self) -> Vec<String> {
        let mut found = self.world.types(&self.arn).await;
        found.sort_unstable();
        found.push(plain(&self.world.end(&self.arn).await));
        let statuses = self.world.statuses().await;
        found
            .extend(statuses.iter().map(|detail| format!("{} {}", detail["status"], detail["redriveCount"])));
        found
    }
}

#[tokio::test]
async fn only_what_did_not_succeed_runs_again_whenever_the_process_dies() {
    let mut undisturbed = Run::prepare().await;
    assert!(undisturbed.start().await);
    undisturbed.play(2).await;
    let expected = undisturbed.found().await;
    let end = r#"SUCCEEDED {"items":[1,2],"parallel":[{"items":[1,2],"ticketNumber":"t-1"},{"redrives":1},{"items":[1,2]},"yes"],"map":[{"redrives":1,"item":1},{"redrives":1,"item":2}]}"#;
    assert!(expected.contains(&end.to_owned()), "{expected:#?}");
    let times = |name: &str| expected.iter().filter(|line| *line == name).count();
    assert_eq!(
        (times("ExecutionRedriven"), times("ParallelStateEntered"), times("MapStateEntered")),
        (2, 1, 1)
    );
    // Deposit once; the flaky branch twice and once; item 1 once and once; item 2 once, after item 1.
    assert_eq!(times("LambdaFunctionScheduled"), 1 + 3 + 2 + 1);
    assert_eq!(times("MapIterationStarted"), 2);
    assert_eq!((times("TaskScheduled"), times("WaitStateEntered")), (2, 2), "the question was asked again");
    let mut deaths = 0;
    for commits in 0.. {
        let mut run = Run::prepare().await;
        run.world.die_after(commits);
        let started = run.start().await;
        run.play(2).await;
        if !run.world.is_dead() {
            break;
        }
        deaths += 1;
        run.world.restart().await;
        if !started {
            assert!(run.start().await);
        }
        run.play(2).await;
        assert_eq!(run.found().await, expected, "after {commits} commits");
    }
    assert!(deaths > 25, "{deaths}");
}

#[tokio::test]
async fn what_is_kept_goes_with_the_execution() {
    let world = World::new().await;
    let delete = || async {
        world.ok("DeleteStateMachine", json!({ "stateMachineArn": machine_arn("m") })).await;
        world.kernel.idle().await;
    };
    world.create("m", &one_task()).await;
    delete().await;
    let before = world.rows().await;
    let arn = world.run(&one_task(), "{}").await;
    assert!(world.rows().await > before, "the rows are found");
    assert!(world.end(&arn).await.starts_with("FAILED"));
    delete().await;
    assert_eq!(world.rows().await, before, "nothing is left of it");
}
