//! The recorded answers of EventBridge's open-source matcher, where they lie beside the project.
#![expect(clippy::unwrap_used, reason = "the cases are well-formed")]

use std::path::PathBuf;
use std::sync::Arc;

use pattern::{Event, Pattern, RuleSet, explain};
use serde_json::Value;

#[test]
fn agrees_with_every_recorded_case() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pattern-cases.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: {} is not there", file.display());
        return;
    };
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= 1_084, "{} cases", cases.len());
    let mut wrong = Vec::new();
    let mut rules = Vec::new();
    for case in &cases {
        let field = |name: &str| case[name].as_str().unwrap_or_else(|| panic!("{name} in {case}"));
        let answer = match Pattern::parse(field("pattern")) {
            Err(_) => "invalid",
            Ok(pattern) => {
                let event = Event::parse(field("event").as_bytes()).unwrap();
                let matched = pattern.matches_event(&event);
                let explanation = explain(&pattern, &event);
                assert_eq!(explanation.matched, matched, "{}", field("id"));
                let reasons =
                    explanation.unmatched.len() + explanation.or.len() + explanation.scattered.len();
                assert_eq!(reasons == 0, matched, "{}: {explanation:?}", field("id"));
                rules.push((rules.len(), Arc::new(pattern)));
                if matched { "match" } else { "nomatch" }
            }
        };
        if answer != field("expect") {
            wrong.push(format!(
                "{} {} got {answer}: {} {}",
                field("id"),
                field("expect"),
                field("pattern"),
                field("event")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    agrees_all_together(&cases, rules);
}

/// All rules at once against every event answer as each rule does alone.
fn agrees_all_together(cases: &[Value], rules: Vec<(usize, Arc<Pattern>)>) {
    let set = RuleSet::new(rules.iter().cloned());
    for case in cases {
        let text = case["event"].as_str().unwrap();
        let event = Event::parse(text.as_bytes()).unwrap();
        let mut together = Vec::new();
        set.matches(&event, &mut together);
        let alone = rules.iter().filter(|(_, pattern)| pattern.matches_event(&event));
        let alone: Vec<usize> = alone.map(|(number, _)| *number).collect();
        assert_eq!(together, alone, "{}", case["id"]);
    }
}
