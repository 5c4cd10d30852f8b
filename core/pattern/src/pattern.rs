//! The compiled pattern.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::alternative::Alternative;
use crate::consistency::{Key, consistent};
use crate::error::{InvalidEvent, InvalidPattern};
use crate::event::Event;
use crate::leaf::Leaf;
use crate::parse::{Group, parse};

/// An event pattern, checked and compiled. It is immutable; share it with `Arc`.
#[derive(Debug)]
pub struct Pattern {
    text: Box<str>,
    leaves: Vec<Arc<Leaf>>,
    combinations: Vec<Box<[u32]>>,
    root: Group,
}

impl Pattern {
    /// Compiles a pattern from its JSON text.
    ///
    /// # Errors
    ///
    /// [`InvalidPattern`] with EventBridge's reason, for whatever EventBridge refuses.
    /// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let parsed = parse(text)?;
        Ok(Self {
            text: text.into(),
            leaves: parsed.leaves,
            combinations: parsed.combinations,
            root: parsed.root,
        })
    }

    /// The JSON text that the pattern was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches the event given as JSON text.
    ///
    /// # Errors
    ///
    /// [`InvalidEvent`] if the event is no JSON object.
    pub fn matches(&self, event: impl AsRef<[u8]>) -> Result<bool, InvalidEvent> {
        Ok(self.matches_event(&Event::parse(event.as_ref())?))
    }

    /// Whether the pattern matches the event.
    pub fn matches_event(&self, event: &Event<'_>) -> bool {
        self.combinations.iter().any(|combination| {
            let keys: Vec<Key> = self.leaves_of(combination).map(|leaf| event.key(leaf)).collect();
            consistent(event.elements(), &keys)
        })
    }

    /// The paths of the event fields that the pattern reads, each once, in order, steps joined by dots.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.leaves.iter().map(|leaf| &*leaf.path).collect::<BTreeSet<_>>().into_iter()
    }

    /// The operators that the pattern uses, each once, in order, a nested one behind a slash (`anything-but/prefix`).
    /// Literals are no operators; `$or` is named where it occurs. Pipes, for one, refuse some of them.
    pub fn operators(&self) -> impl Iterator<Item = &'static str> {
        let others = self.leaves.iter().flat_map(|leaf| &leaf.others);
        let mut operators: BTreeSet<&'static str> = others.filter_map(Alternative::operator).collect();
        if has_or(&self.root) {
            operators.insert("$or");
        }
        operators.into_iter()
    }

    pub(crate) fn combinations(&self) -> impl Iterator<Item = &[u32]> {
        self.combinations.iter().map(|combination| &**combination)
    }

    pub(crate) fn leaves_of(&self, combination: &[u32]) -> impl Iterator<Item = &Arc<Leaf>> {
        combination.iter().map(|&leaf| self.leaf(leaf))
    }

    pub(crate) fn leaf(&self, number: u32) -> &Arc<Leaf> {
        &self.leaves[number as usize]
    }

    pub(crate) fn root(&self) -> &Group {
        &self.root
    }
}

fn has_or(group: &Group) -> bool {
    !group.ors.is_empty()
}

impl PartialEq for Pattern {
    /// Two patterns are equal if their texts are.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
