//! Documents against a shape that has one of everything.

use proptest::prelude::*;

use super::*;

static NAME: Pattern = Pattern::new("[a-z]+", "[a-z]+", Some("no"));
static TEXT: Shape = Shape::string("Text", Bounds::ANY, None);
static TAG: Shape = Shape::string("TagKey", Bounds::range(1, 3), None);
static NAMED: Shape = Shape::string("Name", Bounds::max(5), Some(&NAME));
static COLOUR: Shape = Shape::one_of("Colour", &["RED", "BLUE"]);
static COUNT: Shape = Shape::new("Count", Kind::Integer(Bounds::range(1, 10)));
static LONG: Shape = Shape::new("Long", Kind::Long(Bounds::ANY));
static FLAG: Shape = Shape::new("Flag", Kind::Boolean);
static BYTES: Shape = Shape::new("Bytes", Kind::Blob(Bounds::max(4)));
static WHEN: Shape = Shape::timestamp("When", None);
static ANY: Shape = Shape::new("Any", Kind::Document);
static TAGS: Shape = Shape::list("Tags", &TAG, Bounds::max(2));
static ENTRIES: Shape = Shape::list("Entries", &ENTRY, Bounds::min(1));
static LABELS: Shape = Shape::map("Labels", &TAG, &TEXT, Bounds::ANY);
static ENTRY: Shape = Shape::structure(
    "Entry",
    &[
        Member::new("Id", &NAMED).required(),
        Member::new("Colour", &COLOUR),
        Member::new("Count", &COUNT),
        Member::new("Long", &LONG),
        Member::new("Flag", &FLAG),
        Member::new("Bytes", &BYTES),
        Member::new("When", &WHEN),
        Member::new("Any", &ANY),
        Member::new("Tags", &TAGS),
        Member::new("Entries", &ENTRIES),
        Member::new("Labels", &LABELS),
    ],
);

const LISTED: ValidationStyle = ValidationStyle::Listed { code: "ValidationException" };

#[track_caller]
fn good(json: &str) {
    assert_eq!(check(&ENTRY, json.as_bytes()), Ok(()), "{json}");
    let document: Document = serde_json::from_str(json).unwrap();
    assert_eq!(check_document(&ENTRY, &document), Ok(()), "{json}");
}

#[track_caller]
fn bad(style: ValidationStyle, json: &str, expected: &str) {
    let fault = style.fault(check(&ENTRY, json.as_bytes()).unwrap_err());
    assert_eq!(fault.to_string(), expected, "{json}");
}

