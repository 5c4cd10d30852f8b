//! Runs of distributed maps: a small service around [`MapRun`] that reads pages out of files, runs children, and keeps
//! the run's value as a store would between any two steps.

use std::collections::{BTreeMap, VecDeque};

use asl::{
    ChildOutcome, Command, ExecutionInfo, Item, ItemSource, Machine, MapRun, MapRunCommand, MapRunContext,
    MapRunEnd, MapRunRequest, MapRunStimulus, Outcome, StepContext, decode, start,
};
use serde_json::{Value, json};

use crate::world::MACHINE_ARN;

/// What a run came to, and how it went there.
pub(crate) struct Driven {
    pub(crate) end: MapRunEnd,
    pub(crate) run: MapRun,
    pub(crate) most_running: u64,
    pub(crate) most_bytes: usize,
    pub(crate) pages: usize,
    pub(crate) started: Vec<Value>,
}

/// Drives a run to its end. `files`: `{"file": text}`, read whatever the bucket; `{"list": […]}` for objects.
pub(crate) fn drive(
    machine: &Machine,
    request: MapRunRequest,
    files: &Value,
    child: &mut dyn FnMut(&Value) -> Outcome,
) -> MapRunEnd {
    drive_to_end(machine, request, files, child).end
}

pub(crate) fn drive_to_end(
    machine: &Machine,
    request: MapRunRequest,
    files: &Value,
    child: &mut dyn FnMut(&Value) -> Outcome,
) -> Driven {
    let mut random = || 7;
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    let mut run = MapRun::new(request.plan, request.items, machine, &mut step);
    let mut stimuli = VecDeque::from([MapRunStimulus::Continue]);
    let mut outputs = BTreeMap::new();
    let (mut most_running, mut most_bytes, mut pages, mut started) = (0, 0, 0, Vec::new());
    loop {
        let stimulus = stimuli.pop_front().expect("the run goes on");
        let stored = rmp_serde::to_vec(&run).unwrap();
        most_bytes = most_bytes.max(stored.len());
        run = rmp_serde::from_slice(&stored).unwrap();
        let commands = run.step(machine, stimulus, &mut step);
        most_running = most_running.max(run.execution_counts().running);
        for command in commands {
            match command {
                MapRunCommand::ReadItems { cursor, at_most } => {
                    pages += 1;
                    stimuli.push_back(read(&run, files, cursor.as_deref(), at_most as usize));
                }
                MapRunCommand::StartChild { number, input, items } => {
                    started.push(input.clone());
                    let outcome = match child(&input) {
                        Outcome::Succeeded { output } => {
                            outputs.insert(number, serde_json::from_str::<Value>(&output).unwrap());
                            ChildOutcome::Succeeded
                        }
                        Outcome::TimedOut => ChildOutcome::TimedOut,
                        Outcome::Aborted { .. } => ChildOutcome::Aborted,
                        Outcome::Failed { .. } => ChildOutcome::Failed,
                    };
                    stimuli.push_back(MapRunStimulus::ChildEnded { items, outcome });
                }
                MapRunCommand::StopChildren => {}
                MapRunCommand::CollectResults => {
                    let written = outputs.len() as u64;
                    let output = Value::Array(outputs.values().cloned().collect());
                    stimuli.push_back(MapRunStimulus::Results { output, written });
                }
                MapRunCommand::Continue => stimuli.push_back(MapRunStimulus::Continue),
                MapRunCommand::Finish(end) => {
                    return Driven { end, run, most_running, most_bytes, pages, started };
                }
            }
        }
    }
}

fn read(run: &MapRun, files: &Value, cursor: Option<&str>, at_most: usize) -> MapRunStimulus {
    let page = match &run.plan().source {
        ItemSource::Object { format, .. } => match files["file"].as_str() {
            Some(file) => decode(format, file.as_bytes(), cursor, at_most),
            None => Err("The specified key does not exist.".to_owned()),
        },
        ItemSource::Objects { .. } => {
            let all = files["list"].as_array().cloned().unwrap_or_default();
            let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            let items: Vec<Item> = all.iter().skip(from).take(at_most).cloned().map(Item::of).collect();
            let next = from + items.len();
            let cursor = (next < all.len()).then(|| next.to_string());
            return MapRunStimulus::Items { items, cursor };
        }
        ItemSource::Given => Ok(asl::ItemPage { items: Vec::new(), cursor: None }),
    };
    match page {
        Ok(page) => MapRunStimulus::Items { items: page.items, cursor: page.cursor },
        Err(cause) => MapRunStimulus::ItemsFailed { cause },
    }
}

