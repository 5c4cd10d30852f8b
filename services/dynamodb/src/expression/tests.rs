use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::border::ItemForm;
use crate::value::Item;

const ITEM: &str = r##"{
    "pk": {"S": "user#1"}, "age": {"N": "30"}, "city": {"S": "Gdańsk"}, "bin": {"B": "AQID"},
    "tags": {"SS": ["red", "blue"]}, "nums": {"NS": ["1", "2.50"]}, "ok": {"BOOL": true}, "gone": {"NULL": true},
    "seq": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"x": {"S": "deep"}}}]},
    "doc": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "leaf"}}}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}}
}"##;

const NAMES: &str = r##"{"#s": "status", "#city": "city", "#d": "dotted.name"}"##;

const VALUES: &str = r##"{
    ":n0": {"N": "0"}, ":n1": {"N": "1"}, ":n30": {"N": "30.0"}, ":n99": {"N": "99"}, ":a": {"S": "a"},
    ":z": {"S": "z"}, ":g": {"S": "Gda"}, ":red": {"S": "red"}, ":b": {"B": "AQ=="}, ":t": {"BOOL": true},
    ":null": {"NULL": true}, ":typeS": {"S": "S"}, ":typeX": {"S": "STRING"}, ":ss": {"SS": ["red"]},
    ":both": {"SS": ["red", "blue"]}, ":ns": {"NS": ["2.5", "7"]}, ":l": {"L": [{"S": "new"}]},
    ":m": {"M": {"x": {"S": "deep"}}}, ":empty": {"L": []}
}"##;

fn item(json: &str) -> Item {
    serde_json::from_str::<ItemForm>(json).unwrap().accept().unwrap()
}

