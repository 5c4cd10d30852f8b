//! Uploads in parts: what is known of them while they are under way, and what is made of them.
//!
//! Parts are bodies of their own. Completing an upload makes an object that consists of them; nothing is copied.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::collections::BTreeMap;

use base::{AccountId, Fault, Timestamp};
use kernel::{Call, NewTask, Parts, Result, Tx};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{Initiator, Owner};
use crate::body::{self, Location, Segment};
use crate::bucket;
use crate::checksum::{self, Algorithm, ChecksumType};
use crate::fault;
use crate::keys::{MultipartKey, UploadedKey};
use crate::object::{Encryption, Headers};
use crate::tags::Tags;

/// The internal operation that removes what is left of an upload.
pub(crate) const SWEEP: &str = "SweepUpload";

/// The greatest number of a part, and the most parts.
pub(crate) const PARTS_MAX: u32 = 10_000;
/// Every part but the last has at least so many bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PART_BYTES_MIN: u64 = 5 << 20;
/// The longest object, in bytes.
const OBJECT_BYTES_MAX: u64 = 5 << 40;
/// Parts that one transaction removes.
const SWEEP_PARTS: usize = 64;

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Multipart {
    #[serde(rename = "s")]
    pub started_at: Timestamp,
    /// Whose account started it.
    #[serde(rename = "i")]
    pub initiator: AccountId,
    #[serde(rename = "h", default)]
    pub headers: Headers,
    #[serde(rename = "t", default)]
    pub tags: Tags,
    #[serde(rename = "k", default)]
    pub encryption: Option<Encryption>,
    /// The algorithm that was named; AWS's default, if none was.
    #[serde(rename = "a", default)]
    pub algorithm: Option<Algorithm>,
    #[serde(rename = "y", default)]
    pub checksum_type: ChecksumType,
}
store::stored!(Multipart, format = 1);

/// A part that was uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Uploaded {
    #[serde(rename = "s")]
    pub segment: Segment,
    /// Its MD5 in hexadecimal digits.
    #[serde(rename = "e")]
    pub etag: String,
    #[serde(rename = "m")]
    pub modified_at: Timestamp,
}
store::stored!(Uploaded, format = 1);

impl Multipart {
    /// What the parts' checksums are computed by.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::DEFAULT)
    }

    /// The storage class of what it will make.
    pub(crate) fn class(&self) -> &str {
        self.headers.storage_class.as_deref().unwrap_or("STANDARD")
    }
}

/// Who started an upload, and whose it is.
pub(crate) fn people(upload: &Multipart) -> (Initiator, Owner) {
    let id = Some(upload.initiator.to_string());
    (Initiator { id: id.clone(), display_name: None }, Owner { id, display_name: None })
}

/// How many entries a page has: as many as are asked for, but at most `most`.
pub(crate) fn page(asked: Option<i32>, most: usize) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(most).min(most)
}

/// Which upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Which {
    pub bucket: String,
    pub key: String,
    /// Its id as the client has it.
    pub upload: String,
}

impl Which {
    /// # Errors
    /// `NoSuchUpload` if the id is none of ours.
    pub(crate) fn row(&self) -> Result<MultipartKey, Fault> {
        let upload = Uuid::try_parse(&self.upload).map_err(|_| fault::no_such_upload())?;
        Ok(MultipartKey { bucket: self.bucket.clone(), key: self.key.clone(), upload })
    }
}

/// As clients have it.
pub(crate) fn upload_id(upload: Uuid) -> String {
    upload.simple().to_string()
}

/// An upload, guarded: who writes a part of it is run again if it ends.
pub(crate) async fn find(tx: &mut Tx, which: &Which) -> Result<(MultipartKey, Multipart)> {
    bucket::find(tx, &which.bucket).await?;
    let row = which.row()?;
    let found = tx.get(&row).await?.ok_or_else(fault::no_such_upload)?;
    Ok((row, found))
}

/// Ends an upload. Its parts are removed by a task, but for those whose rows are gone by then.
pub(crate) fn end(tx: &mut Tx, row: &MultipartKey) -> Result<()> {
    tx.delete(row);
    let call = Call::new(crate::NAME, SWEEP, &row.upload)?;
    tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
    Ok(())
}

