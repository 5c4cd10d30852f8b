//! Every comparison operator of Choice states, on one table.

use std::collections::BTreeSet;

use asl::{Machine, Outcome};
use serde_json::{Value, json};

use crate::world::{Keep, World};

/// `yes`, `no`, or the error that ends the execution.
fn choose(rule: &Value) -> String {
    let mut first = rule.clone();
    first["Next"] = json!("Yes");
    let definition = json!({ "StartAt": "C", "States": {
        "C": { "Type": "Choice", "Choices": [first], "Default": "No" },
        "Yes": { "Type": "Pass", "Result": "yes", "End": true },
        "No": { "Type": "Pass", "Result": "no", "End": true } } });
    let input = json!({
        "s": "b", "s2": "c", "n": 5, "n2": 7.5, "f": 5.0, "t": true, "u": false, "z": null, "o": {}, "l": [1],
        "d": "2020-01-01T00:00:00Z", "d2": "2020-01-01T02:00:00.5+01:00", "same": "2020-01-01T01:00:00+01:00"
    });
    let machine = Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{rule}: {found:?}"));
    let world = World::new(&machine, &input.to_string(), &Value::Null, Keep::InMemory).run(None);
    match world.outcome {
        Some(Outcome::Succeeded { output }) => output.trim_matches('"').to_owned(),
        Some(Outcome::Failed { cause, .. }) => cause.unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

/// Variable, operator, operand, answer.
fn table() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let mut cases = Vec::new();
    let mut add =
        |variable, operator, operand: Value, answer| cases.push((variable, operator, operand, answer));
    for (operator, less, equal, greater) in [
        ("Equals", "no", "yes", "no"),
        ("LessThan", "yes", "no", "no"),
        ("GreaterThan", "no", "no", "yes"),
        ("LessThanEquals", "yes", "yes", "no"),
        ("GreaterThanEquals", "no", "yes", "yes"),
    ] {
        let name = |kind: &str, path: &str| -> &'static str { format!("{kind}{operator}{path}").leak() };
        add("$.s", name("String", ""), json!("c"), less);
        add("$.s", name("String", ""), json!("b"), equal);
        add("$.s", name("String", ""), json!("a"), greater);
        add("$.n", name("String", ""), json!("5"), "no");
        add("$.s", name("String", "Path"), json!("$.s2"), less);
        add("$.s2", name("String", "Path"), json!("$.s"), greater);
        add("$.s", name("String", "Path"), json!("$.n"), "no");
        add("$.n", name("Numeric", ""), json!(6), less);
        add("$.n", name("Numeric", ""), json!(5.0), equal);
        add("$.n", name("Numeric", ""), json!(4.9), greater);
        add("$.s", name("Numeric", ""), json!(5), "no");
        add("$.n", name("Numeric", "Path"), json!("$.n2"), less);
        add("$.n", name("Numeric", "Path"), json!("$.f"), equal);
        add("$.n2", name("Numeric", "Path"), json!("$.n"), greater);
        add("$.d", name("Timestamp", ""), json!("2020-01-01T00:00:01Z"), less);
        add("$.d", name("Timestamp", ""), json!("2020-01-01T01:00:00+01:00"), equal);
        add("$.d", name("Timestamp", ""), json!("2019-12-31T23:59:59.9Z"), greater);
        add("$.s", name("Timestamp", ""), json!("2020-01-01T00:00:00Z"), "no");
        add("$.d", name("Timestamp", "Path"), json!("$.d2"), less);
        add("$.d", name("Timestamp", "Path"), json!("$.same"), equal);
        add("$.d2", name("Timestamp", "Path"), json!("$.d"), greater);
    }
    add("$.t", "BooleanEquals", json!(true), "yes");
    add("$.t", "BooleanEquals", json!(false), "no");
    add("$.s", "BooleanEquals", json!(true), "no");
    add("$.t", "BooleanEqualsPath", json!("$.t"), "yes");
    add("$.t", "BooleanEqualsPath", json!("$.u"), "no");
    add("$.s", "StringMatches", json!("*"), "yes");
    add("$.d", "StringMatches", json!("2020-*Z"), "yes");
    add("$.d", "StringMatches", json!("2021*"), "no");
    add("$.n", "StringMatches", json!("*"), "no");
    for (operator, of) in [
        ("IsNull", "$.z"),
        ("IsNumeric", "$.f"),
        ("IsString", "$.s"),
        ("IsBoolean", "$.u"),
        ("IsTimestamp", "$.d"),
    ] {
        add(of, operator, json!(true), "yes");
        add(of, operator, json!(false), "no");
        add("$.l", operator, json!(true), "no");
        add("$.l", operator, json!(false), "yes");
    }
    add("$.s", "IsTimestamp", json!(true), "no");
    add("$.z", "IsPresent", json!(true), "yes");
    add("$.none", "IsPresent", json!(true), "no");
    add("$.none", "IsPresent", json!(false), "yes");
    add("$.none.deeper", "IsPresent", json!(false), "yes");
    add("$.l[0]", "NumericEquals", json!(1), "yes");
    add("$.l[1]", "IsPresent", json!(false), "yes");
    add("$$.Execution.Name", "StringEquals", json!("e"), "yes");
    add("$.s", "StringEqualsPath", json!("$$.Execution.Input.s"), "yes");
    cases
}

#[test]
fn comparisons() {
    let mut tried = BTreeSet::new();
    for (variable, operator, operand, expected) in table() {
        let rule = json!({ "Variable": variable, operator: operand });
        assert_eq!(choose(&rule), expected, "{rule}");
        tried.insert(operator);
    }
    assert_eq!(tried.len(), 39, "every operator of the language");
}

#[test]
fn combinations() {
    let (yes, no) =
        (json!({ "Variable": "$.t", "BooleanEquals": true }), json!({ "Variable": "$.t", "IsNull": true }));
    let missing = json!({ "Variable": "$.none", "IsNull": true });
    let error = "An error occurred while executing the state 'C' (entered at the event id #2). Invalid path '$.none': \
                 The choice state's condition path references an invalid value.";
    let cases = [
        (json!({ "And": [yes, yes] }), "yes"),
        (json!({ "And": [yes, no] }), "no"),
        (json!({ "Or": [no, yes] }), "yes"),
        (json!({ "Or": [no, no] }), "no"),
        (json!({ "Not": no }), "yes"),
        (json!({ "Not": { "And": [yes, { "Or": [no, { "Not": yes }] }] } }), "yes"),
        (json!({ "And": [no, missing] }), "no"),
        (json!({ "Or": [yes, missing] }), "yes"),
        (json!({ "And": [yes, missing] }), error),
        (json!({ "Variable": "$.n", "NumericEqualsPath": "$.none" }), error),
    ];
    for (rule, expected) in cases {
        assert_eq!(choose(&rule), expected, "{rule}");
    }
}
