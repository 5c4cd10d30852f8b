//! Requests that depend on what an object is now.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use base::{Fault, Timestamp};

use crate::fault;
use crate::object::Object;

/// The conditions of a request. Entity tags are without quotation marks; `*` stands for any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// Whether a read may go on. A tag outweighs a time, as HTTP says.
    ///
    /// # Errors
    /// `PreconditionFailed` or `NotModified`.
    pub(crate) fn check_read(&self, object: &Object) -> Result<(), Fault> {
        let modified = object.modified_at.as_secs();
        let unmodified_since = |time: Timestamp| modified <= time.as_secs();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tag), _) if !matches(tag, &object.etag) => return Err(fault::precondition_failed()),
            (None, Some(time)) if !unmodified_since(time) => return Err(fault::precondition_failed()),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tag), _) if matches(tag, &object.etag) => Err(fault::not_modified()),
            (None, Some(time)) if unmodified_since(time) => Err(fault::not_modified()),
            _ => Ok(()),
        }
    }

    /// Whether a write over `current` may go on.
    ///
    /// # Errors
    /// `PreconditionFailed`, or `NoSuchKey` if there is nothing that could match.
    pub(crate) fn check_write(&self, current: Option<&Object>) -> Result<(), Fault> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(fault::no_such_key()),
            (Some(tag), Some(object)) if !matches(tag, &object.etag) => {
                return Err(fault::precondition_failed());
            }
            _ => {}
        }
        match (&self.if_none_match, current) {
            (Some(tag), Some(object)) if matches(tag, &object.etag) => Err(fault::precondition_failed()),
            _ => Ok(()),
        }
    }
}

/// Whether a header's tag, or one of its list, is this object's.
fn matches(header: &str, etag: &str) -> bool {
    header
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == "*" || tag == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Object {
        Object {
            body: uuid::Uuid::nil(),
            parts: 0,
            bytes: 0,
            etag: "abc".to_owned(),
            modified_at: Timestamp::from_millis(10_500),
            checksums: Default::default(),
            headers: Default::default(),
            checksum_type: crate::checksum::ChecksumType::default(),
            segments: 0,
            place: crate::versions::Place::default(),
            tags: std::collections::BTreeMap::new(),
            encryption: crate::object::Encryption::default(),
        }
    }

    #[test]
    fn tags_outweigh_times() {
        let tag = |text: &str| Some(text.to_owned());
        let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1000));
        for (conditions, expected) in [
            (Conditions { if_none_match: tag("\"abc\""), ..Conditions::default() }, 304),
            (Conditions { if_none_match: tag("x"), if_modified_since: at(99), ..Conditions::default() }, 200),
            (Conditions { if_modified_since: at(10), ..Conditions::default() }, 304),
            (Conditions { if_modified_since: at(9), ..Conditions::default() }, 200),
            (Conditions { if_match: tag("x"), ..Conditions::default() }, 412),
            (Conditions { if_match: tag("abc"), if_unmodified_since: at(1), ..Conditions::default() }, 200),
            (Conditions { if_unmodified_since: at(1), ..Conditions::default() }, 412),
        ] {
            let status = conditions.check_read(&object()).map_or_else(|fault| fault.status, |()| 200);
            assert_eq!(status, expected, "{conditions:?}");
        }
    }

    #[test]
    fn writes_may_want_nothing_there() {
        let fresh = Conditions { if_none_match: Some("*".to_owned()), ..Conditions::default() };
        assert!(fresh.check_write(None).is_ok());
        assert!(fresh.check_write(Some(&object())).is_err());
        let over = Conditions { if_match: Some("abc".to_owned()), ..Conditions::default() };
        assert!(over.check_write(Some(&object())).is_ok());
        assert_eq!(over.check_write(None).unwrap_err().status, 404);
    }
}