#[test]
fn what_keeps_to_the_shape_passes() {
    good(r#"{"Id":"a"}"#);
    good(r#" {"Unknown":{"a":[1,null]},"Id":"abcde","Colour":"RED","Count":10,"Long":-9007199254740993} "#);
    good(r#"{"Id":"a","Flag":true,"Bytes":"AAECAw==","When":1.5,"Any":[1,{"a":null}],"Tags":["a","bc"]}"#);
    good(r#"{"Id":"a","Bytes":"AAEC","When":"2026-11-22T10:20:19Z","Colour":null,"Labels":{"a":"b"}}"#);
    good(r#"{"Entries":[{"Id":"b","Entries":[{"Id":"\u0063"}]}],"Id":"a"}"#);
}

#[test]
fn what_breaks_a_constraint_is_named_as_aws_names_it() {
    bad(
        LISTED,
        "{}",
        "ValidationException: 1 validation error detected: Value null at 'id' failed to satisfy constraint: \
         Member must not be null",
    );
    bad(
        LISTED,
        r#"{"Id":"ABCDEF","Colour":"GREEN"}"#,
        "ValidationException: 3 validation errors detected: Value 'ABCDEF' at 'id' failed to satisfy constraint: \
         Member must have length less than or equal to 5; Value 'ABCDEF' at 'id' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [a-z]+; Value 'GREEN' at 'colour' failed to satisfy \
         constraint: Member must satisfy enum value set: [RED, BLUE]",
    );
    bad(
        LISTED,
        r#"{"Id":"a","Entries":[{"Id":"b"},{"Id":null}],"Count":11}"#,
        "ValidationException: 2 validation errors detected: Value '11' at 'count' failed to satisfy constraint: \
         Member must have value less than or equal to 10; Value null at 'entries.2.member.id' failed to satisfy \
         constraint: Member must not be null",
    );
    bad(
        LISTED,
        r#"{"Id":"a","Tags":["toolong"]}"#,
        "ValidationException: 1 validation error detected: Value '[toolong]' at 'tags' failed to satisfy constraint: \
         Member must satisfy constraint: [Member must have length less than or equal to 3, Member must have length \
         greater than or equal to 1]",
    );
    bad(
        LISTED,
        r#"{"Id":"a","Entries":[],"Labels":{"":"x"},"Bytes":"AAECAwQF"}"#,
        "ValidationException: 3 validation errors detected: Value 'AAECAwQF' at 'bytes' failed to satisfy constraint: \
         Member must have length less than or equal to 4; Value '[]' at 'entries' failed to satisfy constraint: Member \
         must have length greater than or equal to 1; Value '{=x}' at 'labels' failed to satisfy constraint: Map keys \
         must satisfy constraint: [Member must have length less than or equal to 3, Member must have length greater \
         than or equal to 1]",
    );
    bad(
        LISTED,
        r#"{"Id":"no"}"#,
        "ValidationException: 1 validation error detected: Value 'no' at 'id' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [a-z]+",
    );
}

#[test]
fn sqs_has_words_of_its_own() {
    let sqs = ValidationStyle::Sqs;
    bad(sqs, "{}", "MissingParameter: The request must contain the parameter Id.");
    bad(sqs, r#"{"Id":"a","Colour":"x"}"#, "InvalidAttributeName: Unknown Attribute x.");
}

#[test]
fn wrong_types_and_no_json_are_serialization_exceptions() {
    let cases = [
        ("", "Unexpected end of document"),
        ("{\"Id\":\"a\"", "Unexpected end of document"),
        ("{\"Id\":\"a\"} x", "Unparseable document at line 1, column 12"),
        ("null", "Start of structure or map expected where null was found."),
        ("[]", "Start of list found where not expected."),
        (r#"{"Id":1}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"Id":true}"#, "TRUE_VALUE cannot be converted to String"),
        (r#"{"Id":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"Id":"a","Count":1.5}"#, "DECIMAL_VALUE cannot be converted to Integer"),
        (r#"{"Id":"a","Count":3000000000}"#, "NUMBER_VALUE cannot be converted to Integer"),
        (r#"{"Id":"a","Long":1e30}"#, "DECIMAL_VALUE cannot be converted to Long"),
        (r#"{"Id":"a","Bytes":"%"}"#, "Invalid Base64 in a blob value"),
        (r#"{"Id":"a","When":"soon"}"#, "STRING_VALUE cannot be converted to Timestamp"),
        (r#"{"Id":"a","Id":"b"}"#, "Duplicate member in structure"),
    ];
    for (json, message) in cases {
        bad(LISTED, json, &format!("SerializationException: {message}"));
    }
    let deep = format!("{{\"Id\":\"a\",\"Any\":{}", "[".repeat(100_000));
    bad(LISTED, &deep, "SerializationException: Unparseable document at line 1, column 143");
    for ignored in ["{\"Id\":\"a\",\"Unknown\":\"\\ud800\"}", "{\"Id\":\"a\",\"Any\":[1e999]}"] {
        assert!(check(&ENTRY, ignored.as_bytes()).is_err(), "{ignored}");
    }
    assert!(check(&ENTRY, b"{\"Id\":\"a\",\"Unknown\":\"\xff\"}").is_err());
    let not_utf8 = check(&ENTRY, b"{\"Id\":\"\xff\"}").unwrap_err();
    assert_eq!(not_utf8, Invalid::Serialization("Invalid UTF-8 in document".to_owned()));
}

#[test]
fn base64_is_measured_without_decoding_it_whole() {
    for length in [0, 1, 2, 3, 767, 768, 769, 5000] {
        let blob = Blob::from(vec![7; length]);
        assert_eq!(Blob::measure(&blob.to_base64()), Some(length as u64));
        assert_eq!(Blob::from_base64(&blob.to_base64()), Some(blob));
    }
    let padded_inside = format!("{}=={}", "A".repeat(1022), "A".repeat(4));
    assert_eq!(Blob::measure(&padded_inside), None);
}

/// What code generation makes of the shape.
#[derive(Debug, serde::Deserialize)]
#[expect(dead_code, reason = "only reading is tested")]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    colour: Option<Colour>,
    count: Option<i32>,
    long: Option<i64>,
    flag: Option<bool>,
    bytes: Option<Blob>,
    #[serde(default, with = "epoch::option")]
    when: Option<crate::Timestamp>,
    any: Option<Document>,
    tags: Option<Vec<String>>,
    entries: Option<Vec<Entry>>,
    labels: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Colour {
    Red,
    Blue,
}

/// JSON that often keeps to the shape.
fn nearly_an_entry() -> impl Strategy<Value = Document> {
    let simple = prop_oneof![
        Just(Document::Null),
        any::<bool>().prop_map(Document::from),
        (-3_i64..13).prop_map(Document::from),
        any::<i64>().prop_map(Document::from),
        any::<u64>().prop_map(Document::from),
        any::<f64>().prop_map(Document::from),
        "[a-z]{0,4}|no|RED|BLUE|AAEC|AA==|2026-11-22T10:20:19Z".prop_map(Document::from),
        any::<String>().prop_map(Document::from),
    ];
    let name = "Id|Colour|Count|Long|Flag|Bytes|When|Any|Tags|Entries|Labels|a|Unknown";
    simple.prop_recursive(4, 40, 6, move |inner| {
        let id = "[a-z]{1,5}".prop_map(|id| ("Id".to_owned(), Document::from(id)));
        let members = prop::collection::vec((name, inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Document::from),
            (id, members)
                .prop_map(|(id, members)| Document::Object(members.into_iter().chain([id]).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_quick_check_and_the_thorough_one_agree(document in nearly_an_entry()) {
        let text = document.to_string();
        let quick = check(&ENTRY, text.as_bytes());
        prop_assert_eq!(quick.is_ok(), check_document(&ENTRY, &document).is_ok(), "{}", text);
        if quick.is_ok() {
            prop_assert!(serde_json::from_str::<Entry>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_checked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&ENTRY, &bytes);
    }
}
