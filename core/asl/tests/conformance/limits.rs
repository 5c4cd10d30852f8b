//! Bounds: the size of data, the length of a step, the life of a wait.

use asl::{
    Command, ExecutionInfo, HistoryEventType, Machine, Outcome, StepContext, Stimulus, TimerKind, start, step,
};
use serde_json::{Value, json};

use crate::world::{Keep, MACHINE_ARN, World};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

fn machine(definition: &Value) -> Machine {
    Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{found:?}"))
}

fn failure(world: &World<'_>) -> (Option<String>, Option<String>) {
    match world.outcome.clone() {
        Some(Outcome::Failed { error, cause }) => (error, cause),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_large_result_fails_the_task_and_can_be_caught() {
    let large = "x".repeat(262_143);
    for (resource, who) in [(FUNCTION, FUNCTION), ("arn:aws:states:::lambda:invoke", "lambda")] {
        let definition = json!({ "StartAt": "S", "States": {
            "S": { "Type": "Task", "Resource": resource, "End": true,
                   "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }] },
            "Caught": { "Type": "Pass", "End": true } } });
        let answers = json!({ "S": [{ "ok": large }] });
        let machine = machine(&definition);
        let world = World::new(&machine, "{}", &answers, Keep::InMemory).run(None);
        let cause = format!(
            "The state/task '{who}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        let output = json!({ "Error": "States.DataLimitExceeded", "Cause": cause }).to_string();
        assert_eq!(world.outcome, Some(Outcome::Succeeded { output }));
        let failed = [HistoryEventType::TaskFailed, HistoryEventType::LambdaFunctionFailed];
        assert!(failed.contains(&world.events[4].event_type));
    }
}

#[test]
fn a_result_at_the_limit_passes() {
    let definition =
        json!({ "StartAt": "S", "States": { "S": { "Type": "Task", "Resource": FUNCTION, "End": true } } });
    let answers = json!({ "S": [{ "ok": "x".repeat(262_142) }] });
    let machine = machine(&definition);
    let world = World::new(&machine, "{}", &answers, Keep::InMemory).run(None);
    assert!(matches!(world.outcome, Some(Outcome::Succeeded { .. })));
}

#[test]
fn a_state_that_grows_too_large_ends_the_execution() {
    let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Parallel", "End": true,
        "Branches": [{ "StartAt": "A", "States": { "A": { "Type": "Pass",
            "Parameters": { "a.$": "$", "b.$": "$" }, "End": true } } }],
        "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "C" }] }, "C": { "Type": "Pass", "End": true } } });
    let machine = machine(&definition);
    let world =
        World::new(&machine, &json!("x".repeat(140_000)).to_string(), &Value::Null, Keep::InMemory).run(None);
    let cause = "The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit.";
    assert_eq!(failure(&world), (Some("States.DataLimitExceeded".into()), Some(cause.into())));
}

#[test]
fn long_runs_are_cut_into_steps() {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Parameters": { "n.$": "States.MathAdd($.n, 1)" }, "Next": "B" },
        "B": { "Type": "Choice", "Choices": [{ "Variable": "$.n", "NumericLessThan": 1000, "Next": "A" }], "Default": "C" },
        "C": { "Type": "Succeed" } } });
    let machine = machine(&definition);
    let mut histories = Vec::new();
    for keep in [Keep::InMemory, Keep::AsJson, Keep::AsMsgpack] {
        let world = World::new(&machine, r#"{"n":0}"#, &Value::Null, keep).run(None);
        assert_eq!(world.outcome, Some(Outcome::Succeeded { output: r#"{"n":1000}"#.into() }));
        assert_eq!(world.continues(), 10);
        histories.push(world.events);
    }
    assert_eq!(histories[0], histories[1]);
    assert_eq!(histories[0], histories[2]);
}

#[test]
fn a_map_runs_forty_iterations_at_once() {
    let definition = json!({ "StartAt": "M", "States": { "M": { "Type": "Map", "End": true, "MaxConcurrency": 1000,
        "ItemProcessor": { "StartAt": "I", "States": { "I": { "Type": "Wait", "Seconds": 1, "End": true } } } } } });
    let machine = machine(&definition);
    let input = json!((0..100).collect::<Vec<i32>>()).to_string();
    let world = World::new(&machine, &input, &Value::Null, Keep::AsMsgpack).run(None);
    let (mut live, mut most) = (0, 0);
    for event in &world.events {
        match event.event_type {
            HistoryEventType::MapIterationStarted => live += 1,
            HistoryEventType::MapIterationSucceeded => live -= 1,
            _ => {}
        }
        most = most.max(live);
    }
    assert_eq!((most, live), (40, 0));
    assert_eq!(world.outcome, Some(Outcome::Succeeded { output: input }));
}

#[test]
fn stimuli_without_a_wait_do_nothing() {
    let definition = json!({ "StartAt": "S", "TimeoutSeconds": 100, "States": { "S": {
        "Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "TimeoutSeconds": 10,
        "HeartbeatSeconds": 5, "End": true } } });
    let machine = machine(&definition);
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let execution = ExecutionInfo {
        arn: "arn",
        name: "e",
        input: "{}",
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
    let (mut run, commands) = start(&machine, json!({}), &mut ctx);
    let timers = |commands: &[Command]| -> Vec<(TimerKind, i64)> {
        let timer = |command: &Command| match command {
            Command::StartTimer { kind, at_ms, .. } => Some((*kind, *at_ms)),
            _ => None,
        };
        commands.iter().filter_map(timer).collect()
    };
    assert_eq!(timers(&commands), [(TimerKind::Execution, 100_000), (TimerKind::Timeout, 10_000)]);
    let mut tell = |now_ms, stimulus| {
        ctx.now_ms = now_ms;
        step(&machine, &mut run, stimulus, &mut ctx)
    };
    let started = Stimulus::TaskStarted { wait_id: 1, worker_name: None };
    assert_eq!(timers(&tell(1_000, started.clone())), [(TimerKind::Heartbeat, 6_000)]);
    let fired = |wait_id, kind| Stimulus::TimerFired { wait_id, kind };
    for ignored in [
        started,
        fired(1, TimerKind::Wait),
        fired(1, TimerKind::Timeout),
        fired(0, TimerKind::Execution),
        fired(9, TimerKind::Timeout),
        Stimulus::TaskSucceeded { wait_id: 9, output: json!(1) },
        Stimulus::Heartbeat { wait_id: 9 },
        Stimulus::Continue,
    ] {
        assert_eq!(tell(2_000, ignored.clone()), [], "{ignored:?}");
    }
    assert_eq!(timers(&tell(4_000, Stimulus::Heartbeat { wait_id: 1 })), [(TimerKind::Heartbeat, 9_000)]);
    assert_eq!(tell(6_000, fired(1, TimerKind::Heartbeat)), [], "the heartbeat came in between");
    let ended = tell(9_000, fired(1, TimerKind::Heartbeat));
    let outcome = Outcome::Failed { error: Some("States.Timeout".into()), cause: None };
    assert_eq!(ended.last(), Some(&Command::Finish(outcome)));
    assert!(ended.contains(&Command::CancelTask { wait_id: 1 }));
    assert!(ended.contains(&Command::CancelTimer { wait_id: 1, kind: TimerKind::Timeout }));
    assert_eq!(tell(100_000, fired(0, TimerKind::Execution)), [], "after the end");
    assert_eq!(tell(100_000, Stimulus::Stop { error: None, cause: None }), []);
    assert!(run.is_closed());
}

#[test]
fn large_data_cut_steps_short() {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Next": "B" }, "B": { "Type": "Pass", "Next": "C" }, "C": { "Type": "Pass", "Next": "D" },
        "D": { "Type": "Pass", "Next": "E" }, "E": { "Type": "Pass", "Next": "F" }, "F": { "Type": "Pass", "End": true } } });
    let machine = machine(&definition);
    let world = World::new(&machine, &json!("x".repeat(250_000)).to_string(), &Value::Null, Keep::AsMsgpack)
        .run(None);
    assert!(matches!(world.outcome, Some(Outcome::Succeeded { .. })));
    // Each state writes its data twice, and the start once: 2 MB are passed after the fourth.
    assert_eq!(world.continues(), 1);
    let small = World::new(&machine, "{}", &Value::Null, Keep::InMemory).run(None);
    assert_eq!(small.continues(), 0);
}

#[test]
fn a_parallel_whose_results_are_too_large_together_is_redriven_as_a_whole() {
    let branch = |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Task", "Resource": FUNCTION, "End": true } } });
    let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Parallel", "End": true,
        "Branches": [branch("A"), branch("B")] } } });
    let large = json!({ "ok": "x".repeat(140_000) });
    let answers = json!({ "A": [large.clone(), { "ok": "a" }], "B": [large, { "ok": "b" }] });
    let machine = machine(&definition);
    let world = World::new(&machine, "{}", &answers, Keep::AsMsgpack).run_and_redrive(None, 1);
    assert_eq!(world.outcome, Some(Outcome::Succeeded { output: r#"["a","b"]"#.into() }));
    let times = |wanted| world.events.iter().filter(|event| event.event_type == wanted).count();
    assert_eq!(times(HistoryEventType::LambdaFunctionScheduled), 4, "both branches, twice");
    assert_eq!(
        (times(HistoryEventType::ParallelStateStarted), times(HistoryEventType::ExecutionRedriven)),
        (2, 1)
    );
}
