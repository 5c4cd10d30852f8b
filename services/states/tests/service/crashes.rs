//! The process dies after any one commit, and again: the history is that of a run in which nothing died.

use serde_json::{Value, json};

use crate::world::{World, function, machine_arn, plain};

/// Something of everything: a task, branches with a wait and a retry, a map, a callback, a nested execution.
fn everything(url: &str) -> Value {
    let call = |name: &str, more: Value| {
        let mut state = json!({ "Type": "Task", "Resource": function(name) });
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        state
    };
    json!({ "StartAt": "Task", "TimeoutSeconds": 1000, "States": {
        "Task": call("deposit", json!({ "Next": "Parallel" })),
        "Parallel": { "Type": "Parallel", "ResultPath": "$.parallel", "Next": "Map", "Branches": [
            { "StartAt": "Wait", "States": { "Wait": { "Type": "Wait", "Seconds": 20, "End": true } } },
            { "StartAt": "Retry", "States": { "Retry": call("fails", json!({
                "Retry": [{ "ErrorEquals": ["Error"], "IntervalSeconds": 2, "MaxAttempts": 2 }],
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }], "End": true })),
                "Caught": { "Type": "Pass", "Result": "caught", "End": true } } } ] },
        "Map": { "Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.map", "MaxConcurrency": 1,
            "ItemProcessor": { "StartAt": "Item", "States": { "Item": call("echo", json!({ "End": true })) } },
            "Next": "Put" },
        "Put": { "Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "ResultPath": null,
            "Parameters": { "TableName": "t", "Item": { "id": { "S": "once" } },
                "ConditionExpression": "attribute_not_exists(id)" }, "Next": "Nested" },
        "Nested": { "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": { "StateMachineArn": machine_arn("child"), "Name": "c", "Input": { "s": 3 } },
            "ResultSelector": { "status.$": "$.Status" }, "ResultPath": "$.nested", "Next": "Callback" },
        "Callback": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } },
            "HeartbeatSeconds": 500, "ResultPath": "$.answer", "End": true } } })
}

struct Run {
    world: World,
    url: String,
    arn: String,
}

/// Up to the start of the execution; nothing dies here.
async fn prepare() -> Run {
    let world = World::new().await;
    let url = world.queue("q").await;
    let child = json!({ "StartAt": "W", "States": {
        "W": { "Type": "Wait", "SecondsPath": "$.s", "End": true } } });
    world.create("child", &child).await;
    world.create("m", &everything(&url)).await;
    world.kernel.idle().await;
    let arn = format!("{}:e", machine_arn("m").replace("stateMachine", "execution"));
    Run { world, url, arn }
}

impl Run {
    async fn start(&self) -> bool {
        let input =
            json!({ "stateMachineArn": machine_arn("m"), "name": "e", "input": r#"{"items":[1,2]}"# });
        self.world.call("states", "StartExecution", input).await.is_ok()
    }

    /// Plays the world around the execution until it ends or the process is dead.
    async fn play(&mut self) {
        for _ in 0..60 {
            self.world.advance(1).await;
            if self.world.is_dead() {
                return;
            }
            let input = json!({ "QueueUrl": self.url, "VisibilityTimeout": 1 });
            let Ok(received) = self.world.call("sqs", "ReceiveMessage", input).await else { return };
            if let Some(message) = received["Messages"].as_array().and_then(|messages| messages.first()) {
                let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                let answer = json!({ "taskToken": body["token"], "output": "\"yes\"" });
                // It may have been told before the process died.
                let _ = self.world.call("states", "SendTaskSuccess", answer).await;
            }
        }
    }

    /// The history without times, the end, and the statuses that came to the bus, execution by execution.
    async fn found(&self) -> Vec<String> {
        let history = self.world.history(&self.arn).await;
        let mut found: Vec<String> = history.iter().map(shown).collect();
        found.push(plain(&self.world.end(&self.arn).await));
        let statuses = self.world.statuses().await;
        for name in ["e", "c"] {
            let mine = statuses.iter().filter(|detail| detail["name"] == name);
            found.extend(mine.map(|detail| format!("{name} {}", detail["status"])));
        }
        found
    }
}

/// An event without what moves with the second in which the process died, and with what it was called then.
fn shown(event: &Value) -> String {
    let mut event = event.clone();
    event.as_object_mut().unwrap().remove("timestamp");
    let text = plain(&event.to_string());
    let mut rest = text.as_str();
    let mut shown = String::new();
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '.').unwrap_or(rest.len());
        let run = &rest[..end];
        shown.push_str(match run.len() {
            32 => "<md5>",
            _ if run.starts_with("17672256") => "<time>",
            _ => run,
        });
        rest = &rest[end..];
    }
    shown + rest
}

#[tokio::test]
async fn death_after_any_commit_changes_nothing() {
    let mut undisturbed = prepare().await;
    assert!(undisturbed.start().await);
    undisturbed.play().await;
    let expected = undisturbed.found().await;
    assert!(expected.iter().any(|line| line.starts_with("SUCCEEDED ")), "{expected:#?}");
    let mut deaths = 0;
    for commits in 0.. {
        let mut run = prepare().await;
        run.world.die_after(commits);
        let started = run.start().await;
        run.play().await;
        if !run.world.is_dead() {
            break;
        }
        deaths += 1;
        run.world.restart().await;
        assert_eq!(started, commits > 0);
        if !started {
            assert!(run.start().await);
        }
        run.play().await;
        let found = run.found().await;
        let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert_eq!(different, None, "after {commits} commits");
        assert_eq!(found.len(), expected.len(), "after {commits} commits");
    }
    assert!(deaths > 30, "{deaths}");
}

#[tokio::test]
async fn what_fell_due_while_nothing_ran_happens_at_the_start() {
    let mut world = World::new().await;
    let url = world.queue("q").await;
    let ask = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "HeartbeatSeconds": 50, "Parameters": { "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } },
        "Catch": [{ "ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent", "ResultPath": null }], "End": true });
    let branches = json!([
        { "StartAt": "Wait", "States": { "Wait": { "Type": "Wait", "Seconds": 100, "End": true } } },
        { "StartAt": "Ask", "States": { "Ask": ask, "Silent": { "Type": "Pass", "Result": "silent", "End": true } } },
        { "StartAt": "Flaky", "States": { "Flaky": { "Type": "Task", "Resource": function("fails-twice"), "End": true,
            "Retry": [{ "ErrorEquals": ["Flaky"], "IntervalSeconds": 60, "BackoffRate": 1 }] } } },
    ]);
    let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Parallel", "Branches": branches, "End": true } } });
    let arn = world.run(&definition, "{}").await;
    world.restart_after(1_000).await;
    world.kernel.idle().await;
    assert_eq!(world.end(&arn).await, "RUNNING");
    let types = world.types(&arn).await;
    assert!(
        types.contains(&"TaskTimedOut".to_owned()) && types.contains(&"WaitStateExited".to_owned()),
        "{types:?}"
    );
    world.advance(60).await;
    assert_eq!(world.end(&arn).await, r#"SUCCEEDED [{},"silent",{"call":3}]"#);
}
