//! An object: what is known of it besides its body.

use std::collections::BTreeMap;

use base::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fault;

/// The longest key, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const KEY_BYTES_MAX: usize = 1024;

/// The most user-defined metadata, in bytes: names and values together.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const METADATA_BYTES_MAX: usize = 2048;

/// An object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// The body's parts stand under this id.
    #[serde(rename = "b")]
    pub body: Uuid,
    /// How many parts there are.
    #[serde(rename = "p")]
    pub parts: u32,
    /// The body's length in bytes.
    #[serde(rename = "n")]
    pub bytes: u64,
    /// The MD5 of the body in hexadecimal digits, without quotation marks.
    #[serde(rename = "e")]
    pub etag: String,
    #[serde(rename = "m")]
    pub modified_at: Timestamp,
    /// Checksums that the uploader gave and that held, in base64 by algorithm (`CRC32`, …).
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
    #[serde(rename = "h", default)]
    pub headers: Headers,
}
store::stored!(Object, format = 1);

/// What the uploader says of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Headers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_redirect_location: Option<String>,
    /// Told and kept; bodies of all classes are stored alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// User-defined, by lower-case name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Headers {
    /// The content type that is given out.
    pub(crate) fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or("binary/octet-stream")
    }

    /// Whether the metadata is small enough.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes <= METADATA_BYTES_MAX {
            return Ok(());
        }
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        Err(Fault::new("MetadataTooLarge", message))
    }
}

/// Whether an object may have this key.
pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    match key.len() {
        0 => Err(fault::invalid_argument("The key must not be empty")),
        bytes if bytes > KEY_BYTES_MAX => Err(fault::key_too_long()),
        _ => Ok(()),
    }
}

/// The only version that an object has is `null`.
pub(crate) fn check_version(version: Option<&str>) -> Result<(), Fault> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(fault::no_such_version()),
    }
}

/// The bytes of a body of `bytes` bytes that a `Range` header selects; `None` if the header is to be ignored.
///
/// # Errors
/// `InvalidRange` if it selects none. <https://www.rfc-editor.org/rfc/rfc9110.html#name-range>
pub(crate) fn select(range: Option<&str>, bytes: u64) -> Result<Option<std::ops::Range<u64>>, Fault> {
    let spec = range.and_then(|range| range.strip_prefix("bytes=")).and_then(|spec| spec.split_once('-'));
    let Some((first, last)) = spec else { return Ok(None) };
    let selected = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(bytes),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..bytes,
        (Err(_), Ok(length)) if first.trim().is_empty() => bytes.saturating_sub(length)..bytes,
        _ => return Ok(None),
    };
    if selected.is_empty() { Err(fault::invalid_range()) } else { Ok(Some(selected)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_select_bytes() {
        for (range, expected) in [
            ("bytes=0-4", Some(Some(0..5))),
            ("bytes=5-", Some(Some(5..10))),
            ("bytes=-3", Some(Some(7..10))),
            ("bytes=-30", Some(Some(0..10))),
            ("bytes=8-99", Some(Some(8..10))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("bytes=5-2", Some(None)),
            ("bytes=0-1,3-4", Some(None)),
            ("items=0-1", Some(None)),
        ] {
            assert_eq!(select(Some(range), 10).ok(), expected, "{range}");
        }
        assert!(select(Some("bytes=0-"), 0).is_err());
        assert_eq!(select(None, 0), Ok(None));
    }
}