/// Removes some parts of an upload that has ended.
pub(crate) async fn sweep(tx: &mut Tx, upload: Uuid) -> Result<()> {
    bucket::enter(tx);
    let rows = tx.scan::<UploadedKey>(Parts::of(&upload), SWEEP_PARTS).await?;
    let more = rows.len() == SWEEP_PARTS;
    for (row, _) in rows {
        if let Some(part) = tx.get(&row).await? {
            body::discard(tx, Location::Whole(part.segment))?;
            tx.delete(&row);
        }
    }
    if more {
        let call = Call::new(crate::NAME, SWEEP, &upload)?;
        tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
    }
    Ok(())
}

/// A part as the completing request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub number: u32,
    /// Without quotation marks.
    pub etag: Option<String>,
    pub checksums: BTreeMap<Algorithm, String>,
}

/// What the completing request claims of the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whole {
    pub checksums: BTreeMap<Algorithm, String>,
    pub checksum_type: Option<ChecksumType>,
    pub bytes: Option<u64>,
}

/// What parts make together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub segments: Vec<Segment>,
    pub bytes: u64,
    pub etag: String,
    pub checksums: BTreeMap<Algorithm, String>,
}

/// Makes an object of the parts that are named.
///
/// # Errors
/// `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `EntityTooLarge`, `BadDigest`, `InvalidRequest`, `MalformedXML`.
pub(crate) fn make(
    upload: &Multipart,
    named: &[Named],
    uploaded: &BTreeMap<u32, Uploaded>,
    whole: &Whole,
) -> Result<Made, Fault> {
    if named.is_empty() || named.len() > PARTS_MAX as usize {
        return Err(fault::malformed_xml());
    }
    if named.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(Fault::new("InvalidPartOrder", message));
    }
    let (algorithm, kind) = (upload.algorithm(), upload.checksum_type);
    let (mut segments, mut md5, mut bytes) = (Vec::with_capacity(named.len()), Md5::new(), 0);
    for (at, part) in named.iter().enumerate() {
        let found = uploaded.get(&part.number).filter(|found| part.etag.as_ref() == Some(&found.etag));
        let found = found.ok_or_else(invalid_part)?;
        check_part(upload, part, found)?;
        if found.segment.bytes < PART_BYTES_MIN && at + 1 < named.len() {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(Fault::new("EntityTooSmall", message));
        }
        md5.update(hex::decode(&found.etag).unwrap_or_default());
        bytes += found.segment.bytes;
        segments.push(found.segment.clone());
    }
    if bytes > OBJECT_BYTES_MAX {
        return Err(fault::entity_too_large());
    }
    if whole.bytes.is_some_and(|claimed| claimed != bytes) {
        let message = "The provided 'x-amz-mp-object-size' header value does not match what was computed";
        return Err(Fault::new("InvalidRequest", message));
    }
    let parts: Vec<(&str, u64)> = segments
        .iter()
        .map(|segment| (segment.checksum.as_deref().unwrap_or_default(), segment.bytes))
        .collect();
    let checksum = checksum::of_parts(algorithm, kind, &parts);
    let checksums: BTreeMap<_, _> = checksum.into_iter().map(|value| (algorithm, value)).collect();
    check_whole(upload, whole, &checksums)?;
    let etag = format!("{}-{}", hex::encode(md5.finalize()), segments.len());
    Ok(Made { segments, bytes, etag, checksums })
}

fn invalid_part() -> Fault {
    let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                   specified entity tag may not match the part's entity tag.";
    Fault::new("InvalidPart", message)
}

fn check_part(upload: &Multipart, named: &Named, found: &Uploaded) -> Result<(), Fault> {
    let algorithm = upload.algorithm();
    match named.checksums.get(&algorithm) {
        Some(given) if Some(given) != found.segment.checksum.as_ref() => Err(invalid_part()),
        None if upload.algorithm.is_some() && upload.checksum_type == ChecksumType::Composite => {
            let name = algorithm.name().to_ascii_lowercase();
            let message = format!(
                "The upload was created using a {name} checksum. The complete request must include the checksum for each \
                 part. It was missing for part {} in the request.",
                named.number
            );
            Err(Fault::new("InvalidRequest", message))
        }
        _ => Ok(()),
    }
}

