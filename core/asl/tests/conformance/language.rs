//! Every intrinsic function, every operator and every type of event, each with the page of AWS that says what it does:
//! `tests/language.json`.

use std::collections::BTreeSet;
use std::fs;

use asl::{HistoryEventType, Machine, Outcome};
use serde_json::{Value, json};

use crate::world::{Keep, World};

const PAGES: &str = "https://docs.aws.amazon.com/step-functions/latest/";

fn cases(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/language.json");
    let all: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = all[kind].as_array().unwrap().clone();
    assert!(cases.iter().all(|case| case["source"].as_str().unwrap().starts_with(PAGES)));
    cases
}

fn output(definition: &Value, input: &Value) -> Value {
    let machine =
        Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{definition}: {found:?}"));
    let world = World::new(&machine, &input.to_string(), &Value::Null, Keep::InMemory).run(None);
    match world.outcome {
        Some(Outcome::Succeeded { output }) => serde_json::from_str(&output).unwrap(),
        other => panic!("{definition}: {other:?}"),
    }
}

#[test]
fn intrinsic_functions() {
    let mut seen = BTreeSet::new();
    for case in cases("intrinsics") {
        let call = case["call"].as_str().unwrap();
        let pass = json!({ "Type": "Pass", "Parameters": { "v.$": call }, "End": true });
        let found = output(&json!({ "StartAt": "P", "States": { "P": pass } }), &case["input"]);
        assert_eq!(found["v"], case["output"], "{call}");
        seen.insert(call.split('(').next().unwrap().to_owned());
    }
    assert_eq!(seen.len(), 18, "AWS has so many");
}

#[test]
fn operators() {
    let mut seen = BTreeSet::new();
    for case in cases("operators") {
        let mut rule = case["rule"].clone();
        rule["Next"] = json!("Yes");
        let definition = json!({ "StartAt": "C", "States": {
            "C": { "Type": "Choice", "Choices": [rule], "Default": "No" },
            "Yes": { "Type": "Pass", "Result": true, "End": true },
            "No": { "Type": "Pass", "Result": false, "End": true } } });
        assert_eq!(output(&definition, &case["input"]), case["holds"], "{case}");
        seen.insert((case["operator"].to_string(), case["holds"] == true));
    }
    assert_eq!(seen.len(), 2 * (39 + 3), "every one of them holds once, and once does not");
}

#[test]
fn types_of_events() {
    let mut seen = BTreeSet::new();
    for case in cases("events") {
        let name = case["type"].as_str().unwrap();
        let file =
            format!("{}/tests/histories/{}", env!("CARGO_MANIFEST_DIR"), case["history"].as_str().unwrap());
        let history: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let mut lines = history["expected"]["history"].as_array().unwrap().iter();
        assert!(lines.any(|line| line.as_str().unwrap().split(' ').nth(2) == Some(name)), "{case}");
        seen.insert(name.to_owned());
    }
    let all = HistoryEventType::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(seen, all);
}
