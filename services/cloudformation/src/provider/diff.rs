//! What a change of properties means for a resource: nothing, calls, or a successor.

use super::{Change, Properties, ResourceType};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The properties are the same.
    Nothing,
    /// The resource is changed.
    Update,
    /// A new resource takes its place.
    Replace,
    /// It would have to be replaced, but the template keeps its name: the successor could not be made.
    NameTaken,
}

/// The properties whose values differ, those of either side alone included.
pub(super) fn changed<'p>(old: &'p Properties, new: &'p Properties) -> Vec<&'p str> {
    let removed = old.keys().filter(|name| !new.contains_key(*name));
    let other = new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, _)| name);
    other.chain(removed).map(String::as_str).collect()
}

/// What the change of one property means for its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PropertyChange {
    /// The resource is changed.
    InPlace,
    /// A new resource takes its place.
    Replaces,
}

/// The properties whose values differ, with what that means.
pub(crate) fn changes<'p>(
    kind: &ResourceType,
    old: &'p Properties,
    new: &'p Properties,
) -> Vec<(&'p str, PropertyChange)> {
    let meaning = |name: &str| match kind.property(name).map(|property| property.change) {
        Some(Change::Replace) => PropertyChange::Replaces,
        _ => PropertyChange::InPlace,
    };
    changed(old, new).into_iter().map(|name| (name, meaning(name))).collect()
}

/// Compares the properties that a resource has with those that it shall have.
pub(crate) fn decide(kind: &ResourceType, old: &Properties, new: &Properties) -> Decision {
    let changed = changed(old, new);
    if changed.is_empty() {
        return Decision::Nothing;
    }
    let replaces =
        |name: &&str| kind.property(name).is_some_and(|property| property.change == Change::Replace);
    if !changed.iter().any(replaces) {
        return Decision::Update;
    }
    let keeps_name = |property| new.contains_key(property) && old.get(property) == new.get(property);
    let exclusive = kind.naming.is_some_and(|naming| !naming.shared);
    if exclusive && kind.name_property().is_some_and(keeps_name) {
        Decision::NameTaken
    } else {
        Decision::Replace
    }
}
