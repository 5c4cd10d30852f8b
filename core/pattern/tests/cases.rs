//! What the pattern language does, case by case: see the files in `cases/`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the cases are well-formed")]

use std::sync::Arc;

use pattern::{COMBINATIONS_MAX, Event, FIELDS_MAX, InvalidPattern, Pattern, RuleSet, explain};

/// Checks one pattern and one event along every way that there is.
fn check(pattern: &str, event: &str, expected: bool) {
    let compiled = Arc::new(Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")));
    assert_eq!(compiled.matches(event), Ok(expected), "{pattern} {event}");
    let parsed = Event::parse(event.as_bytes()).unwrap();
    let explanation = explain(&compiled, &parsed);
    assert_eq!(explanation.matched, expected, "{pattern} {event}");
    let reasons = explanation.unmatched.len() + explanation.or.len() + explanation.scattered.len();
    assert_eq!(reasons == 0, expected, "{pattern} {event}: {explanation:?}");
    let mut out = Vec::new();
    let set = RuleSet::new([(7, Arc::clone(&compiled)), (8, compiled)]);
    set.matches_json(event, &mut out).unwrap();
    assert_eq!(out, if expected { vec![7, 8] } else { vec![] }, "{pattern} {event}");
}

fn run(cases: &str, at_least: usize) {
    let mut pattern = None;
    let mut count = 0;
    for line in cases.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        match (line.split_once(' '), pattern) {
            (Some(("+", event)), Some(pattern)) => check(pattern, event, true),
            (Some(("-", event)), Some(pattern)) => check(pattern, event, false),
            _ => {
                pattern = Some(line);
                continue;
            }
        }
        count += 1;
    }
    assert!(count >= at_least, "{count} cases");
}

#[test]
fn literals() {
    run(include_str!("cases/literals.cases"), 80);
}

#[test]
fn operators() {
    run(include_str!("cases/operators.cases"), 180);
}

#[test]
fn arrays() {
    run(include_str!("cases/arrays.cases"), 30);
}

#[test]
fn or() {
    run(include_str!("cases/or.cases"), 20);
}

