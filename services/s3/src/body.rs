//! Bodies: rows of at most a mebibyte each, as many as it takes.
//!
//! A body that fits one transaction is written by the one that writes its object. A larger one is written in steps
//! before, while it comes, under a row that says so and a task that removes it all if no object has pointed to it an hour
//! later. The transaction that writes the object removes that row, and is refused if it is gone.
//!
//! An object that was uploaded in parts consists of the bodies of its parts, as they are: they are its [`Segments`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::Stream;
use kernel::{Call, Caller, Error, Kernel, NewTask, Result, Tx};
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bucket;
use crate::checksum::{self, Algorithm};
use crate::fault;
use crate::keys::{PartKey, SegmentsKey, Upload, UploadKey};

/// The internal operation that removes a body to which no object points.
pub(crate) const ABANDON: &str = "AbandonUpload";
/// The internal operation that removes bodies.
pub(crate) const REMOVE: &str = "RemoveBody";

/// The length of every part of a body but its last.
pub(crate) const PART_BYTES: usize = 1 << 20;
/// The longest body of one request. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
pub(crate) const BODY_BYTES_MAX: u64 = 5 << 30;

/// Parts in one commit: below the ten megabytes that a commit may carry.
const STEP_PARTS: usize = 7;
/// Parts that one transaction removes: their rows are many, but deletions are small.
const REMOVE_PARTS: u32 = 128;
/// An upload that takes longer has been cut off.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(3600);
/// How long the parts of a replaced body stay for those who are reading them.
const READ_TIME_MAX: Duration = Duration::from_secs(600);

/// What the uploader claims of a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// `Content-MD5`, in base64.
    pub md5: Option<String>,
    /// In base64.
    pub checksums: BTreeMap<Algorithm, String>,
}

/// A body that stands: its rows are below its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    #[serde(rename = "b")]
    pub body: Uuid,
    /// How many rows it has.
    #[serde(rename = "p")]
    pub parts: u32,
    /// Its length in bytes.
    #[serde(rename = "n")]
    pub bytes: u64,
    /// Its number as a part of an upload in parts.
    #[serde(rename = "i", default)]
    pub number: u32,
    /// Its checksum in base64, of the object's algorithm.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// The bodies that an object consists of, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segments(pub Vec<Segment>);
store::stored!(Segments, format = 1);

/// Where an object's body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Whole(Segment),
    InParts(Uuid),
}

/// Takes a body in, whose parts it writes as they come.
pub(crate) struct Uploader<'k> {
    kernel: &'k Kernel,
    caller: Caller,
    body: Uuid,
    /// The part that is being filled.
    filling: BytesMut,
    /// Full parts that are not written yet; the first is part number `written`.
    waiting: Vec<Bytes>,
    written: u32,
    bytes: u64,
    bytes_max: u64,
    md5: Md5,
    hasher: ChecksumHasher,
}

/// A body of which all is known and all but the last parts are written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    body: Uuid,
    written: u32,
    rest: Vec<Bytes>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its MD5 in hexadecimal digits.
    pub etag: String,
    /// Its checksums in base64.
    pub checksums: BTreeMap<Algorithm, String>,
}

/// Parts to be written before the object.
#[derive(Clone)]
struct Step {
    body: Uuid,
    first: u32,
    parts: Vec<Bytes>,
}

impl<'k> Uploader<'k> {
    /// Takes in at most `bytes_max` bytes, of which it computes these checksums.
    pub(crate) fn new(
        kernel: &'k Kernel,
        caller: Caller,
        algorithms: &[Algorithm],
        bytes_max: u64,
    ) -> Uploader<'k> {
        Uploader {
            body: kernel.new_id(),
            hasher: checksum::hasher(algorithms),
            kernel,
            caller,
            filling: BytesMut::new(),
            waiting: Vec::new(),
            written: 0,
            bytes: 0,
            bytes_max,
            md5: Md5::new(),
        }
    }

    /// Takes the next bytes. Memory holds a step's parts at most, besides what the caller holds.
    ///
    /// # Errors
    /// `EntityTooLarge`.
    pub(crate) async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = PART_BYTES - self.filling.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.filling.extend_from_slice(now);
            self.md5.update(now);
            self.hasher.update(now);
            self.bytes += now.len() as u64;
            bytes = later;
            if self.bytes > self.bytes_max {
                return Err(fault::entity_too_large().into());
            }
            if self.filling.len() == PART_BYTES {
                self.waiting.push(self.filling.split().freeze());
                if self.waiting.len() == STEP_PARTS {
                    self.write().await?;
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let step = Step { body: self.body, first: self.written, parts: std::mem::take(&mut self.waiting) };
        self.written += step.parts.len() as u32;
        self.kernel.transact(crate::NAME, self.caller.clone(), "PutObject", write_step, step).await
    }

    /// Holds the body against what was claimed of it.
    ///
    /// # Errors
    /// `BadDigest`. What was written of the body is removed by its task.
    pub(crate) fn finish(mut self, claims: &Claims) -> Result<Draft, base::Fault> {
        if !self.filling.is_empty() {
            self.waiting.push(self.filling.split().freeze());
        }
        let md5 = self.md5.finalize();
        if claims.md5.as_ref().is_some_and(|claimed| *claimed != STANDARD.encode(md5)) {
            return Err(fault::bad_digest("Content-MD5"));
        }
        let checksums: BTreeMap<_, _> = checksum::finished(self.hasher).into_iter().collect();
        let wrong =
            claims.checksums.iter().find(|(algorithm, value)| checksums.get(algorithm) != Some(value));
        if let Some((algorithm, _)) = wrong {
            return Err(fault::bad_digest(algorithm.name()));
        }
        Ok(Draft {
            body: self.body,
            written: self.written,
            rest: self.waiting,
            bytes: self.bytes,
            etag: hex::encode(md5),
            checksums,
        })
    }
}

