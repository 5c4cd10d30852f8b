//! Any text is a machine or a list of errors, any text is a path or none, and a machine that parses can be run until it
//! waits, ends or asks to be continued.
#![no_main]

use asl::jsonpath::Path;
use asl::{ExecutionInfo, Machine, StepContext, start};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let input = json!({ "a": [1, { "b": "c" }], "n": null });
    if let Ok(path) = Path::parse(text) {
        let _ = path.select(&input);
        let _ = path.write(input.clone(), json!(1));
    }
    let Ok(machine) = Machine::parse(text) else { return };
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let input_text = input.to_string();
    let execution = ExecutionInfo {
        arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
        name: "e",
        input: &input_text,
        start_ms: 0,
        role_arn: "arn:aws:iam::123456789012:role/r",
        redrive_count: Some(0),
        machine_arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
        machine_name: "m",
        machine_version_arn: None,
        machine_alias_arn: None,
        history_events_max: Some(1_000),
    };
    let mut ctx = StepContext { now_ms: 0, execution, random: &mut random, task_token: &mut task_token };
    let (run, _) = start(&machine, input, &mut ctx);
    assert!(run.is_closed() || !run.waits().is_empty() || run.transitions() > 0);
});
