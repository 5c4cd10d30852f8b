//! Runs of distributed maps: a small service around [`MapRun`] that reads pages out of files, runs children, and keeps
//! the run's value as a store would between any two steps.

use std::collections::{BTreeMap, VecDeque};

use asl::{
    ChildOutcome, Command, ExecutionInfo, Item, ItemSource, Machine, MapRun, MapRunCommand, MapRunContext,
    MapRunEnd, MapRunRequest, MapRunStimulus, Outcome, StepContext, Unsuccessful, decode, start,
};
use serde_json::{Value, json};

use crate::world::MACHINE_ARN;

/// A run, and how it went so far.
pub(crate) struct Driven {
    pub(crate) end: MapRunEnd,
    pub(crate) run: MapRun,
    pub(crate) most_running: u64,
    pub(crate) most_bytes: usize,
    pub(crate) pages: usize,
    pub(crate) started: Vec<Value>,
    pub(crate) redriven: Vec<u64>,
    /// By number: the input, how many items are in it, and what came of it.
    children: BTreeMap<u64, (Value, u64, Outcome)>,
}

/// Drives a run to its end. `files`: `{"file": text}`, read whatever the bucket; `{"list": […]}` for objects.
pub(crate) fn drive_to_end(
    machine: &Machine,
    request: MapRunRequest,
    files: &Value,
    child: &mut dyn FnMut(&Value) -> Outcome,
) -> Driven {
    let mut random = || 7;
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    let mut driven = Driven {
        end: MapRunEnd::Aborted,
        run: MapRun::new(request.plan, request.items, machine, &mut step),
        most_running: 0,
        most_bytes: 0,
        pages: 0,
        started: Vec::new(),
        redriven: Vec::new(),
        children: BTreeMap::new(),
    };
    driven.go_on(machine, MapRunStimulus::Continue, files, child);
    driven
}

fn outcome(outcome: &Outcome) -> ChildOutcome {
    match outcome {
        Outcome::Succeeded { .. } => ChildOutcome::Succeeded,
        Outcome::TimedOut => ChildOutcome::TimedOut,
        Outcome::Aborted { .. } => ChildOutcome::Aborted,
        Outcome::Failed { .. } => ChildOutcome::Failed,
    }
}

impl Driven {
    /// Drives it on, from this stimulus to its end.
    pub(crate) fn go_on(
        &mut self,
        machine: &Machine,
        first: MapRunStimulus,
        files: &Value,
        child: &mut dyn FnMut(&Value) -> Outcome,
    ) {
        let mut random = || 7;
        let mut step = MapRunContext { now_ms: 0, random: &mut random };
        let mut stimuli = VecDeque::from([first]);
        loop {
            let stimulus = stimuli.pop_front().expect("the run goes on");
            let stored = rmp_serde::to_vec(&self.run).unwrap();
            self.most_bytes = self.most_bytes.max(stored.len());
            self.run = rmp_serde::from_slice(&stored).unwrap();
            let commands = self.run.step(machine, stimulus, &mut step);
            self.most_running = self.most_running.max(self.run.execution_counts().running);
            for command in commands {
                match command {
                    MapRunCommand::ReadItems { cursor, at_most } => {
                        self.pages += 1;
                        stimuli.push_back(read(&self.run, files, cursor.as_deref(), at_most as usize));
                    }
                    MapRunCommand::StartChild { number, input, items } => {
                        self.started.push(input.clone());
                        stimuli.push_back(self.child(number, input, items, child));
                    }
                    MapRunCommand::RedriveChild(Unsuccessful { number, .. }) => {
                        self.redriven.push(number);
                        let (input, items, _) = self.children[&number].clone();
                        stimuli.push_back(self.child(number, input, items, child));
                    }
                    MapRunCommand::FindUnsuccessful { after, at_most } => {
                        stimuli.push_back(self.unsuccessful(after, at_most as usize));
                    }
                    MapRunCommand::BeginRedrive | MapRunCommand::StopChildren => {}
                    MapRunCommand::CollectResults => stimuli.push_back(self.results()),
                    MapRunCommand::Continue => stimuli.push_back(MapRunStimulus::Continue),
                    MapRunCommand::Finish(end) => {
                        self.end = end;
                        return;
                    }
                }
            }
        }
    }

    fn child(
        &mut self,
        number: u64,
        input: Value,
        items: u64,
        child: &mut dyn FnMut(&Value) -> Outcome,
    ) -> MapRunStimulus {
        let ended = child(&input);
        let stimulus = MapRunStimulus::ChildEnded { items, outcome: outcome(&ended) };
        self.children.insert(number, (input, items, ended));
        stimulus
    }

    fn unsuccessful(&self, after: Option<u64>, at_most: usize) -> MapRunStimulus {
        let behind = self.children.iter().filter(|(number, _)| after.is_none_or(|after| **number > after));
        let bad = behind.filter_map(|(number, (_, items, ended))| {
            let outcome = outcome(ended);
            let child = Unsuccessful { number: *number, items: *items, outcome };
            (outcome != ChildOutcome::Succeeded).then_some(child)
        });
        let mut children: Vec<Unsuccessful> = bad.collect();
        let more = children.len() > at_most;
        children.truncate(at_most);
        let next = children.last().map(|child| child.number).filter(|_| more);
        MapRunStimulus::Unsuccessful { children, next }
    }

