//! Whatever happens to an execution, in whatever order: it waits, ends or asks to be continued, what it is can be stored
//! in between, and what ended without success can be redriven. The machines are those of `tests/histories`.

use std::fs;
use std::sync::LazyLock;

use asl::{
    ChildOutcome, Command, Execution, ExecutionInfo, Item, Machine, MapRun, MapRunContext, MapRunEnd,
    MapRunStimulus, StepContext, Stimulus, TimerKind, Unsuccessful, redrive, start, step,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::MACHINE_ARN;

/// Definitions with an input each, and map runs that they ask for.
static MACHINES: LazyLock<Vec<(Machine, String)>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let case: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            let input = case["input"].as_str().map_or_else(|| case["input"].to_string(), str::to_owned);
            (Machine::parse(&case["definition"].to_string()).unwrap(), input)
        })
        .collect()
});

fn stimulus(way: u8, wait_id: u64) -> Stimulus {
    let error = || Some(["E", "States.Timeout", "States.ALL"][usize::from(way) % 3].to_owned());
    match way % 13 {
        0 => Stimulus::Continue,
        1 | 2 => Stimulus::TaskSucceeded { wait_id, output: json!({ "way": way }) },
        3 => Stimulus::TaskFailed { wait_id, error: error(), cause: None },
        4 => Stimulus::TaskSubmitted { wait_id, output: json!(null) },
        5 => Stimulus::TaskStarted { wait_id, worker_name: None },
        6 => Stimulus::Heartbeat { wait_id },
        7 => Stimulus::TimerFired { wait_id, kind: TimerKind::Wait },
        8 => Stimulus::TimerFired { wait_id, kind: TimerKind::Retry },
        9 => Stimulus::TimerFired { wait_id, kind: TimerKind::Timeout },
        10 => Stimulus::TimerFired { wait_id: 0, kind: TimerKind::Execution },
        11 => Stimulus::MapRunEnded { wait_id, end: MapRunEnd::Succeeded { output: json!([way]) } },
        _ => {
            let error = "States.ExceedToleratedFailureThreshold".to_owned();
            Stimulus::MapRunEnded { wait_id, end: MapRunEnd::Failed { error, cause: String::new() } }
        }
    }
}

fn with_context<R>(
    (now_ms, redrive_count): (i64, u32),
    input: &str,
    work: impl FnOnce(&mut StepContext<'_>) -> R,
) -> R {
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let execution = ExecutionInfo {
        arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
        name: "e",
        input,
        start_ms: 0,
        role_arn: "arn:aws:iam::123456789012:role/r",
        redrive_count: Some(redrive_count),
        machine_arn: MACHINE_ARN,
        machine_name: "m",
        machine_version_arn: None,
        machine_alias_arn: None,
        history_events_max: Some(300),
    };
    work(&mut StepContext { now_ms, execution, random: &mut random, task_token: &mut task_token })
}

/// The commands keep their order, and the events theirs.
fn check(run: &Execution, commands: &[Command], last_event: &mut i64) {
    for (place, command) in commands.iter().enumerate() {
        match command {
            Command::History(event) => {
                *last_event += 1;
                assert_eq!(event.id, *last_event);
                assert!(event.previous_event_id < event.id);
            }
            Command::Finish(_) | Command::Continue => assert_eq!(place + 1, commands.len()),
            _ => {}
        }
    }
    assert_eq!(run.history_events(), *last_event);
}

fn play(machine: &Machine, input: &str, moves: &[u8]) {
    let parsed = serde_json::from_str(input).unwrap();
    let (mut now, mut redrives, mut last_event) = (0, 0, 0);
    let (mut run, commands) = with_context((now, 0), input, |ctx| start(machine, parsed, ctx));
    check(&run, &commands, &mut last_event);
    map_runs(machine, &commands, moves);
    for way in moves {
        let stored = rmp_serde::to_vec(&run).unwrap();
        assert_eq!(rmp_serde::from_slice::<Execution>(&stored).unwrap(), run);
        now += i64::from(*way) * 1_000;
        let commands = if run.is_closed() {
            redrives += 1;
            with_context((now, redrives), input, |ctx| redrive(machine, &mut run, ctx))
        } else {
            let waits = run.waits();
            let wait = waits.get(usize::from(way / 13) % waits.len().max(1));
            let told = stimulus(*way, wait.map_or_else(|| u64::from(*way), |(wait, _)| *wait));
            with_context((now, redrives), input, |ctx| step(machine, &mut run, told, ctx))
        };
        check(&run, &commands, &mut last_event);
        map_runs(machine, &commands, moves);
    }
    let stop = Stimulus::Stop { error: None, cause: None };
    with_context((now, redrives), input, |ctx| step(machine, &mut run, stop, ctx));
    assert!(run.is_closed());
}

/// Tells each map run anything, and looks at its counters.
fn map_runs(machine: &Machine, commands: &[Command], moves: &[u8]) {
    let mut random = || 7;
    let mut step = MapRunContext { now_ms: 0, random: &mut random };
    for command in commands {
        let Command::StartMapRun(request) = command else { continue };
        let mut run = MapRun::new(request.plan.clone(), request.items.clone(), machine, &mut step);
        for way in moves {
            let outcome =
                [ChildOutcome::Succeeded, ChildOutcome::Failed, ChildOutcome::Aborted][usize::from(*way) % 3];
            let told = match way % 9 {
                0 => MapRunStimulus::Continue,
                1 => {
                    let items =
                        vec![Item::of(json!(way)), Item { key: Some("k".into()), ..Item::of(json!([])) }];
                    MapRunStimulus::Items { items, cursor: way.is_multiple_of(2).then(|| "more".to_owned()) }
                }
                2 | 3 => MapRunStimulus::ChildEnded { items: 1, outcome },
                4 => MapRunStimulus::Results { output: json!([]), written: 0 },
                5 => MapRunStimulus::Abort,
                6 => MapRunStimulus::Redrive,
                7 => {
                    let children = vec![Unsuccessful { number: u64::from(*way), items: 1, outcome }];
                    MapRunStimulus::Unsuccessful { children, next: None }
                }
                _ => MapRunStimulus::ChildNotRedrivable { items: 1, outcome },
            };
            run.step(machine, told, &mut step);
            let stored = rmp_serde::to_vec(&run).unwrap();
            assert_eq!(rmp_serde::from_slice::<MapRun>(&stored).unwrap(), run);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_panics(machine in any::<prop::sample::Index>(), moves in prop::collection::vec(any::<u8>(), 0..40)) {
        let (machine, input) = &MACHINES[machine.index(MACHINES.len())];
        play(machine, input, &moves);
    }
}
