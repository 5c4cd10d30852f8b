//! The reference cases of JSONata, run through the library as it is pinned: whoever moves the pin sees here what changes.
//! The cases lie beside the project and are read there; without them there is nothing to run.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser::{self, ParserError};
use jsonata_core::value::JValue;
use serde_json::Value;

/// Cases whose error has another code here than in the reference.
const KNOWN: usize = 6;

fn data(name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    fs::read_to_string(folder.join(name)).ok()
}

/// `Ok` with the result, `Err` with the code of an error.
fn run(case: &Value, datasets: &Value) -> Result<Option<Value>, String> {
    let code = |text: String| text.split(": ").map(str::to_owned).find(|part| is_code(part)).unwrap_or(text);
    let tree = parser::parse(case["expr"].as_str().unwrap()).map_err(|error| match error {
        ParserError::Coded { code, .. } => code.to_owned(),
        other => code(other.to_string()),
    })?;
    let input = match case["dataset"].as_str() {
        Some(name) => datasets.get(name).map_or(JValue::Undefined, |data| JValue::from(data.clone())),
        None => case.get("data").map_or(JValue::Undefined, |data| JValue::from(data.clone())),
    };
    let mut context = Context::new();
    for (name, value) in case["bindings"].as_object().into_iter().flatten() {
        context.bind(name.clone(), JValue::from(value.clone()));
    }
    let limited = |name: &str| case[name].as_u64();
    let options = EvaluatorOptions {
        timeout_ms: limited("timelimit").map(|ms| ms * 10),
        max_stack_depth: limited("depth").and_then(|depth| usize::try_from(depth).ok()),
        ..EvaluatorOptions::default()
    };
    let result = Evaluator::with_options(context, options).evaluate(&tree, &input);
    match result {
        Ok(JValue::Undefined) => Ok(None),
        Ok(value) => Ok(Some(serde_json::from_str(&value.to_json_string().unwrap()).unwrap())),
        Err(error) => Err(error.code().map_or_else(|| code(message(&error)), str::to_owned)),
    }
}

fn message(error: &EvaluatorError) -> String {
    error.message().to_owned()
}

fn is_code(text: &str) -> bool {
    text.len() == 5
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text[1..].bytes().all(|b| b.is_ascii_digit())
}

/// Equal as far as doubles are.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= left.abs() * 1e-12
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

fn unordered(left: &Value, right: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut items: Vec<String> = value.as_array().into_iter().flatten().map(Value::to_string).collect();
        items.sort_unstable();
        items
    };
    sorted(left) == sorted(right)
}

#[test]
fn the_library_answers_as_the_reference() {
    let (Some(cases), Some(datasets)) = (data("jsonata-cases.jsonl"), data("jsonata-datasets.json")) else {
        eprintln!("the reference cases are not beside the project: none was run");
        return;
    };
    let datasets: Value = serde_json::from_str(&datasets).unwrap();
    let (mut values, mut codes, mut number) = (Vec::new(), Vec::new(), 0);
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        number += 1;
        let found = run(&case, &datasets);
        let expected_error = case["code"].as_str().or_else(|| case["error"]["code"].as_str());
        let right = match (&found, expected_error) {
            (Err(found), Some(expected)) => found == expected,
            (Ok(None), None) => case["undefinedResult"] == true,
            (Ok(Some(found)), None) => {
                same(found, &case["result"])
                    || (case["unordered"] == true && unordered(found, &case["result"]))
            }
            _ => false,
        };
        if !right {
            let list = if expected_error.is_some() && found.is_err() { &mut codes } else { &mut values };
            list.push(format!("{} gave {found:?}", case["id"]));
        }
    }
    assert!(number > 1_600, "{number} cases");
    assert!(values.is_empty(), "other values:\n{}", values.join("\n"));
    assert!(codes.len() <= KNOWN, "other codes:\n{}", codes.join("\n"));
}
