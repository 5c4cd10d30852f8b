//! The limits that AWS puts on tags, for every service that keeps them as a map.
//!
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>

use std::collections::BTreeMap;
use std::fmt;

/// The most tags of a resource.
pub const TAGS_MAX: usize = 50;

/// Tags by name.
pub type Tags = BTreeMap<String, String>;

/// Why tags are refused. Services word it in codes of their own; the text is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A resource would have more than [`TAGS_MAX`].
    TooMany,
    /// A list names one twice.
    Duplicate,
    /// A name is empty, or begins with `aws:`, which is AWS's own.
    NotAllowed(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::TooMany => write!(f, "A resource can have at most {TAGS_MAX} tags."),
            Refused::Duplicate => f.write_str("Duplicate tag keys are not allowed."),
            Refused::NotAllowed(name) => write!(f, "The tag key {name:?} is not allowed."),
        }
    }
}

/// The tags of a new resource.
///
/// # Errors
/// One is named twice, is not allowed, or they are too many.
pub fn collect(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Tags, Refused> {
    let mut tags = Tags::new();
    for (name, value) in pairs {
        if tags.insert(name, value).is_some() {
            return Err(Refused::Duplicate);
        }
    }
    merge(&mut Tags::new(), tags.clone())?;
    Ok(tags)
}

/// Adds tags, or replaces those of the same names.
///
/// # Errors
/// One is not allowed, or there would be too many; then `tags` is as before.
pub fn merge(tags: &mut Tags, more: Tags) -> Result<(), Refused> {
    if let Some(name) = more.keys().find(|name| name.is_empty() || name.starts_with("aws:")) {
        return Err(Refused::NotAllowed(name.clone()));
    }
    let new = more.keys().filter(|name| !tags.contains_key(*name)).count();
    if tags.len() + new > TAGS_MAX {
        return Err(Refused::TooMany);
    }
    tags.extend(more);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "v".to_owned())).collect()
    }

    #[test]
    fn what_is_refused() {
        let many: Vec<String> = (0..=TAGS_MAX).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (names, refused) in [
            (&["a", "b"][..], None),
            (&["a", "a"], Some(Refused::Duplicate)),
            (&["aws:x"], Some(Refused::NotAllowed("aws:x".to_owned()))),
            (&[""], Some(Refused::NotAllowed(String::new()))),
            (&many[..TAGS_MAX], None),
            (&many, Some(Refused::TooMany)),
        ] {
            assert_eq!(collect(pairs(names)).err(), refused, "{names:?}");
        }
    }

    #[test]
    fn replaced_tags_do_not_count_twice() {
        let full: Vec<String> = (0..TAGS_MAX).map(|n| n.to_string()).collect();
        let mut tags = collect(full.iter().map(|name| (name.clone(), String::new()))).unwrap();
        merge(&mut tags, Tags::from([("0".to_owned(), "new".to_owned())])).unwrap();
        assert_eq!((tags.len(), tags["0"].as_str()), (TAGS_MAX, "new"));
        assert_eq!(merge(&mut tags, Tags::from([("x".to_owned(), String::new())])), Err(Refused::TooMany));
        assert_eq!(tags.len(), TAGS_MAX);
    }
}
