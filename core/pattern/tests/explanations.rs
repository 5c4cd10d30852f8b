//! Why events do not match, in full.
#![expect(clippy::unwrap_used, reason = "the cases are well-formed")]

use pattern::{Event, Pattern, explain};
use serde_json::{Value, json};

fn check(pattern: &str, event: &str, expected: Value) {
    let pattern = Pattern::parse(pattern).unwrap();
    let explanation = explain(&pattern, &Event::parse(event.as_bytes()).unwrap());
    assert_eq!(serde_json::to_value(&explanation).unwrap(), expected, "{explanation:#?}");
}

#[test]
fn a_match_needs_no_reasons() {
    check(r#"{"a":[1]}"#, r#"{"a":1}"#, json!({"matched": true, "unmatched": [], "or": [], "scattered": []}));
}

#[test]
fn every_unmatched_field_is_named() {
    check(
        r#"{"source": ["shop"], "detail": {"total": [{"numeric": [">", 100, "<=", 2e3]}, null], "kind": ["x"], "ok": [true]}}"#,
        r#"{"source":"bank","detail":{"total":[80,"90"],"ok":true}}"#,
        json!({"matched": false, "or": [], "scattered": [], "unmatched": [
            {"path": "source", "wanted": r#"["shop"]"#, "wanted_in_words": r#""shop""#,
             "found": [r#""bank""#], "found_count": 1},
            {"path": "detail.total", "wanted": r#"[{"numeric":[">",100,"<=",2e3]},null]"#,
             "wanted_in_words": "a number > 100 and <= 2000 or null", "found": ["80", r#""90""#], "found_count": 2},
            {"path": "detail.kind", "wanted": r#"["x"]"#, "wanted_in_words": r#""x""#, "found": [], "found_count": 0},
        ]}),
    );
}

#[test]
fn each_branch_of_an_or_says_why() {
    let field = |path: &str, found: &str| json!({"path": path, "wanted": "[1]", "wanted_in_words": "the number 1", "found": [found], "found_count": 1});
    check(
        r#"{"z":[1],"$or":[{"a":[1],"z2":[9]},{"$or":[{"b":[1]},{"c":[1]}]}]}"#,
        r#"{"z":1,"z2":9,"a":2,"b":3,"c":4}"#,
        json!({"matched": false, "unmatched": [], "scattered": [], "or": [{"branches": [
            {"unmatched": [field("a", "2")], "or": []},
            {"unmatched": [], "or": [{"branches": [
                {"unmatched": [field("b", "3")], "or": []},
                {"unmatched": [field("c", "4")], "or": []},
            ]}]},
        ]}]}),
    );
}

#[test]
fn fields_in_different_elements_are_located() {
    check(
        r#"{"e":{"a":[1],"b":[2]},"z":[3]}"#,
        r#"{"e":[{"a":1},{"b":2},[{"a":1}]],"z":3}"#,
        json!({"matched": false, "unmatched": [], "or": [], "scattered": [
            {"path": "e.a", "wanted": "[1]", "wanted_in_words": "the number 1", "elements": [[0], [2, 0]]},
            {"path": "e.b", "wanted": "[2]", "wanted_in_words": "the number 2", "elements": [[1]]},
        ]}),
    );
}

#[test]
fn operators_are_put_in_words() {
    for (alternative, words) in [
        (r#""10.0.0.1""#, "the address 10.0.0.1"),
        ("false", "false"),
        (r#"{"prefix":"a\"b"}"#, r#"a string that starts with "a\"b""#),
        (r#"{"prefix":{"equals-ignore-case":"a"}}"#, r#"a string that starts with "a" in any case"#),
        (r#"{"suffix":"a"}"#, r#"a string that ends with "a""#),
        (r#"{"suffix":{"equals-ignore-case":"a"}}"#, r#"a string that ends with "a" in any case"#),
        (r#"{"equals-ignore-case":"a"}"#, r#""a" in any case"#),
        (r#"{"wildcard":"a*b"}"#, r#"a string like "a*b""#),
        (r#"{"numeric":["=",1.5]}"#, "a number = 1.5"),
        (r#"{"numeric":[">=",1]}"#, "a number >= 1"),
        (r#"{"numeric":["<",1]}"#, "a number < 1"),
        (r#"{"cidr":"10.0.0.0/8"}"#, "an address within 10.0.0.0/8"),
        (r#"{"exists":true}"#, "any value"),
        (r#""x",{"exists":true}"#, r#""x" or any value"#),
    ] {
        let pattern = Pattern::parse(&format!(r#"{{"a":[{alternative}]}}"#)).unwrap();
        let explanation = explain(&pattern, &Event::parse(b"{}").unwrap());
        assert_eq!(explanation.unmatched[0].wanted_in_words, words);
        assert_eq!(explanation.unmatched[0].wanted, format!("[{alternative}]"));
    }
    for (alternative, words, value) in [
        (r#"{"exists":false}"#, "no such field", "1"),
        (r#"{"anything-but":["a","b"]}"#, r#"anything but "a" or "b""#, r#""a""#),
        (r#"{"anything-but":[2,1]}"#, "anything but 1 or 2", "1"),
        (r#"{"anything-but":{"prefix":"a"}}"#, r#"anything but a string that starts with "a""#, r#""ab""#),
        (r#"{"anything-but":{"suffix":["a"]}}"#, r#"anything but a string that ends with "a""#, r#""ba""#),
        (r#"{"anything-but":{"equals-ignore-case":"a"}}"#, r#"anything but "a" in any case"#, r#""A""#),
        (r#"{"anything-but":{"wildcard":"*a"}}"#, r#"anything but a string like "*a""#, r#""xa\n\u0001a""#),
    ] {
        let pattern = Pattern::parse(&format!(r#"{{"a":[{alternative}]}}"#)).unwrap();
        let event = format!(r#"{{"a":{value}}}"#);
        let explanation = explain(&pattern, &Event::parse(event.as_bytes()).unwrap());
        assert_eq!(explanation.unmatched[0].wanted_in_words, words);
        assert_eq!(explanation.unmatched[0].found, [value]);
    }
}

/// Only so many values are quoted.
#[test]
fn long_arrays_are_quoted_in_part() {
    let event = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(5_000));
    let pattern = Pattern::parse(r#"{"a":[2]}"#).unwrap();
    let explanation = explain(&pattern, &Event::parse(event.as_bytes()).unwrap());
    assert_eq!((explanation.unmatched[0].found.len(), explanation.unmatched[0].found_count), (10, 5_001));
}

/// `b` may be absent from the element that has `a`; the explanation must not blame it for occurring elsewhere.
#[test]
fn absent_fields_are_judged_per_element() {
    let pattern = Pattern::parse(r#"{"e":{"a":[1],"b":[{"exists":false}]}}"#).unwrap();
    let explain = |event: &str| explain(&pattern, &Event::parse(event.as_bytes()).unwrap());
    assert!(explain(r#"{"e":[{"a":1},{"b":2}]}"#).matched);
    let unmatched = explain(r#"{"e":[{"a":1,"b":3},{"b":2}]}"#).unmatched;
    assert_eq!((unmatched.len(), unmatched[0].path.as_str(), unmatched[0].found_count), (1, "e.b", 2));
}
