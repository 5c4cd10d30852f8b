//! Cases by hand, and a comparison with another implementation on what both understand.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Path, Root, Selected};

fn document() -> Value {
    json!({
        "store": {
            "book": [
                { "category": "reference", "price": 8.95, "title": "Sayings", "tags": ["a", "b"] },
                { "category": "fiction", "price": 12.99, "title": "Sword", "isbn": "0-553" },
                { "category": "fiction", "price": 8.99, "title": "Moby", "isbn": null }
            ],
            "bicycle": { "color": "red", "price": 19.95 }
        },
        "k-1": { "a b": 1, "": 2, "it's": 3, "ä": 4 },
        "n": null,
        "list": [0, 1, 2, 3, 4, 5],
        "limit": 9
    })
}

fn show(path: &str) -> String {
    match Path::parse(path) {
        Err(error) => format!("error: {error}"),
        Ok(parsed) => match parsed.select(&document()) {
            Selected::Missing { past_end: true } => "past end".to_owned(),
            Selected::Missing { past_end: false } => "missing".to_owned(),
            Selected::Value(value) => value.to_string(),
        },
    }
}

const CASES: &[(&str, &str)] = &[
    ("$.limit", "9"),
    ("$['limit']", "9"),
    ("$[\"limit\"]", "9"),
    ("$.n", "null"),
    ("$.none", "missing"),
    ("$.limit.x", "missing"),
    ("$.list[1]", "1"),
    ("$.list[-1]", "5"),
    ("$.list[6]", "past end"),
    ("$.limit[0]", "missing"),
    ("$.k-1", r#"{"a b":1,"":2,"it's":3,"ä":4}"#),
    ("$.k-1['a b']", "1"),
    ("$.k-1['']", "2"),
    (r"$.k-1['it\'s']", "3"),
    ("$.k-1.ä", "4"),
    (r"$.k-1['\u00e4']", "4"),
    ("$.list[*]", "[0,1,2,3,4,5]"),
    ("$.list[1:3]", "[1,2]"),
    ("$.list[:2]", "[0,1]"),
    ("$.list[-2:]", "[4,5]"),
    ("$.list[::2]", "[0,2,4]"),
    ("$.list[::-1]", "[5,4,3,2,1,0]"),
    ("$.list[0,2]", "[0,2]"),
    ("$.list[ 0 , 2 ]", "[0,2]"),
    ("$.list[(@.length-1)]", "5"),
    ("$.list[(@.length() - 2)]", "4"),
    ("$.list.length()", "6"),
    ("$.list.min()", "0"),
    ("$.list.max()", "5"),
    ("$.list.sum()", "15"),
    ("$.list.avg()", "2.5"),
    ("$.store.bicycle.keys()", r#"["color","price"]"#),
    ("$.store.book.length()", "3"),
    ("$..price", "[8.95,12.99,8.99,19.95]"),
    ("$.store.*.color", r#"["red"]"#),
    ("$..book[0].title", r#"["Sayings"]"#),
    ("$..['color','isbn']", r#"["0-553",null,"red"]"#),
    ("$..nothing", "[]"),
    ("$.store.book[?(@.price < 10)].title", r#"["Sayings","Moby"]"#),
    ("$.store.book[?@.price < 10].title", r#"["Sayings","Moby"]"#),
    ("$.store.book[?(@.price < $.limit)].title", r#"["Sayings","Moby"]"#),
    ("$.store.book[?(@.isbn)].title", r#"["Sword","Moby"]"#),
    ("$.store.book[?(!@.isbn)].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.isbn == null)].title", r#"["Moby"]"#),
    ("$.store.book[?(@.category == 'fiction' && @.price > 10)].title", r#"["Sword"]"#),
    ("$.store.book[?(@.category == 'reference' || (@.price > 10))].title", r#"["Sayings","Sword"]"#),
    ("$.store.book[?(@.title =~ /s.*/i)].title", r#"["Sayings","Sword"]"#),
    ("$.store.book[?(@.title =~ /S/)].title", "[]"),
    ("$.store.book[?(@.title in ['Moby', 'Dick'])].price", "[8.99]"),
    ("$.store.book[?(@.title nin ['Moby'])].price", "[8.95,12.99]"),
    ("$.store.book[?(@.tags contains 'a')].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags size 2)].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags empty false)].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags anyof ['b', 'c'])].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags subsetof ['a', 'b', 'c'])].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags noneof ['c'])].title", r#"["Sayings"]"#),
    ("$.store.book[?(@.tags.length() == 2)].title", r#"["Sayings"]"#),
    ("$.store.bicycle[?(@.color == 'red')].price", "[19.95]"),
    ("$..[?(@.color == 'red')].price", "[19.95]"),
    ("$.list[?(@ >= 4)]", "[4,5]"),
    ("", "error: a path starts with '$' at offset 0"),
    ("x", "error: a path starts with '$' at offset 0"),
    ("$.", "error: expected a name at offset 2"),
    ("$1", "error: unexpected character at offset 1"),
    ("$.a b", "error: unexpected character at offset 3"),
    ("$[", "error: expected a name, an index, '*' or a filter at offset 2"),
    ("$['a", "error: a string does not end at offset 4"),
    ("$[?(@.a == )]", "error: expected a value at offset 11"),
    ("$[?(@.a =~ /(/)]", "error: bad regular expression at offset 14"),
    ("$.a.nope()", "error: unknown function at offset 10"),
    ("$[1.5]", "error: expected ',' or ']' at offset 3"),
];

#[test]
fn by_hand() {
    for (path, expected) in CASES {
        assert_eq!(show(path), *expected, "{path}");
    }
}

#[test]
fn kinds_of_paths() {
    let cases = [
        ("$", true, true),
        ("$.a.b", true, true),
        ("$.a[0]['b']", true, true),
        ("$.a[-1]", true, false),
        ("$.a[*]", false, false),
        ("$.a[0,1]", false, false),
        ("$.a[0:1]", false, false),
        ("$..a", false, false),
        ("$.a[?(@.b)]", false, false),
        ("$.a[*].length()", true, false),
        ("$$.Execution.Id", true, false),
    ];
    for (text, definite, reference) in cases {
        let path = Path::parse(text).unwrap();
        assert_eq!((path.is_definite(), path.is_reference()), (definite, reference), "{text}");
    }
    let path = Path::parse("$$.Execution.Id[0].x").unwrap();
    assert_eq!(path.root(), Root::Context);
    assert_eq!(path.leading_names().collect::<Vec<_>>(), ["Execution", "Id"]);
}

#[test]
fn writes() {
    let cases = [
        ("$", json!({"a": 1}), Some(json!("x"))),
        ("$.b", json!({"a": 1}), Some(json!({"a": 1, "b": "x"}))),
        ("$.a", json!({"a": 1}), Some(json!({"a": "x"}))),
        ("$.b.c.d", json!({"a": 1}), Some(json!({"a": 1, "b": {"c": {"d": "x"}}}))),
        ("$.a[1]", json!({"a": [1, 2]}), Some(json!({"a": [1, "x"]}))),
        ("$.a[2]", json!({"a": [1, 2]}), None),
        ("$.a.b", json!({"a": 1}), None),
        ("$.a", json!([1]), None),
        ("$.a", json!("text"), None),
    ];
    for (path, target, expected) in cases {
        let shown = format!("{path} {target}");
        assert_eq!(Path::parse(path).unwrap().write(target, json!("x")), expected, "{shown}");
    }
}

#[test]
fn costly_paths_end() {
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep, 1]);
    }
    let path = Path::parse("$..*..*..*..*..*..*").unwrap();
    assert!(matches!(path.select(&deep), Selected::Value(_)));
    assert!(
        Path::parse(&"$".to_owned().chars().chain(".a".repeat(10_000).chars()).collect::<String>()).is_err()
    );
    assert!(Path::parse(&format!("$[?{}@.a", "(".repeat(10_000))).is_err());
    assert!(Path::parse(&format!("$[?{}@.a", "!".repeat(10_000))).is_err());
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(".a".to_owned()),
        Just(".b".to_owned()),
        Just("['a']".to_owned()),
        Just("..a".to_owned()),
        Just("..*".to_owned()),
        Just(".*".to_owned()),
        Just("[*]".to_owned()),
        (-3i64..4).prop_map(|index| format!("[{index}]")),
        (-3i64..4, -3i64..4, 1i64..3).prop_map(|(start, end, step)| format!("[{start}:{end}:{step}]")),
        (-3i64..4).prop_map(|end| format!("[:{end}:-1]")),
        (0i64..3, 0i64..3).prop_map(|(first, second)| format!("[{first},{second}]")),
        Just("['a','b']".to_owned()),
    ]
}

/// Filters only where both agree: at the end, on an array.
fn filtered() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        Just("@.a"),
        Just("@.b"),
        Just("@[0]"),
        Just("@"),
        Just("1"),
        Just("'x'"),
        Just("null"),
        Just("true")
    ];
    let path = prop_oneof![Just("@.a"), Just("@.b"), Just("@")];
    let sign = prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    (path, sign, operand, any::<bool>(), any::<bool>()).prop_map(|(left, sign, right, negated, exists)| {
        // The oracle orders what the RFC does not.
        let sign = if right == "1" || right == "'x'" || sign == "==" { sign } else { "!=" };
        let test = if exists { "@.a".to_owned() } else { format!("{left} {sign} {right}") };
        if negated { format!("[?!({test})]") } else { format!("[?{test} && @.b || {test}]") }
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0i64..3).prop_map(Value::from),
        Just(json!(1.0)),
        prop_oneof![Just("x"), Just("y")].prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(prop_oneof![Just("a"), Just("b"), Just("c")], inner, 0..3).prop_map(
                |members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            ),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_the_rfc(segments in prop::collection::vec(segment(), 0..4), document in value()) {
        let text = format!("${}", segments.concat());
        compare(&text, &document)?;
    }

    #[test]
    fn filters_agree_with_the_rfc(filter in filtered(), items in prop::collection::vec(value(), 0..5)) {
        compare(&format!("${filter}"), &Value::Array(items))?;
    }

    #[test]
    fn never_panics(text in "\\$[-$.@a\\[\\]'\"*?()!=<>&|~/:,0-9\\\\u ]{0,24}", document in value()) {
        if let Ok(path) = Path::parse(&text) {
            let _ = path.select(&document);
            let _ = path.write(document, Value::Null);
        }
    }
}

fn compare(text: &str, document: &Value) -> Result<(), TestCaseError> {
    let ours = Path::parse(text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
    let theirs =
        serde_json_path::JsonPath::parse(text).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let theirs: Vec<Value> = theirs.query(document).all().into_iter().cloned().collect();
    let got = match ours.select(document) {
        Selected::Missing { .. } => Vec::new(),
        Selected::Value(value) if ours.is_definite() => vec![value.into_owned()],
        Selected::Value(list) => list.as_array().cloned().unwrap_or_default(),
    };
    prop_assert_eq!(got, theirs, "{} on {}", text, document);
    Ok(())
}
