//! Whole executions, each in a file of `tests/histories`: definition, input, the answers of its tasks, and the history
//! that comes of it. `BLESS=1` writes what comes; read it before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::world::{Keep, World, line};
use asl::{HistoryEventType, Machine, Outcome};
use serde_json::{Value, json};

/// Where AWS says what the cases show: the `source` of each.
const PAGES: &str = "https://docs.aws.amazon.com/step-functions/latest/";

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// How often what did not succeed is redriven.
fn redrives(case: &Value) -> u32 {
    case["redrives"].as_u64().unwrap_or_default() as u32
}

fn play(case: &Value, keep: Keep) -> (Value, Vec<HistoryEventType>) {
    let machine = Machine::parse(&case["definition"].to_string()).unwrap_or_else(|found| panic!("{found:?}"));
    let input = case["input"].as_str().map_or_else(|| case["input"].to_string(), str::to_owned);
    let mut world = World::new(&machine, &input, &case["answers"], keep);
    if let Some(most) = case["historyEventsMax"].as_i64() {
        world = world.history_events_max(most);
    }
    let stop = case["stopAfterSteps"].as_u64().map(|steps| steps as usize);
    let world = world.run_and_redrive(stop, redrives(case));
    let outcome = match world.outcome.clone().unwrap() {
        Outcome::Succeeded { output } => json!({ "SUCCEEDED": output }),
        Outcome::Failed { error, cause } => json!({ "FAILED": [error, cause] }),
        Outcome::TimedOut => json!("TIMED_OUT"),
        Outcome::Aborted { error, cause } => json!({ "ABORTED": [error, cause] }),
    };
    let history: Vec<String> = world.events.iter().map(line).collect();
    let types = world.events.iter().map(|event| event.event_type).collect();
    let mut found = json!({ "outcome": outcome, "history": history });
    if !world.cancelled.is_empty() {
        found["cancelled"] = json!(world.cancelled);
    }
    if world.continues() > 0 {
        found["continues"] = json!(world.continues());
    }
    (found, types)
}

#[test]
fn executions_write_these_histories() {
    let mut seen = BTreeSet::new();
    for file in files() {
        let mut case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert!(case["source"].as_str().unwrap().starts_with(PAGES), "{}: its page of AWS", file.display());
        let (found, types) = play(&case, Keep::InMemory);
        seen.extend(types.into_iter().map(HistoryEventType::as_str));
        if std::env::var_os("BLESS").is_some() {
            case["expected"] = found;
            fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&case).unwrap())).unwrap();
        } else {
            assert_eq!(found, case["expected"], "{}: {found:#}", file.display());
        }
    }
    let unseen: Vec<&str> =
        HistoryEventType::ALL.iter().map(|t| t.as_str()).filter(|t| !seen.contains(t)).collect();
    assert_eq!(unseen, [""; 0], "every event type has a case");
}

#[test]
fn storing_the_execution_between_steps_changes_nothing() {
    for file in files() {
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let (plain, _) = play(&case, Keep::InMemory);
        for keep in [Keep::AsJson, Keep::AsMsgpack] {
            assert_eq!(play(&case, keep).0, plain, "{} kept {keep:?}", file.display());
        }
    }
}

#[test]
fn ids_have_no_gaps_and_point_backwards() {
    for file in files() {
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let machine = Machine::parse(&case["definition"].to_string()).unwrap();
        let input = case["input"].as_str().map_or_else(|| case["input"].to_string(), str::to_owned);
        let stop = case["stopAfterSteps"].as_u64().map(|steps| steps as usize);
        let world = World::new(&machine, &input, &case["answers"], Keep::InMemory);
        let world = match case["historyEventsMax"].as_i64() {
            Some(most) => world.history_events_max(most),
            None => world,
        };
        for (event, id) in world.run_and_redrive(stop, redrives(&case)).events.iter().zip(1..) {
            assert_eq!(event.id, id);
            assert!(event.previous_event_id < id);
        }
    }
}
