//! A table of calls.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Function};
use crate::scope::{Converted, LazyContext, Reading, Scope};
use crate::variables::{Variables, Visible};

fn run(text: &str) -> String {
    let call = match Call::parse(text) {
        Ok(call) => call,
        Err(error) => return format!("invalid: {}", error.message),
    };
    let input = json!({
        "name": "Ada", "n": 3, "list": [1, 2, 2, "x", null], "json": "{\"b\": 1, \"a\": [2]}",
        "o": { "a": 1, "b": 2 }, "p": { "b": 3, "c": 4 }, "long": "x".repeat(10_001), "template": "<{}>"
    });
    let make = || json!({ "Execution": { "Id": "arn" } });
    let context = LazyContext::new(&make);
    let mut seed = 0;
    let mut random = || {
        seed += 1;
        seed
    };
    let mut variables = Variables::default();
    variables.set("count".to_owned(), Arc::new(json!(7)), 1);
    let reading = Reading { input: &input, context: &context, variables: Visible(vec![&variables]) };
    let mut scope = Scope {
        reading,
        result: None,
        error_output: None,
        now_ms: 0,
        random: &mut random,
        converted: Converted::default(),
    };
    match call.evaluate(&mut scope) {
        Ok(value) => value.to_string(),
        Err(error) => {
            let cause = error.cause(&Value::Null);
            let words =
                cause.split_once("had the following error: ").map_or(cause.as_str(), |(_, words)| words);
            format!("{}: {words}", error.name())
        }
    }
}