/// The map run that the machine's first state asks for.
fn request(definition: &Value, input: &Value) -> (Machine, MapRunRequest) {
    let machine = Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{found:?}"));
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let text = input.to_string();
    let execution = ExecutionInfo {
        arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
        name: "e",
        input: &text,
        start_ms: 0,
        role_arn: "role",
        redrive_count: 0,
        machine_arn: MACHINE_ARN,
        machine_name: "m",
        machine_version_arn: None,
        machine_alias_arn: None,
        history_events_max: None,
    };
    let mut ctx = StepContext { now_ms: 0, execution, random: &mut random, task_token: &mut task_token };
    let (run, commands) = start(&machine, input.clone(), &mut ctx);
    assert!(
        rmp_serde::to_vec(&run).unwrap().len() < 2_000 + text.len(),
        "items do not stay in the execution"
    );
    let request = commands.into_iter().find_map(|command| match command {
        Command::StartMapRun(request) => Some(*request),
        _ => None,
    });
    (machine, request.expect("a map run"))
}

fn map(fields: &Value) -> Value {
    let mut state = json!({ "Type": "Map", "End": true, "Label": "lines", "ItemProcessor": {
        "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
        "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } } });
    state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "StartAt": "M", "States": { "M": state } })
}

fn succeed(input: &Value) -> Outcome {
    Outcome::Succeeded { output: input.to_string() }
}

#[test]
fn ten_thousand_items_pass_through_a_small_row() {
    let definition = map(&json!({ "MaxConcurrency": 50,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket.$": "$.b", "Key": "k" },
            "ReaderConfig": { "InputType": "JSONL" } },
        "ItemSelector": { "n.$": "$$.Map.Item.Value.n", "i.$": "$$.Map.Item.Index", "b.$": "$.b" } }));
    let (machine, request) = request(&definition, &json!({ "b": "bucket" }));
    let parameters = json!({ "Bucket": "bucket", "Key": "k" });
    assert_eq!(request.plan.source, ItemSource::Object { parameters, format: asl::ItemFormat::JsonLines });
    assert!(request.map_run_arn.starts_with("arn:aws:states:eu-west-1:123456789012:mapRun:m/lines:"));
    let file: String = (0..10_000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let driven = drive_to_end(&machine, request, &json!({ "file": file }), &mut succeed);
    let MapRunEnd::Succeeded { output } = driven.end else { panic!("{:?}", driven.end) };
    assert_eq!(output.as_array().unwrap().len(), 10_000);
    assert_eq!(output[9_999], json!({ "n": 9_999, "i": 9_999, "b": "bucket" }));
    assert_eq!(driven.run.execution_counts().succeeded, 10_000);
    assert_eq!((driven.most_running, driven.pages), (50, 50));
    assert!(driven.most_bytes < 20_000, "{} bytes", driven.most_bytes);
}

#[test]
fn batches_are_filled_across_pages() {
    let definition = map(&json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:listObjectsV2",
            "Parameters": { "Bucket": "b" }, "ReaderConfig": { "MaxItems": 410 } },
        "ItemBatcher": { "MaxItemsPerBatch": 150, "BatchInput": { "fact.$": "$.fact" } } }));
    let (machine, request) = request(&definition, &json!({ "fact": true }));
    let list: Vec<Value> = (0..1_000).map(|n| json!({ "Key": n })).collect();
    let driven = drive_to_end(&machine, request, &json!({ "list": list }), &mut succeed);
    let sizes: Vec<usize> =
        driven.started.iter().map(|input| input["Items"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [150, 150, 110]);
    assert_eq!(driven.started[2]["BatchInput"], json!({ "fact": true }));
    assert_eq!(driven.started[2]["Items"][109], json!({ "Key": 409 }));
    let (items, executions) = (driven.run.item_counts(), driven.run.execution_counts());
    assert_eq!(
        (items.total, items.succeeded, executions.total, executions.results_written),
        (410, 410, 3, 3)
    );
}