    fn results(&self) -> MapRunStimulus {
        let output = |ended: &Outcome| match ended {
            Outcome::Succeeded { output } => Some(serde_json::from_str::<Value>(output).unwrap()),
            _ => None,
        };
        let outputs: Vec<Value> = self.children.values().filter_map(|(_, _, ended)| output(ended)).collect();
        MapRunStimulus::Results { written: outputs.len() as u64, output: Value::Array(outputs) }
    }
}

fn read(run: &MapRun, files: &Value, cursor: Option<&str>, at_most: usize) -> MapRunStimulus {
    let page = match &run.plan().source {
        ItemSource::Object { format, .. } => match files["file"].as_str() {
            Some(file) => decode(format, file.as_bytes(), cursor, at_most),
            None => Err("The specified key does not exist.".to_owned()),
        },
        ItemSource::Objects { .. } | ItemSource::Contents { .. } => {
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
        redrive_count: Some(0),
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
    let end = drive_to_end(&machine, run.clone(), &json!({ "file": "3" }), &mut succeed).end;
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

#[test]
fn a_run_is_redriven() {
    let definition = map(&json!({ "MaxConcurrency": 7, "ToleratedFailureCount": 3,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket": "b", "Key": "k" },
            "ReaderConfig": { "InputType": "JSONL" } } }));
    let (machine, request) = request(&definition, &json!({}));
    let file: String = (0..1_000).map(|n| format!("{n}\n")).collect();
    let files = json!({ "file": file });
    // Every tenth fails the first time, and the run with the fourth of them.
    let mut driven =
        drive_to_end(&machine, request, &files, &mut |input| match input.as_i64().unwrap() % 10 {
            9 => Outcome::Failed { error: None, cause: None },
            _ => succeed(input),
        });
    assert!(matches!(&driven.end, MapRunEnd::Failed { error, .. } if error.contains("Tolerated")));
    let (items, started) = (driven.run.item_counts(), driven.started.len() as u64);
    assert_eq!((items.failed, items.succeeded + 4, items.total), (4, started, 200));
    assert_eq!(items.aborted, 200 - started, "those that did not begin");

    driven.go_on(&machine, MapRunStimulus::Redrive, &files, &mut succeed);
    let MapRunEnd::Succeeded { output } = &driven.end else { panic!("{:?}", driven.end) };
    assert_eq!(output, &json!((0..1_000).collect::<Vec<i64>>()), "each item once, in order");
    assert_eq!(driven.redriven, [9, 19, 29, 39]);
    assert_eq!((driven.started.len(), driven.most_running, driven.run.redrive_count()), (1_000, 7, 1));
    let counts = driven.run.item_counts();
    assert_eq!((counts.succeeded, counts.failed, counts.aborted, counts.pending_redrive), (1_000, 0, 0, 0));
}

#[test]
fn a_redrive_waits_until_the_run_rests_and_may_fail_again() {
    let (machine, request) = request(&map(&json!({ "MaxConcurrency": 2 })), &json!([1, 2, 3]));
    let mut random = || 7;
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    let mut live = MapRun::new(request.plan, request.items, &machine, &mut step);
    let mut tell = |stimulus| live.step(&machine, stimulus, &mut step);
    let ended = |outcome| MapRunStimulus::ChildEnded { items: 1, outcome };
    assert_eq!(tell(MapRunStimulus::Continue).len(), 2);
    assert_eq!(tell(MapRunStimulus::Abort).len(), 2);
    assert_eq!(tell(MapRunStimulus::Redrive), [], "two children still run");
    assert_eq!(tell(ended(ChildOutcome::Aborted)), []);
    let begun = tell(ended(ChildOutcome::TimedOut));
    let find = MapRunCommand::FindUnsuccessful { after: None, at_most: 200 };
    assert_eq!(begun, [MapRunCommand::BeginRedrive, find]);
    let child = |number, outcome| Unsuccessful { number, items: 1, outcome };
    let (first, second) = (child(0, ChildOutcome::Aborted), child(1, ChildOutcome::TimedOut));
    let children = vec![first.clone(), second.clone()];
    let again = tell(MapRunStimulus::Unsuccessful { children, next: None });
    assert_eq!(again, [MapRunCommand::RedriveChild(first), MapRunCommand::RedriveChild(second)]);
    let refused = MapRunStimulus::ChildNotRedrivable { items: 1, outcome: ChildOutcome::TimedOut };
    assert_eq!(tell(refused), [MapRunCommand::StopChildren], "it counts against the tolerance");
    let failed = tell(ended(ChildOutcome::Aborted));
    assert!(matches!(&failed[..], [MapRunCommand::Finish(MapRunEnd::Failed { .. })]), "{failed:?}");
    let counts = live.execution_counts();
    assert_eq!((counts.timed_out, counts.aborted, counts.failures_not_redrivable), (1, 1, 1));
    assert_eq!(live.item_counts().aborted, 2, "with the one that never began");
}