const CASES: &[(&str, &str)] = &[
    ("States.Format('Hello, {}!', $.name)", r#""Hello, Ada!""#),
    (r"States.Format('{} \{\} \'{}\' \\', $.n, $.list)", r#""3 {} '[1,2,2,\"x\",null]' \\""#),
    ("States.Format($.template, null)", r#""<null>""#),
    ("States.Format('{}', $$.Execution.Id)", r#""arn""#),
    ("States.Format('plain')", r#""plain""#),
    (
        "States.Format('{}')",
        "States.IntrinsicFailure: The number of arguments does not match the number of occurrences of {}",
    ),
    (
        "States.Format('x', 1)",
        "States.IntrinsicFailure: The number of arguments does not match the number of occurrences of {}",
    ),
    (
        "States.Format('{x}', 1)",
        "States.IntrinsicFailure: The template has an unmatched brace that is not escaped",
    ),
    ("States.Format($.n)", "States.IntrinsicFailure: The first argument must be a string"),
    (
        "States.Format('{}', $.nope)",
        "States.Runtime: The JsonPath argument for the field '$.nope' could not be found in the input 'null'",
    ),
    ("States.StringToJson($.json)", r#"{"b":1,"a":[2]}"#),
    ("States.StringToJson('[1, 2]')", "[1,2]"),
    (
        "States.StringToJson('{')",
        "States.IntrinsicFailure: The first argument must be a string of valid JSON",
    ),
    ("States.StringToJson($.n)", "States.IntrinsicFailure: The first argument must be a string"),
    ("States.JsonToString($.o)", r#""{\"a\":1,\"b\":2}""#),
    ("States.Array(1, 'a', $.o, null, true)", r#"[1,"a",{"a":1,"b":2},null,true]"#),
    ("States.Array()", "[]"),
    (r"States.Array('it\'s', ',)', 'a\\b')", r#"["it's",",)","a\\b"]"#),
    ("States.ArrayPartition($.list, 2)", r#"[[1,2],[2,"x"],[null]]"#),
    ("States.ArrayPartition($.list, 3.6)", r#"[[1,2,2,"x"],[null]]"#),
    (
        "States.ArrayPartition($.list, 0)",
        "States.IntrinsicFailure: The second argument must be a positive integer",
    ),
    ("States.ArrayPartition($.name, 1)", "States.IntrinsicFailure: The first argument must be an array"),
    ("States.ArrayContains($.list, 'x')", "true"),
    ("States.ArrayContains($.list, 2.0)", "true"),
    ("States.ArrayContains($.list, 5)", "false"),
    ("States.ArrayContains(5, 5)", "States.IntrinsicFailure: The first argument must be an array"),
    ("States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"),
    ("States.ArrayRange(5, 0, -2)", "[5,3,1]"),
    ("States.ArrayRange(1, 0, 1)", "[]"),
    ("States.ArrayRange(1, 3.4, 1)", "[1,2,3]"),
    ("States.ArrayRange(1, 9, 0)", "States.IntrinsicFailure: The third argument must not be zero"),
    ("States.ArrayRange(1, 1001, 1)", "States.IntrinsicFailure: The range must have at most 1000 elements"),
    ("States.ArrayRange('a', 2, 1)", "States.IntrinsicFailure: The first argument must be an integer"),
    ("States.ArrayGetItem($.list, 3)", r#""x""#),
    (
        "States.ArrayGetItem($.list, 5)",
        "States.IntrinsicFailure: The index 5 is out of bounds for an array of length 5",
    ),
    (
        "States.ArrayGetItem($.list, -1)",
        "States.IntrinsicFailure: The index -1 is out of bounds for an array of length 5",
    ),
    ("States.ArrayLength($.list)", "5"),
    ("States.ArrayLength($.o)", "States.IntrinsicFailure: The first argument must be an array"),
    ("States.ArrayUnique($.list)", r#"[1,2,"x",null]"#),
    ("States.Base64Encode('Hello, AWS')", r#""SGVsbG8sIEFXUw==""#),
    (
        "States.Base64Encode($.long)",
        "States.IntrinsicFailure: The first argument must have at most 10000 characters",
    ),
    ("States.Base64Decode('SGVsbG8sIEFXUw==')", r#""Hello, AWS""#),
    (
        "States.Base64Decode('%')",
        "States.IntrinsicFailure: The first argument must be a Base64 encoded UTF-8 string",
    ),
    ("States.Hash('input data', 'SHA-1')", r#""aaff4a450a104cd177d28d18d74485e8cae074b7""#),
    ("States.Hash('', 'MD5')", r#""d41d8cd98f00b204e9800998ecf8427e""#),
    (
        "States.Hash('abc', 'SHA-256')",
        r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
    ),
    ("States.ArrayLength(States.StringSplit(States.Hash('a', 'SHA-384'), ','))", "1"),
    (
        "States.Hash($.o, 'CRC')",
        "States.IntrinsicFailure: The second argument must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512",
    ),
    (
        "States.Hash($.long, 'SHA-512')",
        "States.IntrinsicFailure: The first argument must have at most 10000 characters",
    ),
    ("States.JsonMerge($.o, $.p, false)", r#"{"a":1,"b":3,"c":4}"#),
    (
        "States.JsonMerge($.o, $.p, true)",
        "States.IntrinsicFailure: The third argument must be false: the deep merging mode is not supported",
    ),
    (
        "States.JsonMerge($.o, $.n, false)",
        "States.IntrinsicFailure: The first and the second argument must be JSON objects",
    ),
    ("States.MathAdd($count, $.n)", "10"),
    ("States.Format('{} {}', $count, States.ArrayLength($.list))", r#""7 5""#),
    (
        "States.MathAdd($nope, 1)",
        "States.Runtime: The JsonPath argument for the field '$nope' could not be found in the input 'null'",
    ),
    ("States.ArrayUnique(States.Array(1, 1.0, '1', $.o, $.o))", r#"[1,"1",{"a":1,"b":2}]"#),
    ("States.MathRandom(1, 10)", "2"),
    (
        "States.MathRandom(10, 1)",
        "States.IntrinsicFailure: The first argument must be less than the second, and both between -2147483648 and 2147483647",
    ),
    ("States.MathAdd(111, -1)", "110"),
    ("States.MathAdd($.n, 1.5)", "5"),
    (
        "States.MathAdd($.n, 2147483648)",
        "States.IntrinsicFailure: The arguments must be between -2147483648 and 2147483647",
    ),
    ("States.StringSplit('1,2,,3', ',')", r#"["1","2","3"]"#),
    ("States.StringSplit('This.is+a,test=string', '.+,=')", r#"["This","is","a","test","string"]"#),
    ("States.StringSplit($.n, ',')", "States.IntrinsicFailure: The first argument must be a string"),
    ("States.UUID()", r#""00000000-0000-4001-8000-000000000002""#),
    ("States.Nope()", "invalid: unknown intrinsic function"),
    ("States.UUID(1)", "invalid: wrong number of arguments"),
    ("States.MathAdd(1)", "invalid: wrong number of arguments"),
    ("States.Array(1", "invalid: expected ',' or ')'"),
    ("States.Array(1) x", "invalid: unexpected character"),
    ("States.Array('a)", "invalid: a text does not end"),
    ("States.Array(x)", "invalid: expected a path, a text in single quotes, a number or a call"),
    ("States.Array($.)", "invalid: expected a name"),
    ("States.UUID", "invalid: unknown intrinsic function"),
    ("Format('x')", "invalid: a call starts with 'States.'"),
];

#[test]
fn calls() {
    let mut tried = HashSet::new();
    for (text, expected) in CASES {
        assert_eq!(run(text), *expected, "{text}");
        tried.extend(
            Function::ALL
                .iter()
                .filter(|f| text.contains(&format!("States.{}(", f.name())))
                .map(|f| f.name()),
        );
    }
    assert_eq!(tried.len(), Function::ALL.len(), "every function has a case");
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert_eq!(run(&nested(3)), "[[[1]]]");
    assert_eq!(run(&nested(11)), "invalid: calls too deeply nested");
    assert_eq!(run(&nested(5_000)), "invalid: calls too deeply nested");
}

#[test]
fn a_seed_decides() {
    assert_eq!(run("States.MathRandom(0, 1000000, 7)"), run("States.MathRandom(0, 1000000, 7)"));
    assert_ne!(run("States.MathRandom(0, 1000000, 7)"), run("States.MathRandom(0, 1000000, 8)"));
}
