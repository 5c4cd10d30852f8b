//! Distributed maps: items from the input and from S3, children, tolerance, results in S3, crashes.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::schema::Blob;
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";

async fn world() -> World {
    let world = World::new(|| vec![events::service(), s3::service(), states::service()]).await;
    world.ok("s3", "CreateBucket", json!({ "Bucket": "bucket" })).await;
    world
}

async fn put(world: &World, key: &str, text: &str) {
    let body = Blob::from(text.as_bytes().to_vec());
    world.ok("s3", "PutObject", json!({ "Bucket": "bucket", "Key": key, "Body": body })).await;
}

async fn get(world: &World, key: &str) -> Value {
    let object = world.ok("s3", "GetObject", json!({ "Bucket": "bucket", "Key": key })).await;
    let body = Blob::from_base64(object["Body"].as_str().unwrap()).unwrap();
    serde_json::from_slice(body.as_bytes()).unwrap()
}

/// A machine of one map, whose children run these states.
fn map(kind: &str, child: Value, more: Value) -> Value {
    let processor = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": kind },
        "StartAt": "C", "States": child });
    let mut state = json!({ "Type": "Map", "Label": "L", "ItemProcessor": processor, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "StartAt": "M", "States": { "M": state } })
}

fn pass() -> Value {
    json!({ "C": { "Type": "Pass", "End": true } })
}

async fn start(world: &World, definition: &Value, input: &Value) -> String {
    let machine = json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE });
    let machine = world.ok("states", "CreateStateMachine", machine).await;
    let start =
        json!({ "stateMachineArn": machine["stateMachineArn"], "name": "e", "input": input.to_string() });
    let started = world.ok("states", "StartExecution", start).await;
    world.idle().await;
    started["executionArn"].as_str().unwrap().to_owned()
}