#[test]
fn refused() {
    let mut count = 0;
    let mut pattern = "";
    let mut wrong = Vec::new();
    for line in include_str!("cases/refused.cases").lines() {
        if let Some(text) = line.strip_prefix("! ") {
            pattern = text;
        } else if let Some(expected) = line.strip_prefix("= ") {
            let got = refusal(pattern);
            if got != expected {
                wrong.push(format!("{pattern}\n  got  {got}\n  want {expected}"));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 80, "{count} cases");
}

fn refusal(pattern: &str) -> String {
    let InvalidPattern { message, reason, line, column } = Pattern::parse(pattern).expect_err(pattern);
    if message == reason {
        return reason;
    }
    let position = format!("{reason}\n at [Source: (String)\"{pattern}\"; line: {line}, column: {column}]");
    assert_eq!(message, position);
    format!("{reason} @{line}:{column}")
}

#[test]
fn positions_count_lines_and_utf16_units() {
    let error = Pattern::parse("{\n  \"😀\": {\n}}").unwrap_err();
    assert_eq!((error.line, error.column), (3, 2));
    let error = Pattern::parse(r#"{"😀": 1}"#).unwrap_err();
    assert_eq!((error.line, error.column), (1, 9));
}

#[test]
fn long_patterns_are_quoted_in_part() {
    let pattern = format!(r#"{{"a":["{}"],"b":1}}"#, "x".repeat(600));
    let error = Pattern::parse(&pattern).unwrap_err();
    assert!(
        error.message.contains(&format!("{}\"[truncated 116 chars]; line: 1, column: ", &pattern[..500])),
        "{error}"
    );
}

#[test]
fn or_multiplies_up_to_a_bound() {
    let three = r#"{"$or":[{"a":[1]},{"b":[1]},{"c":[1]}]}"#;
    let nested =
        |times: usize| (0..times).map(|at| format!(r#""f{at}":{three}"#)).collect::<Vec<_>>().join(",");
    assert!(Pattern::parse(&format!("{{{}}}", nested(6))).is_ok());
    let error = Pattern::parse(&format!("{{{}}}", nested(7))).unwrap_err();
    assert_eq!(
        error.reason,
        format!("Rule is too complex - $or makes more than {COMBINATIONS_MAX} combinations")
    );
}

#[test]
fn fields_are_bounded() {
    let fields = |count: usize| (0..count).map(|at| format!(r#""f{at}":[1]"#)).collect::<Vec<_>>().join(",");
    assert!(Pattern::parse(&format!("{{{}}}", fields(FIELDS_MAX))).is_ok());
    assert!(Pattern::parse(&format!("{{{}}}", fields(FIELDS_MAX + 1))).is_err());
}

#[test]
fn wildcards_are_bounded() {
    let many = |count: usize| format!(r#"{{"a":[{{"wildcard":"{}"}}]}}"#, "*a".repeat(count));
    assert!(Pattern::parse(&many(50)).is_ok());
    let error = Pattern::parse(&many(51)).unwrap_err();
    assert!(error.reason.starts_with("Rule is too complex - try using fewer wildcard characters"), "{error}");
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}[1]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(Pattern::parse(&nested(900)).is_ok());
    assert!(Pattern::parse(&nested(1_000)).is_err());
    assert!(Pattern::parse(&r#"{"a":"#.repeat(100_000)).is_err());
    let event = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let pattern = Pattern::parse(r#"{"a":[1]}"#).unwrap();
    assert_eq!(pattern.matches(event(900)), Ok(true));
    assert!(pattern.matches(event(1_001)).is_err());
    assert!(pattern.matches("[".repeat(100_000)).is_err());
    assert!(pattern.matches(r#"{"a":"#.repeat(100_000)).is_err());
}

#[test]
fn fields_and_operators_are_listed() {
    let pattern = Pattern::parse(
        r#"{"source":["x"],"detail":{"a":{"b":[{"numeric":[">",1]}]},"c":[{"anything-but":{"prefix":"y"}}],
            "$or":[{"c":[1]},{"d":[{"exists":false}]}]}}"#,
    )
    .unwrap();
    assert_eq!(pattern.fields().collect::<Vec<_>>(), ["detail.a.b", "detail.c", "detail.d", "source"]);
    assert_eq!(pattern.operators().collect::<Vec<_>>(), ["$or", "anything-but/prefix", "exists", "numeric"]);
}

#[test]
fn malformed_events_are_errors() {
    let pattern = Arc::new(Pattern::parse(r#"{"a":["x"],"b":{"c":[1]}}"#).unwrap());
    let set = RuleSet::new([((), Arc::clone(&pattern))]);
    let whole = r#" {"a":["x","\u00e9"],"b":[{"c":1.5e3},{"d":[{},[],null,true]}],"e":"\"","f":-0.1} "#;
    let check = |event: &[u8]| {
        let good = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(event).is_ok();
        assert_eq!(pattern.matches(event).is_ok(), good, "{}", String::from_utf8_lossy(event));
        assert_eq!(
            set.matches_json(event, &mut Vec::new()).is_ok(),
            good,
            "{}",
            String::from_utf8_lossy(event)
        );
    };
    check(whole.as_bytes());
    for at in 0..whole.len() {
        check(&whole.as_bytes()[..at]);
        for byte in [b'"', b'{', b']', b',', b':', b'x', b'0', b'-', b' ', b'\\', 0, 0xff] {
            let mut changed = whole.as_bytes().to_vec();
            changed[at] = byte;
            check(&changed);
            let mut longer = whole.as_bytes().to_vec();
            longer.insert(at, byte);
            check(&longer);
        }
    }
    for event in ["", " ", "null", "[]", "1", "\"a\"", "{} {}", "{}x"] {
        check(event.as_bytes());
    }
}

/// Repeated keys make the question of consistency exponentially hard; it must stay bounded.
#[test]
fn repeated_keys_do_not_explode() {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let element = keys[..7].iter().map(|key| format!(r#""{key}":1"#)).collect::<Vec<_>>().join(",");
    let array = format!(r#""x":[{}]"#, vec![format!("{{{element}}}"); 30].join(","));
    let event = format!("{{{},\"x\":{{\"h\":0}}}}", vec![array; 30].join(","));
    let fields = keys.map(|key| format!(r#""{key}":[{{"numeric":[">",0]}}]"#)).join(",");
    let pattern = Pattern::parse(&format!(r#"{{"x":{{{fields},"i":[{{"exists":false}}]}}}}"#)).unwrap();
    assert_eq!(pattern.matches(event), Ok(false));
}

/// Elements by the thousand are judged in about linear time.
#[test]
fn large_arrays_stay_cheap() {
    let items: Vec<String> =
        (0..20_000).map(|at| format!(r#"{{"a":{at},"b":{},"c":[{{"d":{at}}}]}}"#, at + 1)).collect();
    let event = format!(r#"{{"x":[{}]}}"#, items.join(","));
    let pattern = Pattern::parse(
        r#"{"x":{"a":[{"numeric":[">",5]}],"b":[{"exists":true}],"c":{"d":[{"numeric":["<",7]}]},"z":[{"exists":false}]}}"#,
    )
    .unwrap();
    assert_eq!(pattern.matches(&event), Ok(true));
    let pattern = Pattern::parse(
        r#"{"x":{"a":[{"numeric":[">",5]}],"b":[{"numeric":["<",5]}],"c":{"d":[{"exists":true}]}}}"#,
    )
    .unwrap();
    assert_eq!(pattern.matches(&event), Ok(false));
}

#[test]
fn rules_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Pattern>();
    shared::<RuleSet<String>>();
}