async fn write_step(tx: &mut Tx, step: Step) -> Result<()> {
    bucket::enter(tx);
    let key = UploadKey { body: step.body };
    let sweep = match tx.get(&key).await? {
        Some(upload) => upload.sweep,
        None if step.first == 0 => {
            let call = Call::new(crate::NAME, ABANDON, &step.body)?;
            tx.enqueue_quietly(tx.now() + UPLOAD_TIME_MAX, NewTask::new(call))?
        }
        None => return Err(fault::upload_expired().into()),
    };
    let parts = step.first + step.parts.len() as u32;
    tx.put(&key, &Upload { parts, sweep })?;
    write_parts(tx, step.body, step.first, &step.parts)
}

fn write_parts(tx: &mut Tx, body: Uuid, first: u32, parts: &[Bytes]) -> Result<()> {
    for (bytes, part) in parts.iter().zip(first..) {
        tx.put(&PartKey { body, part }, bytes)?;
    }
    Ok(())
}

impl Draft {
    /// Writes what is left of the body; what points to it is to be written by the same transaction.
    pub(crate) async fn settle(&self, tx: &mut Tx) -> Result<Segment> {
        if self.written > 0 {
            let key = UploadKey { body: self.body };
            let upload = tx.get(&key).await?.ok_or_else(fault::upload_expired)?;
            tx.cancel(&upload.sweep);
            tx.delete(&key);
        }
        write_parts(tx, self.body, self.written, &self.rest)?;
        let parts = self.written + self.rest.len() as u32;
        Ok(Segment { body: self.body, parts, bytes: self.bytes, number: 0, checksum: None })
    }
}

/// Which rows to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Removal {
    /// Of one body, from the row `first` on.
    Body { body: Uuid, first: u32, parts: u32 },
    /// Of all bodies of an object in parts, from the row `first` of the segment at `at` on.
    Segments { id: Uuid, at: usize, first: u32 },
}

/// Removes the body of an object that goes. A single row is read by the transaction that reads its object; several may
/// be in the middle of being read.
pub(crate) fn discard(tx: &mut Tx, location: Location) -> Result<()> {
    let removal = match location {
        Location::Whole(Segment { parts: 0, .. }) => return Ok(()),
        Location::Whole(Segment { body, parts: 1, .. }) => {
            tx.delete(&PartKey { body, part: 0 });
            return Ok(());
        }
        Location::Whole(Segment { body, parts, .. }) => Removal::Body { body, first: 0, parts },
        Location::InParts(id) => Removal::Segments { id, at: 0, first: 0 },
    };
    let call = Call::new(crate::NAME, REMOVE, &removal)?;
    tx.enqueue_quietly(tx.now() + READ_TIME_MAX, NewTask::new(call))?;
    Ok(())
}

/// Removes what was uploaded of a body, unless an object points to it by now.
pub(crate) async fn abandon(tx: &mut Tx, body: Uuid) -> Result<()> {
    bucket::enter(tx);
    let key = UploadKey { body };
    let Some(upload) = tx.get(&key).await? else { return Ok(()) };
    tx.delete(&key);
    remove(tx, Removal::Body { body, first: 0, parts: upload.parts }).await
}