async fn end(world: &World, arn: &str) -> String {
    let shown = world.ok("states", "DescribeExecution", json!({ "executionArn": arn })).await;
    let text = |name: &str| shown[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{}{}{}{}", shown["status"].as_str().unwrap(), text("output"), text("error"), text("cause"))
}

/// The one map run of an execution.
async fn run_of(world: &World, arn: &str) -> Value {
    let runs = world.ok("states", "ListMapRuns", json!({ "executionArn": arn })).await;
    let run = json!({ "mapRunArn": runs["mapRuns"][0]["mapRunArn"] });
    world.ok("states", "DescribeMapRun", run).await
}

fn counts(counts: &Value) -> String {
    let shown = counts.as_object().unwrap().iter().filter(|(_, count)| **count != json!(0));
    shown.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn children_run_and_their_outputs_come_in_order() {
    for kind in ["STANDARD", "EXPRESS"] {
        let world = world().await;
        let arn =
            start(&world, &map(kind, pass(), json!({ "MaxConcurrency": 3 })), &json!([1, 2, 3, 4, 5])).await;
        assert_eq!(end(&world, &arn).await, "SUCCEEDED [1,2,3,4,5]");
        let run = run_of(&world, &arn).await;
        assert_eq!((&run["status"], &run["executionArn"]), (&json!("SUCCEEDED"), &json!(arn)));
        assert_eq!(counts(&run["itemCounts"]), "succeeded 5, total 5");
        assert_eq!(counts(&run["executionCounts"]), "succeeded 5, total 5");
        assert_eq!(run["maxConcurrency"], 3);
        let run_arn = run["mapRunArn"].as_str().unwrap();
        assert!(run_arn.starts_with("arn:aws:states:eu-central-1:000000000000:mapRun:m/L:"), "{run_arn}");
        let history = world.ok("states", "GetExecutionHistory", json!({ "executionArn": arn })).await;
        let types: Vec<&str> = history["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        assert!(types.contains(&"MapRunStarted") && types.contains(&"MapRunSucceeded"), "{types:?}");
        let children = world.ok("states", "ListExecutions", json!({ "mapRunArn": run_arn })).await;
        let children = children["executions"].as_array().unwrap();
        if kind == "STANDARD" {
            assert_eq!(children.len(), 5);
            let child = &children[0];
            assert_eq!((&child["mapRunArn"], &child["itemCount"]), (&json!(run_arn), &json!(1)));
            assert_eq!(child["stateMachineArn"], "arn:aws:states:eu-central-1:000000000000:stateMachine:m/L");
            let shown = world
                .ok("states", "DescribeExecution", json!({ "executionArn": child["executionArn"] }))
                .await;
            assert_eq!((&shown["status"], &shown["mapRunArn"]), (&json!("SUCCEEDED"), &json!(run_arn)));
        }
    }
}

#[tokio::test]
async fn items_come_from_s3() {
    let world = world().await;
    let read = |resource: &str, config: Value, parameters: Value, more: Value| {
        let reader = json!({ "Resource": format!("arn:aws:states:::s3:{resource}"), "ReaderConfig": config,
            "Parameters": parameters });
        let mut all = json!({ "ItemReader": reader });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        map("EXPRESS", pass(), all)
    };
    let cases = [
        ("a.json", r#"[{"v":1},{"v":2}]"#, json!({ "InputType": "JSON" }), r#"[{"v":1},{"v":2}]"#),
        ("a.jsonl", "{\"v\":1}\n{\"v\":2}\n", json!({ "InputType": "JSONL" }), r#"[{"v":1},{"v":2}]"#),
        (
            "a.csv",
            "a,b\n1,\"x,y\"\n2,z\n",
            json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" }),
            r#"[{"a":"1","b":"x,y"},{"a":"2","b":"z"}]"#,
        ),
    ];
    for (key, text, config, expected) in cases {
        put(&world, key, text).await;
        let definition = read("getObject", config, json!({ "Bucket": "bucket", "Key": key }), json!({}));
        let arn = start(&world, &definition, &json!({})).await;
        assert_eq!(end(&world, &arn).await, format!("SUCCEEDED {expected}"));
        let machine = json!({ "stateMachineArn": "arn:aws:states:eu-central-1:000000000000:stateMachine:m" });
        world.ok("states", "DeleteStateMachine", machine).await;
        world.idle().await;
    }
    let select = json!({ "ItemSelector": { "key.$": "$$.Map.Item.Value.Key", "of.$": "$.of" } });
    let list = read("listObjectsV2", json!({}), json!({ "Bucket": "bucket", "Prefix": "a.j" }), select);
    let arn = start(&world, &list, &json!({ "of": 7 })).await;
    assert_eq!(end(&world, &arn).await, r#"SUCCEEDED [{"key":"a.json","of":7},{"key":"a.jsonl","of":7}]"#);
}

#[tokio::test]
async fn an_item_is_described_and_says_where_it_is_from() {
    let select = json!({ "ItemSelector": { "from.$": "$$.Map.Item.Source", "item.$": "$$.Map.Item.Value" } });
    let world = world().await;
    put(&world, "k", "[1]").await;
    let read = |action: &str, parameters: Value| {
        let resource = format!("arn:aws:states:::s3:{action}");
        let config = if action == "getObject" { json!({ "InputType": "JSON" }) } else { json!({}) };
        let mut more = select.clone();
        more["ItemReader"] =
            json!({ "Resource": resource, "ReaderConfig": config, "Parameters": parameters });
        map("STANDARD", pass(), more)
    };
    let list = read("listObjectsV2", json!({ "Bucket": "bucket" }));
    let arn = start(&world, &list, &json!({})).await;
    let listed = end(&world, &arn).await;
    let listed: Value = serde_json::from_str(listed.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    assert_eq!(listed[0]["from"], "S3://bucket");
    let item = &listed[0]["item"];
    assert_eq!((&item["Key"], &item["Size"], item["Etag"].is_string()), (&json!("k"), &json!(3), true));
    assert!(item["LastModified"].is_i64(), "{item}");
    let machine = json!({ "stateMachineArn": "arn:aws:states:eu-central-1:000000000000:stateMachine:m" });
    world.ok("states", "DeleteStateMachine", machine).await;
    world.idle().await;
    let file = read("getObject", json!({ "Bucket": "bucket", "Key": "k" }));
    let arn = start(&world, &file, &json!({})).await;
    assert_eq!(end(&world, &arn).await, r#"SUCCEEDED [{"from":"S3://bucket/k","item":1}]"#);
}

#[tokio::test]
async fn what_cannot_be_read_fails_the_state() {
    let world = world().await;
    let reader = json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": { "InputType": "JSON" }, "Parameters": { "Bucket": "bucket", "Key": "nobody" } } });
    let arn = start(&world, &map("STANDARD", pass(), reader), &json!({})).await;
    let end = end(&world, &arn).await;
    assert!(end.starts_with("FAILED States.ItemReaderFailed"), "{end}");
    assert_eq!(run_of(&world, &arn).await["status"], "FAILED");
}

fn fails_on_three() -> Value {
    json!({ "C": { "Type": "Choice", "Default": "P", "Choices": [{ "Variable": "$", "NumericEquals": 3, "Next": "F" }] },
        "P": { "Type": "Pass", "End": true }, "F": { "Type": "Fail", "Error": "Three" } })
}

#[tokio::test]
async fn failures_are_tolerated_or_not() {
    for (more, expected, executions) in [
        (json!({ "ToleratedFailureCount": 1 }), "SUCCEEDED", "succeeded 3, failed 1, total 4"),
        (json!({ "ToleratedFailurePercentage": 25 }), "SUCCEEDED", "succeeded 3, failed 1, total 4"),
        (
            json!({ "MaxConcurrency": 1 }),
            "FAILED States.ExceedToleratedFailureThreshold",
            "succeeded 2, failed 1, total 3",
        ),
    ] {
        let world = world().await;
        let arn = start(&world, &map("STANDARD", fails_on_three(), more), &json!([1, 2, 3, 4])).await;
        let end = end(&world, &arn).await;
        assert!(end.starts_with(expected), "{end}");
        assert_eq!(counts(&run_of(&world, &arn).await["executionCounts"]), executions);
    }
}

#[tokio::test]
async fn results_are_exported() {
    let world = world().await;
    let writer = json!({ "ToleratedFailureCount": 1, "ResultWriter": {
        "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "bucket", "Prefix": "out" } } });
    let arn = start(&world, &map("STANDARD", fails_on_three(), writer), &json!([1, 2, 3])).await;
    let end = end(&world, &arn).await;
    let output: Value = serde_json::from_str(end.strip_prefix("SUCCEEDED ").unwrap()).unwrap();
    let run = run_of(&world, &arn).await;
    assert_eq!(output["MapRunArn"], run["mapRunArn"]);
    assert_eq!(run["executionCounts"]["resultsWritten"], 3);
    let manifest = get(&world, output["ResultWriterDetails"]["Key"].as_str().unwrap()).await;
    let file = |kind: &str| manifest["ResultFiles"][kind][0]["Key"].as_str().unwrap().to_owned();
    let succeeded = get(&world, &file("SUCCEEDED")).await;
    assert_eq!((&succeeded[0]["Output"], &succeeded[1]["Input"]), (&json!("1"), &json!("2")));
    let failed = get(&world, &file("FAILED")).await;
    assert_eq!((&failed[0]["Status"], &failed[0]["Error"]), (&json!("FAILED"), &json!("Three")));
    assert_eq!(manifest["ResultFiles"]["PENDING"], json!([]));
}

#[tokio::test]
async fn stopping_the_execution_stops_the_children() {
    let world = world().await;
    let wait = json!({ "C": { "Type": "Wait", "Seconds": 1000, "End": true } });
    let arn = start(&world, &map("STANDARD", wait, json!({})), &json!([1, 2, 3])).await;
    let run = run_of(&world, &arn).await;
    assert_eq!(
        (counts(&run["executionCounts"]), &run["status"]),
        ("running 3, total 3".to_owned(), &json!("RUNNING"))
    );
    let update = json!({ "mapRunArn": run["mapRunArn"], "maxConcurrency": 2, "toleratedFailureCount": 5 });
    world.ok("states", "UpdateMapRun", update).await;
    let changed = run_of(&world, &arn).await;
    assert_eq!((&changed["toleratedFailureCount"], &changed["maxConcurrency"]), (&json!(5), &json!(2)));
    let update = json!({ "mapRunArn": run["mapRunArn"], "toleratedFailurePercentage": 25.0 });
    world.ok("states", "UpdateMapRun", update).await;
    assert_eq!(run_of(&world, &arn).await["toleratedFailurePercentage"], 25.0);
    world.ok("states", "StopExecution", json!({ "executionArn": arn })).await;
    world.idle().await;
    let run = run_of(&world, &arn).await;
    assert_eq!(
        (counts(&run["executionCounts"]), &run["status"]),
        ("aborted 3, total 3".to_owned(), &json!("ABORTED"))
    );
    let machine = json!({ "stateMachineArn": "arn:aws:states:eu-central-1:000000000000:stateMachine:m" });
    world.ok("states", "DeleteStateMachine", machine).await;
    world.idle().await;
    let gone = world.refused("states", "DescribeMapRun", json!({ "mapRunArn": run["mapRunArn"] })).await;
    assert_eq!(gone.code, "ResourceNotFound");
}

#[tokio::test]
async fn the_runs_of_an_execution_are_listed_in_pages() {
    let world = world().await;
    let one = map("STANDARD", pass(), json!({}));
    let (mut first, mut second) = (one["States"]["M"].clone(), one["States"]["M"].clone());
    first["Next"] = json!("N");
    first.as_object_mut().unwrap().remove("End");
    second["Label"] = json!("K");
    second["ItemProcessor"]["StartAt"] = json!("D");
    second["ItemProcessor"]["States"] = json!({ "D": { "Type": "Pass", "End": true } });
    let definition = json!({ "StartAt": "M", "States": { "M": first, "N": second } });
    let arn = start(&world, &definition, &json!([1])).await;
    let (mut labels, mut input) = (Vec::new(), json!({ "executionArn": arn, "maxResults": 1 }));
    for _ in 0..3 {
        let page = world.ok("states", "ListMapRuns", input.clone()).await;
        let runs = page["mapRuns"].as_array().unwrap();
        assert!(runs.len() <= 1, "{runs:?}");
        labels.extend(runs.iter().map(|run| run["mapRunArn"].as_str().unwrap().contains("/L:")));
        if page["nextToken"].is_null() {
            break;
        }
        input["nextToken"] = page["nextToken"].clone();
    }
    // They began in one moment, so that their ids order them.
    labels.sort_unstable();
    assert_eq!(labels, [false, true]);
}

#[tokio::test]
async fn a_thousand_items_and_a_crash() {
    let mut world = world().await;
    let items: Vec<Value> = (0..1_000).map(|i| json!({ "i": i })).collect();
    put(&world, "many.json", &json!(items).to_string()).await;
    let more = json!({
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": { "InputType": "JSON" },
            "Parameters": { "Bucket": "bucket", "Key": "many.json" } },
        "ItemBatcher": { "MaxItemsPerBatch": 3 },
        "ResultPath": null,
    });
    let child =
        json!({ "C": { "Type": "Wait", "Seconds": 5, "Next": "P" }, "P": { "Type": "Pass", "End": true } });
    let arn = start(&world, &map("EXPRESS", child, more), &json!({ "kept": true })).await;
    world.advance(Duration::from_secs(2)).await;
    world.crash().await;
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(end(&world, &arn).await, r#"SUCCEEDED {"kept":true}"#);
    let run = run_of(&world, &arn).await;
    assert_eq!(counts(&run["itemCounts"]), "succeeded 1000, total 1000");
    assert_eq!(counts(&run["executionCounts"]), "succeeded 334, total 334");
}

/// Children of which one asks for a bucket that is not there yet.
fn heads() -> Value {
    json!({ "C": { "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:headBucket", "ResultPath": null,
        "Parameters": { "Bucket.$": "$" }, "End": true } })
}

async fn redrive(world: &World, arn: &str) {
    world.ok("states", "RedriveExecution", json!({ "executionArn": arn })).await;
}

#[tokio::test]
async fn a_redrive_runs_the_children_that_did_not_succeed() {
    for kind in ["STANDARD", "EXPRESS"] {
        let world = world().await;
        let items = json!(["bucket", "missing", "bucket", "bucket"]);
        let arn = start(&world, &map(kind, heads(), json!({ "MaxConcurrency": 1 })), &items).await;
        let failed = end(&world, &arn).await;
        assert!(failed.starts_with("FAILED States.ExceedToleratedFailureThreshold"), "{failed}");
        let run = run_of(&world, &arn).await;
        assert_eq!(counts(&run["itemCounts"]), "succeeded 1, failed 1, aborted 2, total 4");
        assert_eq!((&run["redriveCount"], run.get("redriveDate")), (&json!(0), None));
        let list = json!({ "mapRunArn": run["mapRunArn"], "statusFilter": "FAILED" });
        let bad = world.ok("states", "ListExecutions", list).await["executions"][0]["executionArn"].clone();
        if kind == "STANDARD" {
            let shown = world.ok("states", "DescribeExecution", json!({ "executionArn": bad })).await;
            assert_eq!(shown["redriveStatus"], "REDRIVABLE_BY_MAP_RUN");
            let refused = world.refused("states", "RedriveExecution", json!({ "executionArn": bad })).await;
            assert_eq!(refused.code, "ExecutionNotRedrivable");
        }

        world.advance(Duration::from_secs(60)).await;
        world.ok("s3", "CreateBucket", json!({ "Bucket": "missing" })).await;
        redrive(&world, &arn).await;
        world.idle().await;
        assert_eq!(end(&world, &arn).await, format!("SUCCEEDED {items}"));
        let run = run_of(&world, &arn).await;
        assert_eq!((&run["status"], &run["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
        assert!(run["redriveDate"].as_f64() > run["startDate"].as_f64(), "{run}");
        assert_eq!(counts(&run["itemCounts"]), "succeeded 4, total 4");
        assert_eq!(counts(&run["executionCounts"]), "succeeded 4, total 4");
        let history = world.ok("states", "GetExecutionHistory", json!({ "executionArn": arn })).await;
        let events = history["events"].as_array().unwrap();
        let of = |name: &str| events.iter().filter(|event| event["type"] == name).collect::<Vec<_>>();
        assert_eq!((of("MapRunStarted").len(), of("ExecutionRedriven").len()), (1, 1));
        let details = &of("MapRunRedriven")[0]["mapRunRedrivenEventDetails"];
        assert_eq!(details, &json!({ "mapRunArn": run["mapRunArn"], "redriveCount": 1 }));
        if kind == "STANDARD" {
            for (filter, expected) in [("REDRIVEN", 1), ("NOT_REDRIVEN", 3)] {
                let list = json!({ "mapRunArn": run["mapRunArn"], "redriveFilter": filter });
                let listed = world.ok("states", "ListExecutions", list).await;
                assert_eq!(listed["executions"].as_array().unwrap().len(), expected, "{filter}");
            }
            let shown = world.ok("states", "DescribeExecution", json!({ "executionArn": bad })).await;
            assert_eq!((&shown["status"], &shown["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
        }
    }
}

/// What a run that was stopped and redriven at once comes to, if the process dies after so many commits of the redrive.
async fn stopped_and_redriven(commits: Option<u32>) -> (bool, String, String) {
    let mut world = world().await;
    let wait = json!({ "C": { "Type": "Wait", "Seconds": 100, "End": true } });
    let more = json!({ "MaxConcurrency": 2 });
    let arn = start(&world, &map("STANDARD", wait, more), &json!([1, 2, 3])).await;
    world.ok("states", "StopExecution", json!({ "executionArn": arn })).await;
    if let Some(commits) = commits {
        world.die_after(commits);
    }
    let redrive = json!({ "executionArn": arn, "clientToken": "t" });
    let mut asked = world.call("states", "RedriveExecution", redrive.clone()).await.is_ok();
    world.advance(Duration::from_secs(50)).await;
    let died = world.is_dead();
    // All that follows is done by a process that lives.
    world.die_after(u32::MAX);
    if died {
        world.restart().await;
        if !asked {
            asked = world.call("states", "RedriveExecution", redrive).await.is_ok();
        }
    }
    assert!(asked);
    world.advance(Duration::from_secs(400)).await;
    (died, end(&world, &arn).await, counts(&run_of(&world, &arn).await["executionCounts"]))
}

#[tokio::test]
async fn a_run_is_redriven_while_it_stops_whenever_the_process_dies() {
    let expected = ("SUCCEEDED [1,2,3]".to_owned(), "succeeded 3, total 3".to_owned());
    let (died, end, counts) = stopped_and_redriven(None).await;
    assert_eq!((died, (end, counts)), (false, expected.clone()));
    for commits in 0.. {
        let (died, end, counts) = stopped_and_redriven(Some(commits)).await;
        assert_eq!((end, counts), expected, "after {commits} commits");
        if !died {
            assert!(commits > 10, "{commits}");
            break;
        }
    }
}

/// Runs a map over so many items; the bytes of the largest commit.
async fn many(items: usize) -> usize {
    let mut world = world().await;
    let file: String = (0..items).map(|i| format!("{{\"i\":{i}}}\n")).collect();
    put(&world, "many.jsonl", &file).await;
    // What the upload wrote is not the map's.
    world.restart().await;
    let more = json!({ "MaxConcurrency": 100, "ResultPath": null,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": { "InputType": "JSONL" },
            "Parameters": { "Bucket": "bucket", "Key": "many.jsonl" } } });
    let child = json!({ "C": { "Type": "Pass", "Result": 1, "End": true } });
    let arn = start(&world, &map("EXPRESS", child, more), &json!({})).await;
    assert_eq!(end(&world, &arn).await, "SUCCEEDED {}");
    let run = run_of(&world, &arn).await;
    let all = format!("succeeded {items}, total {items}");
    assert_eq!(counts(&run["executionCounts"]), all);
    world.largest_commit()
}

#[tokio::test]
async fn no_commit_grows_with_the_items() {
    let largest = many(1_000).await;
    // A page of 200 items, and a hundred children to start.
    assert!(largest < 100_000, "{largest}");
}

#[tokio::test]
#[ignore = "takes a minute in a debug build"]
async fn ten_thousand_items_need_no_larger_commit_than_a_thousand() {
    let thousand = many(1_000).await;
    let ten_thousand = many(10_000).await;
    assert!(ten_thousand < thousand + thousand / 10, "{ten_thousand} instead of {thousand}");
}
