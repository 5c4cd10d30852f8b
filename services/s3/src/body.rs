//! Bodies: rows of at most a mebibyte each, as many as it takes.
//!
//! A body that fits one transaction is written by the one that writes its object. A larger one is written in steps
//! before, under a row that says so and a task that removes it all if no object has pointed to it an hour later. The
//! transaction that writes the object removes that row, and is refused if it is gone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::Stream;
use kernel::{Call, Caller, Error, Kernel, NewTask, Result, Tx};
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bucket;
use crate::fault;
use crate::keys::{PartKey, Upload, UploadKey};
use crate::object::Object;

/// The internal operation that removes a body to which no object points.
pub(crate) const ABANDON: &str = "AbandonUpload";
/// The internal operation that removes parts.
pub(crate) const REMOVE: &str = "RemoveBody";

/// The length of every part of a body but its last.
pub(crate) const PART_BYTES: usize = 1 << 20;

/// Parts in one commit: below the ten megabytes that a commit may carry.
const STEP_PARTS: usize = 7;
/// Parts that one transaction removes: their rows are many, but deletions are small.
const REMOVE_PARTS: u32 = 64;
/// An upload that takes longer has been cut off.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(3600);
/// How long the parts of a replaced body stay for those who are reading them.
const READ_TIME_MAX: Duration = Duration::from_secs(600);

/// What the uploader claims of a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// `Content-MD5`, in base64.
    pub md5: Option<String>,
    /// In base64, by algorithm: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
    pub checksums: BTreeMap<String, String>,
}

impl Claims {
    fn hasher(&self) -> ChecksumHasher {
        let wanted = |name: &str| self.checksums.contains_key(name);
        ChecksumHasher {
            crc32: wanted("CRC32").then(Crc32::new),
            crc32c: wanted("CRC32C").then(Crc32c::new),
            sha1: wanted("SHA1").then(Sha1::new),
            sha256: wanted("SHA256").then(Sha256::new),
            crc64nvme: wanted("CRC64NVME").then(Crc64Nvme::new),
        }
    }

    fn check(&self, md5: &[u8], hasher: ChecksumHasher) -> Result<(), base::Fault> {
        if self.md5.as_ref().is_some_and(|claimed| *claimed != STANDARD.encode(md5)) {
            return Err(fault::bad_digest("Content-MD5"));
        }
        let found = hasher.finalize();
        let found = [
            ("CRC32", found.checksum_crc32),
            ("CRC32C", found.checksum_crc32c),
            ("CRC64NVME", found.checksum_crc64nvme),
            ("SHA1", found.checksum_sha1),
            ("SHA256", found.checksum_sha256),
        ];
        for (name, value) in found {
            if value.is_some() && self.checksums.get(name) != value.as_ref() {
                return Err(fault::bad_digest(name));
            }
        }
        Ok(())
    }
}

/// Takes a body in, whose parts it writes as they come.
pub(crate) struct Uploader<'k> {
    kernel: &'k Kernel,
    caller: Caller,
    claims: Claims,
    body: Uuid,
    /// The part that is being filled.
    filling: BytesMut,
    /// Full parts that are not written yet; the first is part number `written`.
    waiting: Vec<Bytes>,
    written: u32,
    bytes: u64,
    md5: Md5,
    hasher: ChecksumHasher,
}

/// A body of which all is known and all but the last parts are written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    body: Uuid,
    written: u32,
    rest: Vec<Bytes>,
    bytes: u64,
    etag: String,
    checksums: BTreeMap<String, String>,
}

/// Parts to be written before the object.
#[derive(Clone)]
struct Step {
    body: Uuid,
    first: u32,
    parts: Vec<Bytes>,
}

