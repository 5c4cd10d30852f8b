//! An object: what is known of it besides its body.

use std::collections::BTreeMap;

use base::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::body::{Location, Segment};
use crate::checksum::{Algorithm, ChecksumType};
use crate::fault;
use crate::versions::Place;

/// The longest key, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const KEY_BYTES_MAX: usize = 1024;

/// The most user-defined metadata, in bytes: names and values together.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const METADATA_BYTES_MAX: usize = 2048;

/// An object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// The body's parts stand under this id; those of an object in parts are named under it.
    #[serde(rename = "b")]
    pub body: Uuid,
    /// How many rows the body has; none if it was uploaded in parts.
    #[serde(rename = "p")]
    pub parts: u32,
    /// The body's length in bytes.
    #[serde(rename = "n")]
    pub bytes: u64,
    /// The MD5 of the body, or of its parts' and their number, in hexadecimal digits, without quotation marks.
    #[serde(rename = "e")]
    pub etag: String,
    #[serde(rename = "m")]
    pub modified_at: Timestamp,
    /// Checksums that held, in base64.
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<Algorithm, String>,
    /// What they are computed of.
    #[serde(rename = "y", default)]
    pub checksum_type: ChecksumType,
    /// Of how many parts it was uploaded; 0 if in one piece.
    #[serde(rename = "g", default, skip_serializing_if = "is_zero")]
    pub segments: u32,
    /// Which version this is.
    #[serde(rename = "v", default)]
    pub place: Place,
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The encryption that is told of it.
    #[serde(rename = "k", default)]
    pub encryption: Encryption,
    #[serde(rename = "h", default)]
    pub headers: Headers,
}
store::stored!(Object, format = 1);

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Object {
    /// Where its body is.
    pub(crate) fn location(&self) -> Location {
        if self.segments > 0 {
            return Location::InParts(self.body);
        }
        let (body, parts, bytes) = (self.body, self.parts, self.bytes);
        Location::Whole(Segment { body, parts, bytes, number: 1, checksum: None })
    }
}

/// An object, or one version of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub bucket: String,
    pub key: String,
    /// The version's id; the current one if there is none.
    pub version: Option<String>,
}

impl Target {
    /// The current object under a key.
    pub(crate) fn current(bucket: &str, key: &str) -> Target {
        Target { bucket: bucket.to_owned(), key: key.to_owned(), version: None }
    }
}

/// The encryption that is told of an object. Nothing is encrypted by S3 itself, whichever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    /// `aws:kms` or `aws:kms:dsse`; `AES256` if there is none.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The key's ARN, alias or id, as it was given.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(rename = "b", default)]
    pub bucket_key: bool,
}

impl Encryption {
    /// In AWS's words.
    pub(crate) fn algorithm(&self) -> &str {
        self.algorithm.as_deref().unwrap_or("AES256")
    }

    /// What a request asks for, if it asks.
    pub(crate) fn asked(
        algorithm: Option<&str>,
        key: Option<String>,
        bucket_key: Option<bool>,
    ) -> Result<Option<Encryption>, Fault> {
        let bucket_key = bucket_key == Some(true);
        match algorithm {
            None if key.is_none() => Ok(None),
            Some("AES256") if key.is_none() => Ok(Some(Encryption::default())),
            Some(kms @ ("aws:kms" | "aws:kms:dsse")) => {
                Ok(Some(Encryption { algorithm: Some(kms.to_owned()), key, bucket_key }))
            }
            Some("AES256") | None => Err(fault::invalid_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            )),
            Some(_) => Err(fault::invalid_argument("The encryption method specified is not supported")),
        }
    }
}

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
