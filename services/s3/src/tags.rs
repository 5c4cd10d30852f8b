//! Tags of objects and buckets.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use std::collections::{BTreeMap, BTreeSet};

use base::Fault;
use percent_encoding::percent_decode_str;

use crate::api::Tag;

/// The most tags of an object.
const OBJECT_TAGS_MAX: usize = 10;
/// The longest key and the longest value, in characters.
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

/// An object's tags, by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Whether something may have these tags.
///
/// # Errors
/// `InvalidTag` or, for too many, `BadRequest`.
pub(crate) fn check<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>, max: usize) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if !seen.insert(key) {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if seen.len() > max {
        let message = format!("Object tags cannot be greater than {max}");
        return Err(Fault::new("BadRequest", message));
    }
    Ok(())
}

/// Tags of an object as a document gives them.
///
/// # Errors
/// As [`check`].
pub(crate) fn of_object(given: Vec<Tag>) -> Result<Tags, Fault> {
    check(given.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())), OBJECT_TAGS_MAX)?;
    Ok(given.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Tags of an object as a header gives them: `a=b&c=d`, escaped as in a query.
///
/// # Errors
/// As [`check`], and `InvalidArgument` if the header cannot be read.
pub(crate) fn of_header(header: Option<&str>) -> Result<Tags, Fault> {
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(|text| text.into_owned());
    let fields = header.unwrap_or_default().split('&').filter(|field| !field.is_empty());
    let tags: Result<Vec<Tag>, _> = fields
        .map(|field| {
            let (key, value) = field.split_once('=').unwrap_or((field, ""));
            Ok(Tag { key: decode(key)?, value: decode(value)? })
        })
        .collect();
    let unreadable = |_: std::str::Utf8Error| {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                       without tag name duplicates.";
        crate::fault::invalid_argument(message)
    };
    of_object(tags.map_err(unreadable)?)
}

/// As documents have them.
pub(crate) fn to_list(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

fn invalid(message: &str) -> Fault {
    Fault::new("InvalidTag", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_give_tags() {
        let tags = of_header(Some("a=b&c+d=%C3%A9&e")).unwrap();
        let told: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(told, [("a", "b"), ("c d", "é"), ("e", "")]);
        assert!(of_header(None).unwrap().is_empty());
        for refused in ["a=b&a=c", "=x", "aws:x=y", "a=%FF"] {
            assert!(of_header(Some(refused)).is_err(), "{refused}");
        }
        let eleven: Vec<String> = (0..11).map(|i| format!("{i}=x")).collect();
        assert_eq!(of_header(Some(&eleven.join("&"))).unwrap_err().code, "BadRequest");
    }
}
