//! Why an event does not match.

use serde::Serialize;

use crate::elements::ROOT;
use crate::event::Event;
use crate::leaf::Leaf;
use crate::parse::Group;
use crate::pattern::Pattern;
use crate::scan::Field;
use crate::value::Value;
use crate::words;

/// At most so many values of one field are quoted.
const QUOTED_VALUES_MAX: usize = 10;

/// Whether a pattern matches an event, and if not, what stands against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether the pattern matches. All lists are empty then.
    pub matched: bool,
    /// The fields outside any `$or` that the event does not satisfy.
    pub unmatched: Vec<UnmatchedField>,
    /// The `$or`s of which no branch is satisfied.
    pub or: Vec<OrExplanation>,
    /// If every field is satisfied by itself, but never all of them in the same array elements: where each was found.
    pub scattered: Vec<FieldPlace>,
}

/// A field that the event does not satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmatchedField {
    /// The steps to the field, joined by dots.
    pub path: String,
    /// The alternatives that the pattern gives, as JSON text.
    pub wanted: String,
    /// The same in words.
    pub wanted_in_words: String,
    /// The event's values at the path, as JSON text, the first ten of them. Empty if the field is absent.
    pub found: Vec<String>,
    /// How many values the event has at the path.
    pub found_count: usize,
}

/// A `$or` of which no branch is satisfied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrExplanation {
    /// The branches in the order of the pattern.
    pub branches: Vec<BranchExplanation>,
}

/// A branch of a `$or`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BranchExplanation {
    /// The branch's own fields that the event does not satisfy.
    pub unmatched: Vec<UnmatchedField>,
    /// The `$or`s inside the branch of which no branch is satisfied.
    pub or: Vec<OrExplanation>,
}

/// Where in the event's arrays a field is satisfied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldPlace {
    /// The steps to the field, joined by dots.
    pub path: String,
    /// The alternatives that the pattern gives, as JSON text.
    pub wanted: String,
    /// The same in words.
    pub wanted_in_words: String,
    /// For the first ten values that satisfy it: the positions in the arrays around it, outermost first.
    pub elements: Vec<Vec<u32>>,
}

/// Explains what the pattern makes of the event.
pub fn explain(pattern: &Pattern, event: &Event<'_>) -> Explanation {
    let matched = pattern.matches_event(event);
    let mut explanation =
        Explanation { matched, unmatched: Vec::new(), or: Vec::new(), scattered: Vec::new() };
    if !matched {
        let BranchExplanation { unmatched, or } = explain_group(pattern, pattern.root(), event);
        (explanation.unmatched, explanation.or) = (unmatched, or);
        if explanation.unmatched.is_empty() && explanation.or.is_empty() {
            explain_combination(pattern, event, &mut explanation);
        }
    }
    explanation
}

fn explain_group(pattern: &Pattern, group: &Group, event: &Event<'_>) -> BranchExplanation {
    let leaves = group.leaves.iter().map(|&leaf| pattern.leaf(leaf));
    let unmatched = leaves.filter_map(|leaf| explain_leaf(leaf, event)).collect();
    let or = group.ors.iter().filter_map(|branches| {
        let branches: Vec<_> = branches.iter().map(|branch| explain_group(pattern, branch, event)).collect();
        let satisfied = |branch: &BranchExplanation| branch.unmatched.is_empty() && branch.or.is_empty();
        (!branches.iter().any(satisfied)).then_some(OrExplanation { branches })
    });
    BranchExplanation { unmatched, or: or.collect() }
}

fn explain_leaf(leaf: &Leaf, event: &Event<'_>) -> Option<UnmatchedField> {
    let mut count = 0;
    for field in event.fields_at(&leaf.path) {
        if leaf.matches(event.value(field)) {
            return None;
        }
        count += 1;
    }
    if count == 0 && leaf.absent_allowed {
        return None;
    }
    Some(UnmatchedField {
        path: leaf.path.to_string(),
        wanted: leaf.text.to_string(),
        wanted_in_words: words::wanted(leaf),
        found: event
            .fields_at(&leaf.path)
            .take(QUOTED_VALUES_MAX)
            .map(|field| quote(event.value(field)))
            .collect(),
        found_count: count,
    })
}

/// For the combination that came closest: the fields that fail it, or where its fields were found.
fn explain_combination(pattern: &Pattern, event: &Event<'_>, explanation: &mut Explanation) {
    let failing =
        |combination: &&[u32]| pattern.leaves_of(combination).filter(|leaf| !event.key(leaf).alone()).count();
    let Some(closest) = pattern.combinations().min_by_key(failing) else {
        return;
    };
    explanation.unmatched = pattern.leaves_of(closest).filter_map(|leaf| explain_leaf(leaf, event)).collect();
    if explanation.unmatched.is_empty() {
        let leaves = pattern.leaves_of(closest).filter(|leaf| event.fields_at(&leaf.path).any(in_array));
        explanation.scattered = leaves.map(|leaf| place(leaf, event)).collect();
    }
}

fn in_array(field: &Field) -> bool {
    field.element != ROOT
}

fn place(leaf: &Leaf, event: &Event<'_>) -> FieldPlace {
    let satisfied = event.fields_at(&leaf.path).filter(|field| leaf.matches(event.value(field)));
    FieldPlace {
        path: leaf.path.to_string(),
        wanted: leaf.text.to_string(),
        wanted_in_words: words::wanted(leaf),
        elements: satisfied
            .take(QUOTED_VALUES_MAX)
            .map(|field| event.elements().indexes(field.element))
            .collect(),
    }
}

/// A value as JSON text.
fn quote(value: Value<'_>) -> String {
    match value {
        Value::Number(text) => text.to_owned(),
        Value::True => "true".to_owned(),
        Value::False => "false".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Str(text) => {
            let mut quoted = String::with_capacity(text.len() + 2);
            quoted.push('"');
            for c in text.chars() {
                match c {
                    '"' => quoted.push_str("\\\""),
                    '\\' => quoted.push_str("\\\\"),
                    '\n' => quoted.push_str("\\n"),
                    '\t' => quoted.push_str("\\t"),
                    '\r' => quoted.push_str("\\r"),
                    c if c.is_ascii_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => quoted.push(c),
                }
            }
            quoted.push('"');
            quoted
        }
    }
}
