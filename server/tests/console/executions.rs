//! An execution's page: graph, table, events, one state, and one state run again.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{HOST, REGION, World, assert_order, readable, text_of};

fn execution(machine: &str, name: &str) -> String {
    machine.replace(":stateMachine:", ":execution:") + ":" + name
}

/// Each item is put on a queue whose name it has; then variables are set and read.
fn each() -> Value {
    json!({ "StartAt": "Count", "States": {
        "Count": { "Type": "Pass", "Assign": { "many.$": "States.ArrayLength($.items)" }, "Next": "Each" },
        "Each": {
            "Type": "Map", "ItemsPath": "$.items", "End": true,
            "ItemProcessor": { "StartAt": "Send", "States": { "Send": {
                "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true,
                "Parameters": { "QueueUrl.$": "$.queue", "MessageBody": "hello" },
                "Retry": [{ "ErrorEquals": ["Never"], "MaxAttempts": 1 }],
            } } },
        },
    } })
}

#[tokio::test]
async fn an_execution_shows_how_it_stands() {
    let world = World::new().await;
    let machine = world.four().await;
    let first = execution(&machine, "first");
    let page = world.read("execution", &[("arn", &first)]).await;
    assert_order(&page, &["SUCCEEDED", "STANDARD", "State transitions 2", "Redrives 0", "Graph view"]);
    let page = world.read("execution", &[("arn", &first), ("tab", "io")]).await;
    assert_order(&page, &["Input", "\"amount\" : 50", "Output", "\"amount\" : 50"]);
    let page = world.read("execution", &[("arn", &first), ("tab", "definition")]).await;
    assert_order(&page, &["Definition", "\"StartAt\"", "OutOfPaper"]);
    let (_, failed) = world.source("execution", &[("arn", &execution(&machine, "failing"))]).await;
    assert!(failed.contains("the &lt;b&gt;ticket&lt;/b&gt; machine"), "{failed}");
    assert_order(&readable(&failed), &["OutOfPaper", "FAILED"]);
    let stopped = world.read("execution", &[("arn", &execution(&machine, "stopped"))]).await;
    assert_order(&stopped, &["Teller", "closed", "ABORTED"]);
}

#[tokio::test]
async fn the_graph_has_the_colours_of_how_it_went() {
    let world = World::new().await;
    let machine = world.four().await;
    let node = async |name: &str, state: &str| {
        let (_, source) = world.source("execution", &[("arn", &execution(&machine, name))]).await;
        let at = source
            .find(&format!("aria-label=\"{state}: "))
            .unwrap_or_else(|| panic!("no {state} in {source}"));
        let start = source[..at].rfind("<a class=\"node").unwrap();
        source[start..at + 60].split('"').nth(1).unwrap().trim().to_owned()
    };
    assert_eq!(node("first", "Done").await, "node good");
    assert_eq!(node("first", "Fail").await, "node");
    assert_eq!(node("failing", "Fail").await, "node bad");
    assert_eq!(node("stopped", "Wait").await, "node warn");
    world.execute(&machine, "waiting", json!({ "wait": 60 })).await;
    assert_eq!(node("waiting", "Wait").await, "node busy");
    // The page is asked again while it is open: that is how it is kept fresh.
    world.kernel.advance(Duration::from_secs(61)).await;
    assert_eq!(node("waiting", "Wait").await, "node good");
}

#[tokio::test]
async fn the_events_are_sorted_and_filtered() {
    let world = World::new().await;
    let machine = world.four().await;
    let first = execution(&machine, "first");
    let events = async |more: &[(&str, &str)]| {
        let all = [&[("arn", first.as_str()), ("view", "events")], more].concat();
        world.read("execution", &all).await
    };
    let page = events(&[]).await;
    assert_order(
        &page,
        &["Events (6)", "1 ExecutionStarted –", "2 ChoiceStateEntered Choose", "6 ExecutionSucceeded"],
    );
    assert_order(&events(&[("order", "down")]).await, &["6 ExecutionSucceeded", "1 ExecutionStarted"]);
    let page = events(&[("find", "choose")]).await;
    assert_order(&page, &["Events (2)", "ChoiceStateEntered Choose", "ChoiceStateExited Choose"]);
    assert_order(&events(&[("kind", "PassStateEntered")]).await, &["Events (1)", "PassStateEntered Done"]);
    assert!(events(&[("find", "nothing like it")]).await.contains("No event matches."));
}