fn check_whole(
    upload: &Multipart,
    whole: &Whole,
    checksums: &BTreeMap<Algorithm, String>,
) -> Result<(), Fault> {
    if whole.checksum_type.is_some_and(|claimed| claimed != upload.checksum_type) {
        let message = "The upload was created with another checksum type than the complete request names.";
        return Err(Fault::new("InvalidRequest", message));
    }
    for (algorithm, claimed) in &whole.checksums {
        match checksums.get(algorithm) {
            Some(found) if found == claimed => {}
            // Clients may leave the number of parts out.
            Some(found) if found.split_once('-').is_some_and(|(hash, _)| hash == claimed) => {}
            Some(_) => return Err(fault::bad_digest(algorithm.name())),
            None => {
                let message = "The checksum is of another algorithm than the upload was created with.";
                return Err(Fault::new("InvalidRequest", message));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(algorithm: Option<Algorithm>, checksum_type: ChecksumType) -> Multipart {
        Multipart {
            started_at: Timestamp::default(),
            initiator: AccountId::default(),
            headers: Headers::default(),
            tags: Tags::new(),
            encryption: None,
            algorithm,
            checksum_type,
        }
    }

    fn part(number: u32, bytes: u64, etag: &str) -> (u32, Uploaded) {
        let body = Uuid::from_u128(u128::from(number));
        let checksum = Some("AAAAAAAAAAA=".to_owned());
        let segment = Segment { body, parts: 1, bytes, number, checksum };
        (number, Uploaded { segment, etag: etag.to_owned(), modified_at: Timestamp::default() })
    }

    fn named(number: u32, etag: &str) -> Named {
        Named { number, etag: Some(etag.to_owned()), checksums: BTreeMap::new() }
    }

    const A: &str = "0cc175b9c0f1b6a831c399e269772661";
    const B: &str = "92eb5ffee6ae2fec3ad71c777531578f";

    #[test]
    fn tags_of_parts_make_the_tag_of_the_whole() {
        let uploaded = [part(1, PART_BYTES_MIN, A), part(7, 3, B), part(9, 1, A)].into();
        let crc = upload(None, ChecksumType::FullObject);
        let made = make(&crc, &[named(1, A), named(7, B)], &uploaded, &Whole::default()).unwrap();
        let raw = [hex::decode(A).unwrap(), hex::decode(B).unwrap()].concat();
        assert_eq!(made.etag, format!("{}-2", hex::encode(Md5::digest(raw))));
        assert_eq!((made.bytes, made.segments.len()), (PART_BYTES_MIN + 3, 2));
        assert!(made.checksums.contains_key(&Algorithm::Crc64Nvme));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let uploaded = [part(1, 10, A), part(2, 10, B)].into();
        let crc = upload(None, ChecksumType::FullObject);
        let code = |upload: &Multipart, named: &[Named], whole: Whole| {
            make(upload, named, &uploaded, &whole)
                .map_or_else(|fault| fault.code.into_owned(), |_| String::new())
        };
        let none = Whole::default;
        assert_eq!(code(&crc, &[named(1, A), named(2, B)], none()), "EntityTooSmall");
        assert_eq!(code(&crc, &[named(2, B), named(1, A)], none()), "InvalidPartOrder");
        assert_eq!(code(&crc, &[named(1, B)], none()), "InvalidPart");
        assert_eq!(code(&crc, &[named(3, B)], none()), "InvalidPart");
        assert_eq!(code(&crc, &[], none()), "MalformedXML");
        assert_eq!(code(&crc, &[named(1, A)], Whole { bytes: Some(11), ..none() }), "InvalidRequest");
        let sha = upload(Some(Algorithm::Sha256), ChecksumType::Composite);
        assert_eq!(code(&sha, &[named(1, A)], none()), "InvalidRequest");
        let claimed = [(Algorithm::Crc64Nvme, "BAAAAAAAAAA=".to_owned())].into();
        assert_eq!(code(&crc, &[named(1, A)], Whole { checksums: claimed, ..none() }), "BadDigest");
        assert_eq!(code(&crc, &[named(1, A)], none()), "");
    }
}
