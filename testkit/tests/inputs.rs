//! Nothing is accepted and not honoured: for every member of the input of every operation that EventBridge's services and
//! Step Functions serve, the service's `inputs.toml` names the test that shows its effect, or its refusal.
//!
//! The members come from the schemas that requests are held against, so that none can be forgotten; the tests are those of the
//! service and of the test kit, and must name the operation and the member. A refusal counts for all that stands below what
//! is refused.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base::schema::{Kind, OperationSchema, ServiceSchema, Shape};
use testkit::World;
use toml::{Table, Value};

const SERVICES: [&str; 6] = ["events", "eventsv2", "pipes", "scheduler", "schemas", "states"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The members that have none of their own, by their paths. What a structure says of itself again is left out.
fn leaves(shape: &'static Shape, path: &str, above: &[&str]) -> Vec<String> {
    match shape.kind {
        Kind::Structure { members, .. } if !members.is_empty() || path.is_empty() => {
            if above.contains(&shape.name) {
                return Vec::new();
            }
            let above = [above, &[shape.name]].concat();
            let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            members.iter().flat_map(|member| leaves(member.shape, &below(member.name), &above)).collect()
        }
        Kind::List { member, .. } => leaves(member, path, above),
        Kind::Map { value, .. } => leaves(value, path, above),
        _ => vec![path.to_owned()],
    }
}

/// What a row of the list says of a member.
struct Evidence<'a> {
    test: &'a str,
    refused: bool,
}

fn evidence(row: &Value) -> Evidence<'_> {
    match row.get("refused") {
        Some(test) => Evidence { test: test.as_str().unwrap(), refused: true },
        None => Evidence { test: row.as_str().unwrap(), refused: false },
    }
}

fn is_below(path: &str, block: &str) -> bool {
    path.strip_prefix(block).is_some_and(|rest| rest.starts_with('.'))
}

/// Tests by their names, each with what it says itself and what its helpers say: small and without underscores.
type Tests = BTreeMap<String, Vec<String>>;

fn tests_of(service: &str) -> Tests {
    let mut open = vec![root().join("testkit/tests"), root().join("services").join(service).join("tests")];
    let mut tests = Tests::new();
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        let mut files = Vec::new();
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(split(&fs::read_to_string(&path).unwrap()));
            }
        }
        // In a directory of one program, files without tests help those with some.
        let is_shared = !directory.ends_with("testkit/tests");
        let shared: String =
            files.iter().filter(|file| is_shared && file.0.is_empty()).map(|file| file.1.as_str()).collect();
        for (own, helpers) in files {
            for (name, body) in own {
                let said = format!("{body}{helpers}{shared}").to_lowercase().replace('_', "");
                tests.entry(name).or_default().push(said);
            }
        }
    }
    tests
}

/// The tests of a file that are run, by their names, and the rest of the file.
fn split(text: &str) -> (Vec<(String, String)>, String) {
    let (mut tests, mut rest) = (Vec::new(), String::new());
    let (mut is_test, mut current): (bool, Option<(String, String)>) = (false, None);
    for line in text.lines() {
        if let Some((name, mut body)) = current.take() {
            body.push_str(line);
            match line {
                "}" => tests.push((name, body)),
                _ => current = Some((name, body)),
            }
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            is_test = false;
        } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ").filter(|_| is_test) {
            is_test = false;
            current = Some((name.split('(').next().unwrap().to_owned(), line.to_owned()));
        } else {
            rest.push_str(line);
        }
    }
    (tests, rest)
}

/// What is wrong with an operation's rows.
fn complaints(operation: &OperationSchema, rows: &Table, tests: &Tests) -> Vec<String> {
    let leaves = leaves(operation.input, "", &[]);
    let is_refused =
        |path: &String| rows.iter().any(|(row, value)| evidence(value).refused && is_below(path, row));
    let is_missing = |path: &&String| !rows.contains_key(*path) && !is_refused(path);
    let mut found: Vec<String> =
        leaves.iter().filter(is_missing).map(|path| format!("{path}: no row")).collect();
    for (path, value) in rows {
        let Evidence { test, refused } = evidence(value);
        let stands_for_leaves = refused && leaves.iter().any(|leaf| is_below(leaf, path));
        if !stands_for_leaves && !leaves.contains(path) {
            found.push(format!("{path}: no such member"));
        }
        let name = path.rsplit('.').next().unwrap().to_lowercase();
        let shows = |said: &String| said.contains(&name) && said.contains(&operation.name.to_lowercase());
        match tests.get(test) {
            None => found.push(format!("{path}: no test {test}")),
            Some(said) if !said.iter().any(shows) => {
                found.push(format!("{path}: {test} does not speak of it"));
            }
            Some(_) => {}
        }
    }
    found
}

fn check(schema: &'static ServiceSchema, list: &Table, tests: &Tests) -> Vec<String> {
    let none = Table::new();
    let mut found = Vec::new();
    for operation in schema.operations {
        let rows = list.get(operation.name).and_then(Value::as_table).unwrap_or(&none);
        let wrong = complaints(operation, rows, tests);
        found.extend(wrong.iter().map(|why| format!("{}:{}.{why}", schema.signing_name, operation.name)));
    }
    let unknown = list.keys().filter(|name| schema.operation(name).is_none());
    found.extend(unknown.map(|name| format!("{}:{name}: no such operation", schema.signing_name)));
    found
}

#[tokio::test]
async fn every_input_has_a_test_of_its_effect_or_its_refusal() {
    let services = || {
        let rules = [events::service(), eventsv2::service(), schemas::service()];
        [pipes::service(), scheduler::service(), states::service()].into_iter().chain(rules).collect()
    };
    let world = World::new(services).await;
    let mut found = Vec::new();
    for service in SERVICES {
        let schema = world.kernel().schemas().find(|schema| schema.signing_name == service).unwrap();
        let list = fs::read_to_string(root().join("services").join(service).join("inputs.toml")).unwrap();
        found.extend(check(schema, &toml::from_str(&list).unwrap(), &tests_of(service)));
    }
    assert!(found.is_empty(), "\n{}\n{} in all", found.join("\n"), found.len());
}
