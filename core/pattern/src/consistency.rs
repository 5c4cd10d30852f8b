//! Array consistency: whether the fields of one combination can be found together.
//!
//! As in EventBridge's own matcher, the fields are taken in the order of their paths. A field that must be absent is
//! judged against what was found for the fields before it: it may still occur in elements that those do not share.

use crate::elements::{ElementId, Elements, ROOT};

/// Work allowed for one combination and one event: some, and some more for each field. Events without repeated keys
/// never come near it, as for them the work is proportional to their size. Beyond it the combination counts as not
/// matched, because keys repeated on purpose can make the question exponentially hard.
const STEPS_AT_LEAST: usize = 10_000;
const STEPS_PER_FIELD: usize = 32;

/// What an event has for one field of a combination.
#[derive(Debug, Default)]
pub(crate) struct Key {
    /// The elements in which the field occurs, sorted, each once.
    pub(crate) found: Vec<ElementId>,
    /// Those in which a value satisfies the field, likewise.
    pub(crate) satisfied: Vec<ElementId>,
    pub(crate) absent_allowed: bool,
}

impl Key {
    /// Brings the elements, collected in the order of the text, into order.
    pub(crate) fn settle(&mut self) {
        for elements in [&mut self.found, &mut self.satisfied] {
            if !elements.is_sorted_by(|one, other| one < other) {
                elements.sort_unstable();
                elements.dedup();
            }
        }
    }

    fn in_arrays(&self) -> bool {
        self.found.last().is_some_and(|element| *element != ROOT)
    }

    /// Whether the field is satisfied when nothing else is asked.
    pub(crate) fn alone(&self) -> bool {
        !self.satisfied.is_empty() || (self.absent_allowed && self.found.is_empty())
    }
}

/// Whether there is a choice of values, one for each key, of which no two sit in different elements of one array.
pub(crate) fn consistent(elements: &Elements, keys: &[Key]) -> bool {
    if keys.iter().filter(|key| key.in_arrays()).count() < 2 {
        return keys.iter().all(Key::alone);
    }
    if keys.iter().any(|key| !key.alone() && !key.absent_allowed) {
        return false;
    }
    search(elements, keys)
}

/// The places that the keys so far can be found at: each a set of elements, none inside another, that share nothing.
/// Elements of arrays that no later key occurs in are left out, so that choices that make no difference coincide.
#[derive(Default)]
struct Choices {
    elements: Vec<ElementId>,
    ends: Vec<usize>,
}

impl Choices {
    fn push(&mut self, choice: &[ElementId]) {
        if let (Some(&end), true) = (self.ends.last(), self.ends.len() > 1) {
            let start = self.ends[self.ends.len() - 2];
            if self.elements[start..end] == *choice {
                return;
            }
        }
        if self.ends.is_empty() {
            self.ends.push(0);
        }
        self.elements.extend_from_slice(choice);
        self.ends.push(self.elements.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[ElementId]> {
        self.ends.windows(2).map(|ends| &self.elements[ends[0]..ends[1]])
    }

    fn clear(&mut self) {
        self.elements.clear();
        self.ends.clear();
    }

    /// Each choice once.
    fn dedup(&self) -> Self {
        let mut all: Vec<&[ElementId]> = self.iter().collect();
        all.sort_unstable();
        all.dedup();
        let mut once = Self::default();
        for choice in all {
            once.push(choice);
        }
        once
    }
}

fn search(elements: &Elements, keys: &[Key]) -> bool {
    let mut choices = Choices::default();
    choices.push(&[]);
    let mut next = Choices::default();
    let mut merged = Vec::new();
    let fields: usize = keys.iter().map(|key| key.found.len()).sum();
    let mut steps = STEPS_AT_LEAST + fields * STEPS_PER_FIELD;
    for (at, key) in keys.iter().enumerate() {
        let later = &keys[at + 1..];
        next.clear();
        for choice in choices.iter() {
            let mut from = 0;
            while let Some(&element) = key.satisfied.get(from) {
                steps -= 1;
                if steps == 0 {
                    return false;
                }
                match fits(elements, choice, element) {
                    Ok(()) => {
                        if later.is_empty() {
                            return true;
                        }
                        from += 1;
                        merge(elements, choice, element, later, &mut merged);
                        next.push(&merged);
                    }
                    Err(resume) => from += key.satisfied[from..].partition_point(|element| *element < resume),
                }
            }
            if key.absent_allowed && !occurs(elements, choice, key) {
                merge(elements, choice, ROOT, later, &mut merged);
                next.push(&merged);
            }
        }
        if next.ends.is_empty() {
            return false;
        }
        choices = next.dedup();
    }
    true
}

fn fits(elements: &Elements, choice: &[ElementId], element: ElementId) -> Result<(), u32> {
    choice.iter().try_for_each(|&chosen| elements.compatible(chosen, element))
}

/// Whether the key's field occurs anywhere that is compatible with the choice.
fn occurs(elements: &Elements, choice: &[ElementId], key: &Key) -> bool {
    let mut from = 0;
    while let Some(&element) = key.found.get(from) {
        match fits(elements, choice, element) {
            Ok(()) => return true,
            Err(resume) => from += key.found[from..].partition_point(|element| *element < resume),
        }
    }
    false
}

/// The choice with one element more, without what no later key can tell apart.
fn merge(
    elements: &Elements,
    choice: &[ElementId],
    element: ElementId,
    later: &[Key],
    merged: &mut Vec<ElementId>,
) {
    merged.clear();
    for &chosen in choice.iter().chain([&element]) {
        let mut chosen = chosen;
        while chosen != ROOT && !later.iter().any(|key| touches(key, elements.array_range(chosen))) {
            chosen = elements.parent(chosen);
        }
        if chosen == ROOT || merged.iter().any(|&other| elements.contains(chosen, other)) {
            continue;
        }
        merged.retain(|&other| !elements.contains(other, chosen));
        merged.push(chosen);
    }
    merged.sort_unstable();
}

fn touches(key: &Key, range: std::ops::Range<u32>) -> bool {
    let first = key.found.partition_point(|element| *element < range.start);
    key.found.get(first).is_some_and(|element| *element < range.end)
}