#[tokio::test]
async fn the_table_has_a_row_for_each_visit_and_the_pane_its_data() {
    let world = World::new().await;
    let queue = world.call("sqs", "CreateQueue", json!({ "QueueName": "q" })).await;
    let url = text_of(&queue, "QueueUrl");
    let machine = world.machine_of("each", each(), json!({})).await;
    let input = json!({ "items": [{ "queue": url }, { "queue": url }] });
    let arn = world.execute(&machine, "one", input).await;
    world.kernel.idle().await;
    let table = world.read("execution", &[("arn", &arn), ("view", "table")]).await;
    assert_order(&table, &["States (4)", "Count Pass succeeded", "Each Map succeeded"]);
    assert_order(&table, &["Each #0 › Send Task succeeded", "Each #1 › Send Task succeeded"]);
    let pane = world.read("execution", &[("arn", &arn), ("state", "Send"), ("visit", "2")]).await;
    assert_order(
        &pane,
        &[
            "Each #1 ›",
            "Send Task",
            "visit 2 of 2",
            "succeeded",
            "Retries 0",
            "sqs:sendMessage",
            "Input",
            &url,
        ],
    );
    assert_order(
        &pane,
        &["Variables before", "\"many\" : 2", "Run this state again", "Retry", "Never", "TaskSucceeded"],
    );
    let unseen = world.read("execution", &[("arn", &arn), ("state", "no such state")]).await;
    assert!(unseen.contains("Choose a state to see"), "{unseen}");
}

#[tokio::test]
async fn a_state_is_run_again_with_another_input() {
    let world = World::new().await;
    let machine = world.four().await;
    let arn = execution(&machine, "first");
    let own = format!("http://{HOST}");
    let form = |state: &'static str, input: &'static str| {
        [("arn", arn.clone()), ("state", state.into()), ("input", input.into())]
    };
    let post = async |form: &[(&str, String)]| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.post("execution/try", &own, &form).await
    };
    let (status, _, text) = post(&form("Choose", r#"{"fail": 1}"#)).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_order(&text, &["Trial of Choose", "SUCCEEDED", "Next state Fail", "Output", "\"fail\" : 1"]);
    let (_, _, text) = post(&form("Fail", "{}")).await;
    assert_order(&text, &["FAILED", "none: it ends here", "OutOfPaper"]);
    let (status, _, text) = post(&form("Choose", "{no json")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("InvalidExecutionInput"), "{text}");
    // A state within a Map, with a result in the place of the call.
    let each = world.machine_of("each", each(), json!({})).await;
    let one = world.execute(&each, "one", json!({ "items": [] })).await;
    let tried = [
        ("arn", one),
        ("state", "Send".to_owned()),
        ("input", r#"{"queue":"u"}"#.to_owned()),
        ("mock", r#"{"MessageId":"m"}"#.to_owned()),
    ];
    let (_, _, text) = post(&tried).await;
    assert_order(&text, &["SUCCEEDED", "the one that was given", "\"MessageId\" : \"m\""]);
    let (status, ..) = world.post("execution/try", "http://elsewhere.example", &[("arn", &arn)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn express_executions_are_shown_from_their_log() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "Done", "States": { "Done": { "Type": "Pass", "End": true } } });
    let quiet = world.machine_of("quiet", definition.clone(), json!({ "type": "EXPRESS" })).await;
    let silent = world.execute(&quiet, "one", json!({ "a": 1 })).await;
    let page = world.read("execution", &[("arn", &silent)]).await;
    assert_order(&page, &["SUCCEEDED", "EXPRESS", "EXPRESS executions have no history", "Graph view"]);
    let list = world.read("state-machine", &[("arn", &quiet)]).await;
    assert_order(&list, &["EXPRESS", "Executions (1)", "one SUCCEEDED"]);
    let none = world.read("state-machine", &[("arn", &quiet), ("status", "FAILED")]).await;
    assert!(none.contains("No execution matches."), "{none}");

    world.call("logs", "CreateLogGroup", json!({ "logGroupName": "/states/loud" })).await;
    let group = format!("arn:aws:logs:{REGION}:000000000000:log-group:/states/loud:*");
    let logging = json!({ "type": "EXPRESS", "loggingConfiguration": {
        "level": "ALL", "includeExecutionData": true,
        "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": group } }],
    }});
    let loud = world.machine_of("loud", definition, logging).await;
    let heard = world.execute(&loud, "one", json!({ "a": 1 })).await;
    world.kernel.idle().await;
    let table = world.read("execution", &[("arn", &heard), ("view", "table")]).await;
    assert_order(
        &table,
        &["Read from the log group /states/loud", "States (1)", "Done Pass succeeded", "\"a\" : 1"],
    );
}