/// Removes some rows, and leaves the others to a task.
pub(crate) async fn remove(tx: &mut Tx, removal: Removal) -> Result<()> {
    bucket::enter(tx);
    let rest = match removal {
        Removal::Body { body, first, parts } => {
            remove_rows(tx, body, first, parts).map(|first| Removal::Body { body, first, parts })
        }
        Removal::Segments { id, mut at, mut first } => {
            let key = SegmentsKey { id };
            let Some(Segments(segments)) = tx.get(&key).await? else { return Ok(()) };
            let mut removed = 0;
            while let Some(segment) = segments.get(at).filter(|_| removed < REMOVE_PARTS) {
                removed += segment.parts.saturating_sub(first).min(REMOVE_PARTS);
                match remove_rows(tx, segment.body, first, segment.parts) {
                    Some(next) => first = next,
                    None => (at, first) = (at + 1, 0),
                }
            }
            if at == segments.len() {
                tx.delete(&key);
            }
            (at < segments.len()).then_some(Removal::Segments { id, at, first })
        }
    };
    if let Some(rest) = rest {
        let call = Call::new(crate::NAME, REMOVE, &rest)?;
        tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
    }
    Ok(())
}

/// Removes some rows of a body; the first that is left.
fn remove_rows(tx: &mut Tx, body: Uuid, first: u32, parts: u32) -> Option<u32> {
    let until = parts.min(first.saturating_add(REMOVE_PARTS));
    for part in first..until {
        tx.delete(&PartKey { body, part });
    }
    (until < parts).then_some(until)
}

/// One part of a body.
pub(crate) async fn read_part(tx: &mut Tx, key: PartKey) -> Result<Bytes> {
    bucket::enter(tx);
    let found = tx.peek(&key).await?;
    found.ok_or_else(|| Error::bug(format!("read part {} of body {}: it is gone", key.part, key.body)))
}

/// The bytes of `range` of what the segments make together, a part at a time.
pub(crate) fn read(
    kernel: Kernel,
    caller: Caller,
    segments: Arc<[Segment]>,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let places = places(&segments, &range).into_iter();
    futures::stream::try_unfold((kernel, caller, places), move |(kernel, caller, mut places)| async move {
        let Some((body, range)) = places.next() else { return Ok(None) };
        let part = (range.start / PART_BYTES as u64) as u32;
        let key = PartKey { body, part };
        let bytes = kernel.transact(crate::NAME, caller.clone(), "GetObject", read_part, key).await?;
        let piece = piece(&bytes, part, &range)?;
        Ok(Some((piece, (kernel, caller, places))))
    })
}

/// The rows in which a range of what the segments make together lies: of which body, and which bytes of that.
fn places(segments: &[Segment], range: &Range<u64>) -> Vec<(Uuid, Range<u64>)> {
    let (mut places, mut start) = (Vec::new(), 0);
    for segment in segments {
        let end = start + segment.bytes;
        let mut from = range.start.clamp(start, end) - start;
        let until = range.end.clamp(start, end) - start;
        while from < until {
            let next = (from / PART_BYTES as u64 + 1) * PART_BYTES as u64;
            places.push((segment.body, from..next.min(until)));
            from = next;
        }
        start = end;
    }
    places
}

/// What of a part lies in a range of its body.
pub(crate) fn piece(bytes: &Bytes, part: u32, range: &Range<u64>) -> Result<Bytes> {
    let start = u64::from(part) * PART_BYTES as u64;
    let end = start + bytes.len() as u64;
    let (from, to) = (range.start.max(start), range.end.min(end));
    if from >= to {
        return Err(Error::bug(format!(
            "read bytes {range:?} of a body: part {part} has {} bytes",
            bytes.len()
        )));
    }
    Ok(bytes.slice((from - start) as usize..(to - start) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_lies_in_rows_of_several_bodies() {
        let part = PART_BYTES as u64;
        let segment = |byte: u8, bytes: u64| Segment {
            body: Uuid::from_bytes([byte; 16]),
            parts: bytes.div_ceil(part) as u32,
            bytes,
            number: u32::from(byte),
            checksum: None,
        };
        let segments = [segment(1, part + 10), segment(2, 5), segment(3, 20)];
        let told = |range: Range<u64>| -> Vec<(u8, Range<u64>)> {
            let found = places(&segments, &range).into_iter();
            found.map(|(body, range)| (body.as_bytes()[0], range)).collect()
        };
        assert_eq!(told(0..part + 35), [(1, 0..part), (1, part..part + 10), (2, 0..5), (3, 0..20)]);
        assert_eq!(told(part + 8..part + 12), [(1, part + 8..part + 10), (2, 0..2)]);
        assert_eq!(told(part + 15..part + 16), [(3, 0..1)]);
        assert_eq!(told(7..7), []);
    }
}