/// Runs `ask` with all placeholders; a fault's text stands behind `! `.
fn with_placeholders(ask: impl FnOnce(&Placeholders<'_>) -> Result<String, Fault>) -> String {
    let names: BTreeMap<String, String> = serde_json::from_str(NAMES).unwrap();
    let values = item(VALUES);
    let placeholders = Placeholders::new(Some(&names), Some(&values)).unwrap();
    ask(&placeholders).unwrap_or_else(|fault| format!("! {}", fault.message))
}

fn verdict(text: &str) -> String {
    with_placeholders(|placeholders| {
        Ok(Condition::parse(Kind::Condition, text, placeholders)?.holds(&item(ITEM)).to_string())
    })
}

const CONDITIONS: &[(&str, &str)] = &[
    ("age = :n30", "true"),
    ("age <> :n30", "false"),
    ("age < :n99", "true"),
    (":n99 > age", "true"),
    ("age >= :n30", "true"),
    ("age < city", "false"),
    ("nothing = :n1", "false"),
    ("nothing <> :n1", "true"),
    ("nothing < :n1", "false"),
    ("NOT nothing = :n1", "true"),
    ("age = :a", "false"),
    ("age <> :a", "true"),
    ("age BETWEEN :n1 AND :n99", "true"),
    ("age between :n30 and :n30", "true"),
    ("city BETWEEN :a AND :z", "false"),
    ("age IN (:a, :n1, :n30)", "true"),
    ("age IN (:a)", "false"),
    ("nothing IN (:a)", "false"),
    ("attribute_exists(age) AND attribute_not_exists(nothing)", "true"),
    ("attribute_exists(doc.b.c)", "true"),
    ("attribute_exists(seq[2].x)", "true"),
    ("attribute_exists(seq[3])", "false"),
    ("attribute_exists(city.x)", "false"),
    ("attribute_type(city, :typeS)", "true"),
    ("attribute_type(age, :typeS)", "false"),
    ("begins_with(city, :g)", "true"),
    ("begins_with(#city, :g)", "true"),
    ("begins_with(bin, :b)", "true"),
    ("begins_with(age, :g)", "false"),
    ("contains(tags, :red)", "true"),
    ("contains(city, :z)", "false"),
    ("contains(city, :a)", "true"),
    ("contains(seq, :m)", "true"),
    ("contains(bin, :b)", "true"),
    ("contains(age, :a)", "false"),
    ("size(city) > :n1", "true"),
    ("size(tags) = size(nums)", "true"),
    ("size(age) > :n0", "false"),
    ("size(nothing) >= :n0", "false"),
    ("doc.a = seq[1]", "true"),
    ("doc.b.c = :a OR age = :n30", "true"),
    ("age = :n30 OR age = :n1 AND age = :n99", "true"),
    ("(age = :n30 OR age = :n1) AND age = :n99", "false"),
    ("NOT age = :n1 AND age = :n30", "true"),
    ("NOT (age = :n1 AND age = :n30)", "true"),
    ("NOT NOT age = :n30", "true"),
    ("tags = :both", "true"),
    ("seq[2] = :m", "true"),
    ("ok = :t AND gone = :null", "true"),
];

#[test]
fn conditions() {
    for (text, expected) in CONDITIONS.iter().copied() {
        assert_eq!(verdict(text), expected, "{text}");
    }
}

const REFUSED_CONDITIONS: &[(&str, &str)] = &[
    ("", "The expression can not be empty;"),
    ("  ", "The expression can not be empty;"),
    ("age =", r#"Syntax error; token: "<EOF>", near: "=""#),
    ("age = = :n1", r#"Syntax error; token: "=", near: "= = :n1""#),
    ("age ! :n1", r#"Syntax error; token: "!", near: "age ! :n1""#),
    ("age = :n1)", r#"Syntax error; token: ")", near: ":n1)""#),
    ("age", r#"Syntax error; token: "<EOF>", near: "age""#),
    ("age = :n1 city = :a", r#"Syntax error; token: "city", near: ":n1 city =""#),
    ("seq[x] = :a", r#"Syntax error; token: "x", near: "[x]""#),
    ("status = :n1", "Attribute name is a reserved keyword; reserved keyword: status"),
    ("doc.Value = :n1", "Attribute name is a reserved keyword; reserved keyword: Value"),
    ("#x = :n1", "An expression attribute name used in the document path is not defined; attribute name: #x"),
    ("age = :x", "An expression attribute value used in expression is not defined; attribute value: :x"),
    ("foo(age)", "Invalid function name; function: foo"),
    (
        "contains(city, :a) = :a",
        "The function is not allowed to be used this way in an expression; function: contains",
    ),
    ("Size(age) = :n1", "Invalid function name; function: Size"),
    (
        "age = contains(city, :a)",
        "The function is not allowed to be used this way in an expression; function: contains",
    ),
    ("size(city)", "The function is not allowed to be used this way in an expression; function: size"),
    (
        "if_not_exists(age, :n1)",
        "The function is not allowed in a condition expression; function: if_not_exists",
    ),
    (
        "attribute_exists(age, city)",
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number \
             of operands: 2",
    ),
    (
        "begins_with(city)",
        "Incorrect number of operands for operator or function; operator or function: begins_with, number of \
             operands: 1",
    ),
    (
        "begins_with(city, :n1)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ),
    (
        "age < :t",
        "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
    ),
    (
        "size(:n1) = :n1",
        "Incorrect operand type for operator or function; operator or function: size, operand type: N",
    ),
    (
        "attribute_type(age, :typeX)",
        "Invalid attribute type name found; type: STRING, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    ),
    (
        "attribute_type(age, :n1)",
        "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
    ),
    (
        "attribute_exists(:a)",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    (
        "doc.a = doc.a",
        "The first operand must be distinct from the remaining operands for this operator or function; \
             operator: =, first operand: [doc, a]",
    ),
    ("((age = :n1))", "The expression has redundant parentheses;"),
    (
        "age BETWEEN :n99 AND :n1",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
             operand: AttributeValue: {N:99}, upper bound operand: AttributeValue: {N:1}",
    ),
    (
        "age BETWEEN :a AND :n1",
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
             AttributeValue: {S:a}, upper bound operand: AttributeValue: {N:1}",
    ),
];

#[test]
fn refused_conditions() {
    for (text, expected) in REFUSED_CONDITIONS.iter().copied() {
        assert_eq!(verdict(text), format!("! Invalid ConditionExpression: {expected}"), "{text}");
    }
}

#[test]
fn limits() {
    let long = format!("{} = :n1", "a".repeat(4096));
    assert_eq!(
        verdict(&long),
        "! Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;"
    );
    let sum = |count: usize| vec!["z=:n1"; count].join(" OR ");
    assert_eq!(verdict(&sum(300)), "false");
    let many =
        "! Invalid ConditionExpression: The expression contains too many operators; operator count: 301";
    assert_eq!(verdict(&sum(301)), many);
    assert_eq!(verdict(&"(".repeat(4000)), many);
    assert_eq!(verdict(&format!("{}age = :n1", "NOT ".repeat(1000))), many);
    let nested = format!("{}z=:n1{}", "z=:n1 OR (".repeat(299), ")".repeat(299));
    assert_eq!(verdict(&nested), "false");
    let calls = |count: usize| format!("SET z = {}:l{}", "list_append(".repeat(count), ",:l)".repeat(count));
    assert!(updated(&calls(250)).starts_with(r#"{"z":{"L":[{"S":"new"}"#));
    assert_eq!(
        updated("SET z = list_append("),
        r#"! Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "(""#
    );
    assert_eq!(
        updated(&format!("SET z = {}", "list_append(".repeat(330))),
        "! Invalid UpdateExpression: The expression contains too many operators; operator count: 301"
    );
    let deep = format!("z{} = :n1", ".z".repeat(32));
    assert_eq!(
        verdict(&deep),
        "! Invalid ConditionExpression: The document path has too many nesting elements;"
    );
}

fn projected(text: &str) -> String {
    with_placeholders(|placeholders| {
        let projection = Projection::parse(text, placeholders)?;
        Ok(serde_json::to_string(&projection.apply(&item(ITEM))).unwrap())
    })
}

const PROJECTIONS: &[(&str, &str)] = &[
    ("age, nothing", r#"{"age":{"N":"30"}}"#),
    ("doc.b.c", r#"{"doc":{"M":{"b":{"M":{"c":{"S":"leaf"}}}}}}"#),
    ("doc.a, doc.l[1]", r#"{"doc":{"M":{"a":{"N":"1"},"l":{"L":[{"N":"2"}]}}}}"#),
    ("seq[2].x, seq[0]", r#"{"seq":{"L":[{"S":"zero"},{"M":{"x":{"S":"deep"}}}]}}"#),
    ("seq[9]", "{}"),
    ("city.x", "{}"),
    ("#city", r#"{"city":{"S":"Gdańsk"}}"#),
    ("#d", "{}"),
    ("age,", r#"! Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ",""#),
    (
        "doc, age, doc.b",
        "! Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one \
             of these paths; path one: [doc], path two: [doc, b]",
    ),
    (
        "doc.b, doc[0]",
        "! Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one \
             of these paths; path one: [doc, b], path two: [doc, [0]]",
    ),
];

#[test]
fn projections() {
    for (text, expected) in PROJECTIONS.iter().copied() {
        assert_eq!(projected(text), expected, "{text}");
    }
}

/// What an update changes: the parts it touches, as they are afterwards.
fn updated(text: &str) -> String {
    with_placeholders(|placeholders| {
        let update = Update::parse(text, placeholders)?;
        let mut changed = item(ITEM);
        update.apply(&mut changed)?;
        let roots: Vec<Path<'_>> = update.paths().map(|path| Path::attribute(path.name)).collect();
        let roots = Projection::of(roots.into_iter().fold(Vec::new(), |mut all, path| {
            if !all.contains(&path) {
                all.push(path);
            }
            all
        }))?;
        Ok(serde_json::to_string(&roots.apply(&changed)).unwrap())
    })
}

const UPDATES: &[(&str, &str)] = &[
    ("SET age = :n1", r#"{"age":{"N":"1"}}"#),
    ("SET age = age + :n1, #s = age", r##"{"age":{"N":"31"},"status":{"N":"30"}}"##),
    ("set age = age - :n99", r#"{"age":{"N":"-69"}}"#),
    ("SET fresh = if_not_exists(fresh, :n0) + :n1", r#"{"fresh":{"N":"1"}}"#),
    ("SET age = if_not_exists(age, :n0) + :n1", r#"{"age":{"N":"31"}}"#),
    ("SET fresh = list_append(if_not_exists(fresh, :empty), :l)", r#"{"fresh":{"L":[{"S":"new"}]}}"#),
    (
        "SET doc.l = list_append(:l, doc.l) REMOVE doc.b, doc.a",
        r#"{"doc":{"M":{"l":{"L":[{"S":"new"},{"N":"1"},{"N":"2"}]}}}}"#,
    ),
    (
        "SET doc.l[7] = :a, doc.l[5] = :z REMOVE doc.a, doc.b",
        r#"{"doc":{"M":{"l":{"L":[{"N":"1"},{"N":"2"},{"S":"z"},{"S":"a"}]}}}}"#,
    ),
    ("REMOVE seq[0], seq[2]", r#"{"seq":{"L":[{"N":"1"}]}}"#),
    ("REMOVE seq[1], seq[9] SET seq[0] = :a", r#"{"seq":{"L":[{"S":"a"},{"M":{"x":{"S":"deep"}}}]}}"#),
    ("REMOVE nothing, age", "{}"),
    ("ADD age :n1, fresh :n99", r#"{"age":{"N":"31"},"fresh":{"N":"99"}}"#),
    ("ADD tags :ss, nums :ns", r#"{"nums":{"NS":["1","2.5","7"]},"tags":{"SS":["blue","red"]}}"#),
    ("DELETE tags :ss", r#"{"tags":{"SS":["blue"]}}"#),
    ("DELETE tags :both", "{}"),
    ("DELETE fresh :ss", "{}"),
    (
        "SET age = :n1 ADD fresh :n1 DELETE tags :ss REMOVE city",
        r#"{"age":{"N":"1"},"fresh":{"N":"1"},"tags":{"SS":["blue"]}}"#,
    ),
    ("SET age = nothing", "! The provided expression refers to an attribute that does not exist in the item"),
    ("SET age = city + :n1", "! An operand in the update expression has an incorrect data type"),
    ("SET fresh.x = :n1", "! The document path provided in the update expression is invalid for update"),
    ("SET doc[0] = :n1", "! The document path provided in the update expression is invalid for update"),
    ("REMOVE fresh.x", "! The document path provided in the update expression is invalid for update"),
    ("ADD city :n1", "! An operand in the update expression has an incorrect data type"),
    ("DELETE tags :ns", "! An operand in the update expression has an incorrect data type"),
];

#[test]
fn updates() {
    for (text, expected) in UPDATES.iter().copied() {
        assert_eq!(updated(text), expected, "{text}");
    }
}

const REFUSED_UPDATES: &[(&str, &str)] = &[
    ("age = :n1", r#"Syntax error; token: "age", near: "age =""#),
    ("SET age :n1", r#"Syntax error; token: ":n1", near: "age :n1""#),
    ("ADD age city", r#"Syntax error; token: "city", near: "age city""#),
    ("SET age = :n1 SET city = :a", r#"The "SET" section can only be used once in an update expression;"#),
    (
        "SET age = :n1 REMOVE age",
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: \
             [age], path two: [age]",
    ),
    (
        "SET age = :a + :n1",
        "Incorrect operand type for operator or function; operator or function: +, operand type: S",
    ),
    (
        "SET seq = list_append(seq, :a)",
        "Incorrect operand type for operator or function; operator or function: list_append, operand type: S",
    ),
    (
        "ADD age :a",
        "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: \
             ALLOWED_FOR_ADD_OPERAND",
    ),
    (
        "DELETE age :n1",
        "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: \
             ALLOWED_FOR_DELETE_OPERAND",
    ),
    (
        "SET age = attribute_exists(age)",
        "The function is not allowed in an update expression; function: attribute_exists",
    ),
    ("SET age = foo(age)", "Invalid function name; function: foo"),
    (
        "SET age = if_not_exists(:n1, :n1)",
        "Operator or function requires a document path; operator or function: if_not_exists",
    ),
    (
        "SET age = if_not_exists(age)",
        "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of \
             operands: 1",
    ),
];

#[test]
fn refused_updates() {
    for (text, expected) in REFUSED_UPDATES.iter().copied() {
        assert_eq!(updated(text), format!("! Invalid UpdateExpression: {expected}"), "{text}");
    }
}

fn key_condition(text: &str) -> String {
    with_placeholders(|placeholders| {
        Ok(format!("{:?}", KeyCondition::parse(text, placeholders, "pk", Some("sk"))?))
    })
}

const KEY_CONDITIONS: &[(&str, &str)] = &[
    ("pk = :a", r#"KeyCondition { hash: S("a"), range: None }"#),
    ("sk < :n1 AND pk = :a", r#"KeyCondition { hash: S("a"), range: Some(Compare(Less, N(1))) }"#),
    (
        "pk = :a AND (:n1 <= sk)",
        r#"KeyCondition { hash: S("a"), range: Some(Compare(GreaterOrEqual, N(1))) }"#,
    ),
    (
        "pk = :a AND begins_with(sk, :g)",
        r#"KeyCondition { hash: S("a"), range: Some(BeginsWith(S("Gda"))) }"#,
    ),
    (
        "pk = :a AND sk BETWEEN :n1 AND :n99",
        r#"KeyCondition { hash: S("a"), range: Some(Between(N(1), N(99))) }"#,
    ),
    ("sk = :a", "! Query condition missed key schema element: pk"),
    ("pk = :a AND city = :g", "! Query condition missed key schema element: sk"),
    ("pk < :a", "! Query key condition not supported"),
    (
        "pk = :a AND pk = :z",
        "! Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = :a OR sk = :a",
        "! Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        "pk = :a AND sk <> :a",
        "! Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>",
    ),
    (
        "pk = :a AND contains(sk, :a)",
        "! Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: contains",
    ),
    (
        "pk.x = :a",
        "! Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    ),
];

#[test]
fn key_conditions() {
    for (text, expected) in KEY_CONDITIONS.iter().copied() {
        assert_eq!(key_condition(text), expected, "{text}");
    }
}

#[test]
fn placeholders_are_checked() {
    let names = |json: &str| -> BTreeMap<String, String> { serde_json::from_str(json).unwrap() };
    let refusal = |names: &BTreeMap<String, String>, values: &Item, text: &str| {
        Placeholders::new(Some(names), Some(values))
            .and_then(|placeholders| {
                Condition::parse(Kind::Condition, text, &placeholders)?;
                placeholders.check_all_used()
            })
            .map_or_else(|fault| fault.message, |()| "used".to_owned())
    };
    let cases = [
        (r##"{"#a": "a"}"##, r#"{":v": {"N": "1"}}"#, "used"),
        (
            r##"{"#a": "a", "#b": "b"}"##,
            r#"{":v": {"N": "1"}}"#,
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            r##"{"#a": "a"}"##,
            r#"{":v": {"N": "1"}, ":x": {"N": "1"}}"#,
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}",
        ),
        ("{}", r#"{":v": {"N": "1"}}"#, "ExpressionAttributeNames must not be empty"),
        (r##"{"#a": "a"}"##, "{}", "ExpressionAttributeValues must not be empty"),
        (
            r##"{"a": "a"}"##,
            r#"{":v": {"N": "1"}}"#,
            "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
        ),
        (
            r##"{"#a": "a"}"##,
            r#"{":": {"N": "1"}}"#,
            "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\"",
        ),
    ];
    for (given_names, given_values, expected) in cases {
        assert_eq!(refusal(&names(given_names), &item(given_values), "#a = :v"), expected);
    }
}

proptest! {
    #[test]
    fn no_expression_panics(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "a", "b.c", "#city", "#x", ":n1", ":a", ":ss", "[0]", "[", "]", "(", ")", ",", ".", "=", "<>", "<=", "+",
            "-", "AND", "OR", "NOT", "BETWEEN", "IN", "size(", "contains(", "attribute_exists(", "list_append(",
            "if_not_exists(", "SET", "REMOVE", "ADD", "DELETE", "é", "7", "_",
        ]),
        0..12,
    )) {
        let text = pieces.join(" ");
        verdict(&text);
        projected(&text);
        updated(&text);
        updated(&format!("SET seq = {text}"));
        key_condition(&text);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        verdict(&text);
        projected(&text);
        updated(&text);
    }
}
