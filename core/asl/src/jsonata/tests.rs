//! Tables of expressions.

use std::sync::Arc;

use serde_json::json;

use super::{Jsonata, Place, Refused, Trouble, delimited};
use crate::scope::{Converted, LazyContext, Reading, Scope};
use crate::variables::{Variables, Visible};

const EVERYWHERE: Place = Place { result: true, error_output: true };

fn run(text: &str) -> String {
    let query = match Jsonata::parse(text, EVERYWHERE) {
        Ok(query) => query,
        Err(Refused::Invalid(message)) => return format!("invalid: {message}"),
        Err(Refused::Unsupported(messages)) => return format!("unsupported: {}", messages.join(" | ")),
    };
    let input = json!({ "name": "Ada", "n": 3, "list": [1, 2, 3, 4, 5], "text": "{\"a\": [1]}", "nothing": null,
        "items": [{ "price": 2, "tags": ["x"] }, { "price": 5, "tags": [] }], "big": 9_007_199_254_740_991_i64 });
    let result = json!({ "Payload": { "ok": true } });
    let error = json!({ "Error": "E", "Cause": "C" });
    let make = || json!({ "Execution": { "Name": "e" } });
    let context = LazyContext::new(&make);
    let mut variables = Variables::default();
    variables.set("limit".to_owned(), Arc::new(json!(4)), 1);
    variables.set("o".to_owned(), Arc::new(json!({ "a": { "b": [1, 2] } })), 1);
    let reading = Reading { input: &input, context: &context, variables: Visible(vec![&variables]) };
    let mut seed = 0;
    let mut random = || {
        seed += 1;
        seed
    };
    let mut scope = Scope {
        reading,
        result: Some(&result),
        error_output: Some(&error),
        now_ms: 1_700_000_000_000,
        random: &mut random,
        converted: Converted::default(),
    };
    match query.evaluate(&mut scope) {
        Ok(value) => value.to_string(),
        Err(Trouble::Undefined) => "undefined".to_owned(),
        Err(Trouble::Unsupported) => "no JSON".to_owned(),
        Err(Trouble::Threw(message)) => format!("threw: {message}"),
    }
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, run(text)))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(text, expected, found)| format!("{text}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values() {
    check(&[
        ("$states.input.name & '!'", r#""Ada!""#),
        ("$states.input.n + $limit", "7"),
        ("$states.input.n / 2", "1.5"),
        ("$states.input.big", "9007199254740991"),
        ("$states.input.nothing", "null"),
        ("$states.input.absent", "undefined"),
        ("$states.result.Payload.ok", "true"),
        ("$states.errorOutput.Error", r#""E""#),
        ("$states.context.Execution.Name", r#""e""#),
        ("$states.input.items[price > 3].tags", "[]"),
        ("$states.input.items.price", "[2,5]"),
        ("$sum($states.input.items.price)", "7"),
        ("$o.a.b", "[1,2]"),
        ("$missing", "undefined"),
        ("{ 'a': $states.input.n, 'b': $states.input.absent }", r#"{"a":3}"#),
        ("[$states.input.n, $states.input.absent]", "[3]"),
        ("$map($states.input.list, function($x) { $x * 2 })", "[2,4,6,8,10]"),
        ("($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(5))", "120"),
        ("$count($states.input.list)", "5"),
        ("$states.input.list ~> $sum()", "15"),
        ("$merge([$states.input.items[0], { 'p': 1 }])", r#"{"price":2,"tags":["x"],"p":1}"#),
        ("$keys($states)", r#"["input","result","errorOutput","context"]"#),
        ("1e3", "1000"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("function($x) { $x }", "no JSON"),
    ]);
}

#[test]
fn functions_of_aws() {
    check(&[
        ("$partition($states.input.list, 2)", "[[1,2],[3,4],[5]]"),
        ("$partition($states.input.list, 2.9)", "[[1,2],[3,4],[5]]"),
        ("$partition($states.input.list, 0)", "undefined"),
        ("$partition([], 2)", "undefined"),
        (
            "$partition($states.input.list, 'x')",
            "threw: T0410: Argument 2 of function \"partition\" does not match function signature",
        ),
        ("$range(0, 10, 2)", "[0,2,4,6,8,10]"),
        ("$range(-1.7, 2, 1)", "[-1,0,1,2]"),
        ("$range(3, 1, -1)", "[3,2,1]"),
        ("$range(3, 3, 1)", "3"),
        ("$range(1, 3, -1)", "undefined"),
        ("$range(1, 3)", "undefined"),
        ("$count($range(1, 360145, 1))", "360145"),
        ("$range(1, 360146, 1)", "threw: Expression evaluation memory limit exceeded"),
        ("$hash('abc', 'SHA-1')", r#""a9993e364706816aba3e25717850c26c9cd0d89d""#),
        ("$hash('', 'MD5')", r#""d41d8cd98f00b204e9800998ecf8427e""#),
        (
            "$length($hash('a', 'SHA-384')) + $length($hash('a', 'SHA-512')) + $length($hash('a', 'SHA-256'))",
            "288",
        ),
        ("$hash('abc')", "undefined"),
        (
            "$hash('abc', 'sha-1')",
            "threw: The hash algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512",
        ),
        ("$random(7) = $random(7) and $random(7) != $random(8)", "true"),
        ("$random() >= 0 and $random() < 1 and $random() != $random()", "true"),
        (
            "$match($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/).index",
            "0",
        ),
        ("$parse($states.input.text)", r#"{"a":[1]}"#),
        ("$parse($states.input.text).a[0] + 1", "2"),
        ("$map(['1', '[2]'], $parse)", "[1,[2]]"),
        ("($p := $parse; $p('3'))", "3"),
        ("$eval('1 + 1')", "threw: T1006: Attempted to invoke a non-function"),
        ("$millis()", "1700000000000"),
        ("$now()", r#""2023-11-14T22:13:20.000Z""#),
        ("$now('[Y0001]-[M01]-[D01]')", r#""2023-11-14""#),
        ("$count($shuffle($states.input.list)) = 5 and $sum($shuffle($states.input.list)) = 15", "true"),
        ("$pad('a', 3) & $pad('b', -3, '01')", r#""a  01b""#),
        ("$pad('a', 10000000)", "threw: Expression evaluation memory limit exceeded"),
    ]);
}

#[test]
fn errors() {
    check(&[
        ("'a' + 1", "threw: T2001: The left side of the + operator must evaluate to a number"),
        ("$error('no')", "threw: D3137: no"),
        ("$states.input.name.$number()", "threw: D3030: Cannot convert 'Ada' to number"),
        ("$nope(1)", "threw: T1006: Attempted to invoke a non-function: $nope"),
    ]);
}

#[test]
fn refused() {
    check(&[
        ("phone", "unsupported: Reference to 'phone' at the top level is not supported."),
        ("$.phone", "unsupported: Reference to '$' at the top level is not supported."),
        ("$$", "unsupported: Reference to '$$' is not supported."),
        (
            "aaa + bbb",
            "unsupported: Reference to 'aaa' at the top level is not supported. | Reference to 'bbb' at the top level is not supported.",
        ),
        (
            "$map($states.input.list, function($x) { b })",
            "unsupported: Reference to 'b' at the top level is not supported.",
        ),
        ("*", "unsupported: Reference to '*' at the top level is not supported."),
        ("$states.nope", "unsupported: Field '$states.nope' does not exist."),
        ("a[1,2)", r#"invalid: Expected "]", got ",""#),
        ("\"unterminated", "invalid: String literal must be terminated by a matching quote"),
        ("1 +", "invalid: Unexpected end of expression"),
        ("", "invalid: Unexpected end of expression"),
        ("{\"a\":}", r#"invalid: The symbol "}" cannot be used as a unary operator"#),
        ("phone %.other", r#"invalid: The symbol "." cannot be used as a unary operator"#),
    ]);
    let before = Place::default();
    let said = Jsonata::parse("$states.result.a", before).unwrap_err();
    assert_eq!(said, Refused::Unsupported(vec!["Field '$states.result' does not exist.".to_owned()]));
}

#[test]
fn what_runs_away_is_stopped() {
    let deep = |terms: usize| vec!["1"; terms].join("+");
    assert_eq!(run(&deep(90)), "90");
    for (text, says) in [
        (deep(200), "threw: Stack overflow error"),
        ("($f := function($n) { 1 + $f($n + 1) }; $f(0))".to_owned(), "threw: Stack overflow error"),
        ("($f := function() { $f() }; $f())".to_owned(), "threw: Expression evaluation timeout"),
        ("$count([1..900000])".to_owned(), "threw: Expression evaluation memory limit exceeded"),
        (deep(5_000), "invalid: "),
        (format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000)), "invalid: "),
    ] {
        let found = run(&text);
        assert!(found.starts_with(says), "{} gave {found}", &text[..text.len().min(60)]);
    }
}

#[test]
fn what_is_read() {
    let reads = |text: &str| Jsonata::parse(text, EVERYWHERE).unwrap().reads;
    let read = reads("($x := $a; $x + $b.c[$d > 1] + $sum($e) + $states.input.f + $string($g))");
    assert_eq!(read.variables.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "d", "e", "g"]);
    assert!(read.states.input && !read.states.context && !read.states.result);
    assert!(!reads("$states.context.State.Name").states.execution_input);
    assert!(reads("$states.context.Execution.Input.a").states.execution_input);
    assert!(reads("$states").states.execution_input);
    assert_eq!(reads("$map($l, $uppercase)").variables.len(), 1);
}

#[test]
fn delimiters_stand_at_the_very_ends() {
    let cases: [(&str, Option<&str>); 6] = [
        ("{% 1 %}", Some("1")),
        ("{%%}", Some("")),
        (" {% 1 %}", None),
        ("{% 1 %} ", None),
        ("{%}", None),
        ("plain", None),
    ];
    for (text, inner) in cases {
        assert_eq!(delimited(text), inner, "{text}");
    }
}
