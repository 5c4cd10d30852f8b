//! What `events` says of an event and the rules of its bus, as the pages read it.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// An event and what every rule made of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Explained {
    /// The bus that it came to.
    pub bus: String,
    /// When it came.
    pub ingested_at: Timestamp,
    /// Its chain of causes.
    pub root: Uuid,
    /// The whole event.
    pub event: Value,
    /// The whole event as its producer wrote it.
    #[serde(default)]
    pub text: String,
    /// Every rule of the bus as it stood then.
    pub rules: Vec<Rule>,
    /// What was wrong with it, if it broke the schema that it was checked against.
    #[serde(default)]
    pub validation: Option<Validated>,
}

/// What a schema said of an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Validated {
    /// `WARNED`, `REJECTED`, `QUARANTINED`, `RELEASED` or `DISCARDED`.
    pub outcome: String,
    /// The schema.
    pub schema: UsedSchema,
    /// The rules that the event breaks.
    pub failures: Vec<SchemaFailure>,
}

/// A version of a schema.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsedSchema {
    registry_name: String,
    schema_name: String,
    schema_version: String,
}

impl std::fmt::Display for UsedSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} version {}", self.registry_name, self.schema_name, self.schema_version)
    }
}

/// A rule of a schema that an event breaks.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SchemaFailure {
    /// Where in the whole event, as a JSON pointer; empty for the event itself.
    pub pointer: String,
    /// What is wrong, in words.
    pub message: String,
}

/// A rule and its answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    /// Its name.
    pub name: String,
    /// Its pattern.
    pub pattern: String,
    /// The service that manages it.
    #[serde(default)]
    pub managed_by: Option<String>,
    /// Its answer.
    pub verdict: Verdict,
    /// Where it sends events.
    pub targets: Vec<Target>,
}

/// A rule's answer.
#[derive(Debug, Deserialize)]
pub(crate) enum Verdict {
    /// The event was sent.
    Matched,
    /// It was not.
    NotMatched(Explanation),
    /// Nothing was asked.
    Disabled,
}

/// A target of a rule.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

/// What stands against a match.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Explanation {
    unmatched: Vec<Field>,
    or: Vec<Or>,
    #[serde(default)]
    scattered: Vec<Place>,
}

#[derive(Debug, Deserialize)]
struct Field {
    path: String,
    wanted: String,
    wanted_in_words: String,
    found: Vec<String>,
    found_count: usize,
}

#[derive(Debug, Deserialize)]
struct Or {
    branches: Vec<Explanation>,
}

#[derive(Debug, Deserialize)]
struct Place {
    path: String,
    wanted: String,
    wanted_in_words: String,
    elements: Vec<Vec<u32>>,
}

/// One thing that stands against a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which alternative of a `$or` this is about: `1.2` is the second of the first; empty outside.
    pub alternative: String,
    /// The field.
    pub path: String,
    /// What the pattern wants, as it writes it.
    pub wanted: String,
    /// The same in words.
    pub in_words: String,
    /// What the event has.
    pub found: String,
}

impl Explanation {
    /// Everything that stands against a match, in the order of the pattern.
    pub(crate) fn reasons(self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        self.collect("", &mut reasons);
        reasons
    }

    fn collect(self, alternative: &str, reasons: &mut Vec<Reason>) {
        let alternative = alternative.to_owned();
        let reason = |path, wanted, in_words, found| Reason {
            alternative: alternative.clone(),
            path,
            wanted,
            in_words,
            found,
        };
        for field in self.unmatched {
            let found = found(&field);
            reasons.push(reason(field.path, field.wanted, field.wanted_in_words, found));
        }
        for place in self.scattered {
            let places: Vec<String> = place.elements.iter().map(|at| format!("{at:?}")).collect();
            let found = format!("only in array element {}", places.join(", "));
            reasons.push(reason(place.path, place.wanted, place.wanted_in_words, found));
        }
        for or in self.or {
            for (index, branch) in or.branches.into_iter().enumerate() {
                let dot = if alternative.is_empty() { "" } else { "." };
                branch.collect(&format!("{alternative}{dot}{}", index + 1), reasons);
            }
        }
    }
}

fn found(field: &Field) -> String {
    let more = field.found_count.saturating_sub(field.found.len());
    match (field.found.is_empty(), more) {
        (true, _) => "absent".to_owned(),
        (false, 0) => field.found.join(", "),
        (false, more) => format!("{} and {more} more", field.found.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_are_flat_and_name_their_alternative() {
        let field = |path: &str, found: &[&str], count: usize| json!({ "path": path, "wanted": "[\"x\"]", "wanted_in_words": "\"x\"", "found": found, "found_count": count });
        let explanation = json!({
            "matched": false,
            "unmatched": [field("a", &[], 0), field("b", &["1", "2"], 5)],
            "or": [{ "branches": [
                { "unmatched": [field("c", &["3"], 1)], "or": [] },
                { "unmatched": [], "or": [{ "branches": [{ "unmatched": [field("d", &["4"], 1)], "or": [] }] }] },
            ]}],
            "scattered": [],
        });
        let explanation: Explanation = serde_json::from_value(explanation).unwrap();
        let reasons = explanation.reasons();
        let shown: Vec<_> = reasons
            .iter()
            .map(|reason| format!("{}|{}|{}", reason.alternative, reason.path, reason.found))
            .collect();
        assert_eq!(shown, ["|a|absent", "|b|1, 2 and 3 more", "1|c|3", "2.1|d|4"]);
    }
}
