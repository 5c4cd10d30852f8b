//! Order among things that need each other.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TemplateError;

/// Things that need each other in a circle, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<String>);

impl Cycle {
    pub(super) fn of_resources(&self) -> TemplateError {
        let members = self.0.join(", ");
        TemplateError::new(format!("Circular dependency between resources: [{members}]"))
    }

    pub(super) fn of_conditions(&self) -> TemplateError {
        TemplateError::format(format!("Circular dependency between conditions: [{}]", self.0.join(", ")))
    }
}

/// Every key of `needs` after all that it needs; ties in the order of names. Needs that are no keys are ignored.
///
/// # Errors
/// The members of the circles, without what merely leads into or out of them.
pub fn order(needs: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<String>, Cycle> {
    let (ordered, left) = peel(needs);
    if left.is_empty() {
        return Ok(ordered);
    }
    // What is left is circles and what stands behind them: peeling once more from the other end leaves the circles.
    let within =
        |names: &BTreeSet<String>| names.iter().filter(|name| left.contains(*name)).cloned().collect();
    let mut reversed: BTreeMap<String, BTreeSet<String>> =
        left.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
    for name in &left {
        let inner: BTreeSet<String> = needs.get(name).map(within).unwrap_or_default();
        for need in inner {
            reversed.entry(need).or_default().insert(name.clone());
        }
    }
    Err(Cycle(peel(&reversed).1.into_iter().collect()))
}

/// Takes away, again and again, what needs nothing that is left.
fn peel(needs: &BTreeMap<String, BTreeSet<String>>) -> (Vec<String>, BTreeSet<String>) {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, needed) in needs {
        let known = needed.iter().filter(|need| needs.contains_key(*need));
        open.insert(name, known.clone().count());
        known.for_each(|need| users.entry(need).or_default().push(name));
    }
    let mut ready: BTreeSet<&str> =
        open.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut ordered = Vec::new();
    while let Some(name) = ready.pop_first() {
        ordered.push(name.to_owned());
        open.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(count) = open.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(user);
                }
            }
        }
    }
    (ordered, open.into_keys().map(str::to_owned).collect())
}