#[test]
fn batches_are_bounded_in_bytes() {
    let definition = map(&json!({ "ItemBatcher": { "MaxInputBytesPerBatch": 30 } }));
    let (machine, request) = request(&definition, &json!(["aaaaaaaa", "bb", "cc", "d"]));
    let driven = drive_to_end(&machine, request, &Value::Null, &mut succeed);
    assert!(driven.started.iter().all(|input| input.to_string().len() <= 30));
    assert_eq!(driven.started, [json!({ "Items": ["aaaaaaaa", "bb"] }), json!({ "Items": ["cc", "d"] })]);
}

#[test]
fn failures_are_tolerated_up_to_a_bound() {
    let tolerated = |fields: &Value, bad: i64| -> (MapRunEnd, MapRun) {
        let (machine, request) = request(&map(fields), &json!((0..20).collect::<Vec<i64>>()));
        let mut child = |input: &Value| match input.as_i64().unwrap() < bad {
            true => Outcome::Failed { error: None, cause: None },
            false => succeed(input),
        };
        let driven = drive_to_end(&machine, request, &Value::Null, &mut child);
        (driven.end, driven.run)
    };
    let exceeded = MapRunEnd::Failed {
        error: "States.ExceedToleratedFailureThreshold".to_owned(),
        cause: "The specified tolerated failure threshold was exceeded".to_owned(),
    };
    for (fields, bad, fails) in [
        (json!({}), 0, false),
        (json!({}), 1, true),
        (json!({ "ToleratedFailureCount": 2 }), 2, false),
        (json!({ "ToleratedFailureCount": 2 }), 3, true),
        (json!({ "ToleratedFailurePercentage": 25 }), 5, false),
        (json!({ "ToleratedFailurePercentage": 25 }), 6, true),
        (json!({ "ToleratedFailurePercentage": 100 }), 20, false),
        (json!({ "ToleratedFailurePercentage": 50, "ToleratedFailureCount": 3 }), 4, true),
    ] {
        let (end, run) = tolerated(&fields, bad);
        assert_eq!(end == exceeded, fails, "{fields} {bad} {end:?}");
        assert_eq!(run.item_counts().failed, bad as u64);
        assert_eq!(run.status().as_str(), if fails { "FAILED" } else { "SUCCEEDED" });
    }
}

#[test]
fn what_ends_a_run_otherwise() {
    let reader = json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": { "Bucket": "b", "Key": "k" }, "ReaderConfig": { "InputType": "JSON" } } });
    let (machine, run) = request(&map(&reader), &json!({}));
    let end = drive(&machine, run.clone(), &json!({ "file": "3" }), &mut succeed);
    let cause = "the file holds neither an array nor an object".to_owned();
    assert_eq!(end, MapRunEnd::Failed { error: "States.ItemReaderFailed".to_owned(), cause });

    let mut random = || 7;
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    let mut live = MapRun::new(run.plan, Vec::new(), &machine, &mut step);
    let asked = live.step(&machine, MapRunStimulus::Continue, &mut step);
    assert_eq!(asked, [MapRunCommand::ReadItems { cursor: None, at_most: 200 }]);
    assert_eq!(live.step(&machine, MapRunStimulus::Continue, &mut step), [], "it waits for its page");
    let update = MapRunStimulus::Update {
        max_concurrency: Some(1),
        tolerated_failure_count: Some(5),
        tolerated_failure_percentage: None,
    };
    assert_eq!(live.step(&machine, update, &mut step), []);
    let items = [1, 2, 3].map(|n| Item::of(json!(n))).to_vec();
    let started = live.step(&machine, MapRunStimulus::Items { items, cursor: None }, &mut step);
    assert_eq!(started, [MapRunCommand::StartChild { number: 0, input: json!(1), items: 1 }]);
    let aborted = live.step(&machine, MapRunStimulus::Abort, &mut step);
    assert_eq!(aborted, [MapRunCommand::StopChildren, MapRunCommand::Finish(MapRunEnd::Aborted)]);
    let late = MapRunStimulus::ChildEnded { items: 1, outcome: ChildOutcome::Aborted };
    assert_eq!(live.step(&machine, late, &mut step), [], "after the end");
    let counts = live.item_counts();
    assert_eq!((counts.total, counts.aborted, counts.running, counts.pending), (3, 3, 0, 0));
}
