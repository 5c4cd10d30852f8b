//! What it costs to parse a machine and to run it: three Pass states, and one task with its answer.
#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use asl::{ExecutionInfo, Machine, StepContext, Stimulus, start, step};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;

fn with_context<R>(input: &str, work: impl FnOnce(&mut StepContext<'_>) -> R) -> R {
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let execution = ExecutionInfo {
        arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
        name: "e",
        input,
        start_ms: 0,
        role_arn: "arn:aws:iam::123456789012:role/r",
        redrive_count: Some(0),
        machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
        machine_name: "m",
        machine_version_arn: None,
        machine_alias_arn: None,
        history_events_max: Some(25_000),
    };
    work(&mut StepContext { now_ms: 0, execution, random: &mut random, task_token: &mut task_token })
}

fn passes(c: &mut Criterion) {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Next": "B" },
        "B": { "Type": "Pass", "Parameters": { "id.$": "$.id", "text.$": "States.Format('{} of {}', $.id, $$.Execution.Name)" },
               "ResultPath": "$.made", "Next": "C" },
        "C": { "Type": "Pass", "Result": { "done": true }, "ResultPath": "$.result", "End": true } } })
    .to_string();
    let machine = Machine::parse(&definition).expect("a valid definition");
    let input = r#"{"id":"4711","list":[1,2,3],"deep":{"a":{"b":"c"}}}"#;
    c.bench_function("parse three passes", |b| b.iter(|| Machine::parse(black_box(&definition))));
    c.bench_function("run three passes", |b| {
        b.iter(|| {
            let value = serde_json::from_str(input).expect("JSON");
            with_context(input, |ctx| black_box(start(&machine, value, ctx)))
        });
    });
    let definition = json!({ "StartAt": "A", "States": { "A": { "Type": "Task", "End": true, "TimeoutSeconds": 60,
        "Resource": "arn:aws:states:::lambda:invoke", "Parameters": { "FunctionName": "f", "Payload.$": "$" } } } });
    let machine = Machine::parse(&definition.to_string()).expect("a valid definition");
    c.bench_function("run one task, stored in between", |b| {
        b.iter(|| {
            let value = serde_json::from_str(input).expect("JSON");
            let (run, _) = with_context(input, |ctx| start(&machine, value, ctx));
            let stored = rmp_serde::to_vec(&run).expect("storable");
            let mut run = rmp_serde::from_slice(&stored).expect("readable");
            let answer = Stimulus::TaskSucceeded { wait_id: 1, output: json!({ "Payload": 1 }) };
            with_context(input, |ctx| black_box(step(&machine, &mut run, answer, ctx)))
        });
    });
}

criterion_group!(benches, passes);
criterion_main!(benches);