#[tokio::test]
async fn a_machine_has_versions_aliases_and_a_definition_to_edit() {
    let world = World::new().await;
    let machine = world.machine("versioned").await;
    let published =
        world.call("states", "PublishStateMachineVersion", json!({ "stateMachineArn": machine })).await;
    let version = text_of(&published, "stateMachineVersionArn");
    let alias = json!({ "name": "live", "routingConfiguration": [{ "stateMachineVersionArn": version, "weight": 100 }] });
    world.call("states", "CreateStateMachineAlias", alias).await;
    let versions = world.read("state-machine", &[("arn", &machine), ("tab", "versions")]).await;
    assert_order(&versions, &["Versions (1)", "1"]);
    let aliases = world.read("state-machine", &[("arn", &machine), ("tab", "aliases")]).await;
    assert_order(&aliases, &["Aliases (1)", "live", "version 1: 100 %"]);
    let (_, source) = world.source("state-machine", &[("arn", &machine), ("tab", "definition")]).await;
    assert!(
        source.contains("<svg class=\"chart\"") && source.contains("aria-label=\"Choose: Choice\""),
        "{source}"
    );
    let own = format!("http://{HOST}");
    let definition = r#"{"StartAt":"New","States":{"New":{"Type":"Succeed"}}}"#;
    let form = [("arn", machine.as_str()), ("definition", definition)];
    let (status, _, text) = world.post("state-machine/update", &own, &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let (_, source) = world.source("state-machine", &[("arn", &machine), ("tab", "definition")]).await;
    assert!(source.contains("aria-label=\"New: Succeed\""), "{source}");
    let form = [("arn", machine.as_str()), ("definition", "{}")];
    let (status, _, text) = world.post("state-machine/update", &own, &form).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("InvalidDefinition"), "{text}");
}

#[tokio::test]
async fn an_execution_is_taken_along_as_a_file() {
    let world = World::new().await;
    let machine = world.four().await;
    let (status, text) = world.source("execution/export", &[("arn", &execution(&machine, "failing"))]).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["status"], "FAILED");
    assert_eq!(document["events"][0]["type"], "ExecutionStarted");
    assert_eq!(document["definition"]["StartAt"], "Choose");
}

#[tokio::test]
async fn a_map_run_shows_its_counts_and_children() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "Each", "States": { "Each": {
        "Type": "Map", "End": true, "Label": "each",
        "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "One", "States": { "One": { "Type": "Pass", "End": true } },
        },
    } } });
    let machine = world.machine_of("many", definition, json!({})).await;
    let arn = world.execute(&machine, "one", json!([1, 2, 3])).await;
    world.kernel.idle().await;
    let (_, source) = world.source("execution", &[("arn", &arn)]).await;
    assert_order(&readable(&source), &["SUCCEEDED", "Map runs (1)", "SUCCEEDED", "3 of 3"]);
    let runs = world.call("states", "ListMapRuns", json!({ "executionArn": arn })).await;
    let run = text_of(&runs["mapRuns"][0], "mapRunArn");
    let page = world.read("map-run", &[("arn", &run)]).await;
    assert_order(
        &page,
        &["Map run", "SUCCEEDED", "Succeeded 3 3", "Failed 0 0", "Executions (3)", "SUCCEEDED"],
    );
    let none = world.read("map-run", &[("arn", &run), ("status", "FAILED")]).await;
    assert!(none.contains("No execution matches."), "{none}");
    let children = world.call("states", "ListExecutions", json!({ "mapRunArn": run })).await;
    let child = text_of(&children["executions"][0], "executionArn");
    let page = world.read("execution", &[("arn", &child)]).await;
    assert_order(&page, &["map run", "SUCCEEDED"]);
}

#[tokio::test]
async fn a_failed_execution_is_redriven() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "Send", "States": { "Send": {
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl", "End": true,
        "Parameters": { "QueueName": "late" },
    } } });
    let machine = world.machine_of("redriven", definition, json!({})).await;
    let arn = world.execute(&machine, "one", json!({})).await;
    world.kernel.idle().await;
    let (_, failed) = world.source("execution", &[("arn", &arn)]).await;
    assert!(failed.contains("popovertarget=\"redrive\">Redrive"), "{failed}");
    world.call("sqs", "CreateQueue", json!({ "QueueName": "late" })).await;
    let form = [("arn", arn.as_str()), ("token", "0193a000-0000-7000-8000-000000000000")];
    let (status, _, text) = world.post("execution/redrive", &format!("http://{HOST}"), &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    world.kernel.idle().await;
    let table = world.read("execution", &[("arn", &arn), ("view", "table")]).await;
    assert_order(&table, &["SUCCEEDED", "Redrives 1", "States (1)", "Send Task succeeded", "1"]);
    let (_, done) = world.source("execution", &[("arn", &arn)]).await;
    assert!(done.contains("class=\"node good\"") && !done.contains("popovertarget=\"redrive\">"), "{done}");
}