impl<'k> Uploader<'k> {
    pub(crate) fn new(kernel: &'k Kernel, caller: Caller, claims: Claims) -> Uploader<'k> {
        Uploader {
            body: kernel.new_id(),
            hasher: claims.hasher(),
            kernel,
            caller,
            claims,
            filling: BytesMut::new(),
            waiting: Vec::new(),
            written: 0,
            bytes: 0,
            md5: Md5::new(),
        }
    }

    /// Takes the next bytes. Memory holds a step's parts at most, besides what the caller holds.
    pub(crate) async fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = PART_BYTES - self.filling.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.filling.extend_from_slice(now);
            self.md5.update(now);
            self.hasher.update(now);
            self.bytes += now.len() as u64;
            bytes = later;
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
    pub(crate) fn finish(mut self) -> Result<Draft, base::Fault> {
        if !self.filling.is_empty() {
            self.waiting.push(self.filling.split().freeze());
        }
        let md5 = self.md5.finalize();
        self.claims.check(&md5, self.hasher)?;
        Ok(Draft {
            body: self.body,
            written: self.written,
            rest: self.waiting,
            bytes: self.bytes,
            etag: hex::encode(md5),
            checksums: self.claims.checksums,
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
    /// Writes what is left of the body; the object that it is of is to be written by the same transaction.
    pub(crate) async fn settle(self, tx: &mut Tx, headers: crate::object::Headers) -> Result<Object> {
        if self.written > 0 {
            let key = UploadKey { body: self.body };
            let upload = tx.get(&key).await?.ok_or_else(fault::upload_expired)?;
            tx.cancel(&upload.sweep);
            tx.delete(&key);
        }
        write_parts(tx, self.body, self.written, &self.rest)?;
        Ok(Object {
            body: self.body,
            parts: self.written + self.rest.len() as u32,
            bytes: self.bytes,
            etag: self.etag,
            modified_at: tx.now(),
            checksums: self.checksums,
            headers,
        })
    }
}

/// Which parts to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    body: Uuid,
    first: u32,
    parts: u32,
}

/// Removes the body of an object that goes. A single part is read by the transaction that reads its object; several may
/// be in the middle of being read.
pub(crate) fn discard(tx: &mut Tx, object: &Object) -> Result<()> {
    if object.parts == 1 {
        tx.delete(&PartKey { body: object.body, part: 0 });
    }
    if object.parts > 1 {
        let removal = Removal { body: object.body, first: 0, parts: object.parts };
        let call = Call::new(crate::NAME, REMOVE, &removal)?;
        tx.enqueue_quietly(tx.now() + READ_TIME_MAX, NewTask::new(call))?;
    }
    Ok(())
}

/// Removes what was uploaded of a body, unless an object points to it by now.
pub(crate) async fn abandon(tx: &mut Tx, body: Uuid) -> Result<()> {
    bucket::enter(tx);
    let key = UploadKey { body };
    let Some(upload) = tx.get(&key).await? else { return Ok(()) };
    tx.delete(&key);
    remove(tx, Removal { body, first: 0, parts: upload.parts }).await
}

/// Removes some parts, and leaves the others to a task.
pub(crate) async fn remove(tx: &mut Tx, removal: Removal) -> Result<()> {
    bucket::enter(tx);
    let Removal { body, first, parts } = removal;
    let until = parts.min(first.saturating_add(REMOVE_PARTS));
    for part in first..until {
        tx.delete(&PartKey { body, part });
    }
    if until < parts {
        let call = Call::new(crate::NAME, REMOVE, &Removal { body, first: until, parts })?;
        tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
    }
    Ok(())
}

/// One part of a body.
pub(crate) async fn read_part(tx: &mut Tx, key: PartKey) -> Result<Bytes> {
    bucket::enter(tx);
    let found = tx.peek(&key).await?;
    found.ok_or_else(|| Error::bug(format!("read part {} of body {}: it is gone", key.part, key.body)))
}

/// The bytes of `range`, a part at a time.
pub(crate) fn read(
    kernel: Kernel,
    caller: Caller,
    object: &Object,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let body = object.body;
    futures::stream::try_unfold((kernel, caller, range), move |(kernel, caller, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let part = (range.start / PART_BYTES as u64) as u32;
        let key = PartKey { body, part };
        let bytes = kernel.transact(crate::NAME, caller.clone(), "GetObject", read_part, key).await?;
        let piece = piece(&bytes, part, &range)?;
        let rest = range.start + piece.len() as u64..range.end;
        Ok(Some((piece, (kernel, caller, rest))))
    })
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
