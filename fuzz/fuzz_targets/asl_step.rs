//! A machine that parses can be told anything in any order: answers, timers, ends of map runs, stops. It waits, ends or
//! asks to be continued; what it is can be stored in between; and its states can be tried one by one.
#![no_main]

use asl::{
    Command, ExecutionInfo, Inspection, Item, Machine, MapRun, MapRunContext, MapRunEnd, MapRunStimulus, Mock,
    StepContext, Stimulus, TimerKind, inspect, redrive, start, step,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, json};

fuzz_target!(|data: (&str, &[u8])| {
    let (text, moves) = data;
    let Ok(machine) = Machine::parse(text) else { return };
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let input = json!({ "a": [1, { "b": "c" }], "n": null });
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
    let (mut run, commands) = start(&machine, input.clone(), &mut ctx);
    drive_map_runs(&machine, commands);
    for (wait_id, state) in run.waits() {
        let inspection = Inspection {
            machine: &machine,
            state: &state,
            input: input.clone(),
            variables: Map::new(),
            context: None,
            mock: wait_id.is_multiple_of(2).then(|| Mock::Result(json!([1]))),
            retrier_retry_count: 0,
            map_iteration_failure_count: None,
            map_item_reader_data: None,
        };
        let _ = inspect(inspection, &mut ctx);
    }
    for (at, way) in moves.iter().take(32).enumerate() {
        let waits = run.waits();
        let wait_id = waits.get(usize::from(*way) % waits.len().max(1)).map_or(u64::from(*way), |(wait, _)| *wait);
        let error = Some("E".to_owned());
        ctx.now_ms += i64::from(*way) * 1_000;
        let stimulus = match usize::from(*way) % 8 {
            0 => Stimulus::Continue,
            1 => Stimulus::TaskSucceeded { wait_id, output: json!({ "at": at }) },
            2 => Stimulus::TaskFailed { wait_id, error, cause: None },
            3 => Stimulus::TimerFired { wait_id, kind: TimerKind::Wait },
            4 => Stimulus::TimerFired { wait_id, kind: TimerKind::Retry },
            5 => Stimulus::TimerFired { wait_id, kind: TimerKind::Timeout },
            6 => Stimulus::MapRunEnded { wait_id, end: MapRunEnd::Succeeded { output: json!([at]) } },
            _ => Stimulus::Heartbeat { wait_id },
        };
        let commands = step(&machine, &mut run, stimulus, &mut ctx);
        drive_map_runs(&machine, commands);
    }
    step(&machine, &mut run, Stimulus::Stop { error: None, cause: None }, &mut ctx);
    assert!(run.is_closed());
    redrive(&machine, &mut run, &mut ctx);
    step(&machine, &mut run, Stimulus::Stop { error: None, cause: None }, &mut ctx);
    assert!(run.is_closed());
});

fn drive_map_runs(machine: &Machine, commands: Vec<Command>) {
    let named = Item { key: Some("k".to_owned()), source: Some("s3://b/k".to_owned()), ..Item::of(json!([2])) };
    let (mut random, items) = (|| 7, vec![Item::of(json!(1)), named]);
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    for command in commands {
        let Command::StartMapRun(request) = command else { continue };
        let mut run = MapRun::new(request.plan, request.items, machine, &mut step);
        run.step(machine, MapRunStimulus::Continue, &mut step);
        run.step(machine, MapRunStimulus::Items { items: items.clone(), cursor: None }, &mut step);
        run.step(machine, MapRunStimulus::Abort, &mut step);
        run.step(machine, MapRunStimulus::Redrive, &mut step);
    }
}
