//! Large bodies: content-addressed and immutable, in pieces below the limits of the engine.
//!
//! A blob has the SHA-256 of its bytes as its name. Its pieces are put in as many commits as they need, each below the
//! commit limit, and its manifest last: a blob whose manifest can be read is complete, and putting one again changes
//! nothing.
//!
//! There are no counters of references; blobs are collected by mark and sweep. The sweeper reads all manifests with
//! their versions, then the ids that live rows name, then removes the manifests that no row named, each commit with a
//! check that the manifest is still at the version that was read; pieces follow once their manifest is gone. Whoever
//! refers to a blob puts its manifest again in the referring commit, with a check that it is there. So of a sweep and
//! a new reference that race, one meets a conflict: the sweeper leaves the blob, or the referrer puts it again. The time
//! in the manifest lets a sweeper spare what was uploaded a moment ago and is not referred to yet.

use base::Timestamp;
use bytes::{BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};

use crate::chunk::VALUE_BYTES;
use crate::codec::CodecError;
use crate::engine::KeyRange;

/// Bytes of pieces in one commit: well below the limit, so that a commit's sync is short.
const STEP_BYTES: usize = 44 * VALUE_BYTES;
/// Format, length, time.
const MANIFEST_FORMAT: u8 = 1;
const MANIFEST_BYTES: usize = 17;
/// Between a store's blob prefix and the id.
const MANIFESTS: u8 = b'm';
const PIECES: u8 = b'p';

/// The name of a blob: the SHA-256 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// The name of `body`.
    pub fn of(body: &[u8]) -> BlobId {
        BlobId(Sha256::digest(body).into())
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<BlobId> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok().map(|()| BlobId(id))
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What the manifest row of a blob says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Length of the body in bytes.
    pub bytes: u64,
    /// When the blob was stored or referred to last.
    pub stored: Timestamp,
}

/// Rows of a blob, in the commits that put them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub id: BlobId,
    /// Puts of pieces, grouped: each group is one commit below the limits. Order and repetition do not matter.
    pub pieces: Vec<Vec<(Bytes, Bytes)>>,
    /// The put that makes the blob readable, once all pieces are acknowledged.
    pub manifest: (Bytes, Bytes),
}

/// How `body` is stored below `prefix` at `now`.
pub fn plan(prefix: &[u8], body: &Bytes, now: Timestamp) -> Plan {
    let id = BlobId::of(body);
    let steps = (0..body.len()).step_by(STEP_BYTES).map(|from| {
        let to = body.len().min(from + STEP_BYTES);
        let piece = |at| (piece_key(prefix, id, at as u64), body.slice(at..to.min(at + VALUE_BYTES)));
        (from..to).step_by(VALUE_BYTES).map(piece).collect()
    });
    let manifest = Manifest { bytes: body.len() as u64, stored: now };
    Plan { id, pieces: steps.collect(), manifest: (manifest_key(prefix, id), manifest.to_bytes()) }
}

/// The key of the manifest of `id` below `prefix`.
pub fn manifest_key(prefix: &[u8], id: BlobId) -> Bytes {
    key(prefix, MANIFESTS, id, &[])
}

/// The pieces of `id` below `prefix`, in the order of the body.
pub fn pieces(prefix: &[u8], id: BlobId) -> KeyRange {
    KeyRange::prefix(key(prefix, PIECES, id, &[]))
}

/// All manifests below `prefix`, in the order of ids.
pub fn manifests(prefix: &[u8]) -> KeyRange {
    let mut start = BytesMut::from(prefix);
    start.put_u8(MANIFESTS);
    KeyRange::prefix(start.freeze())
}

/// The id in a manifest's key.
pub fn id_of_manifest(prefix: &[u8], key: &[u8]) -> Option<BlobId> {
    key.strip_prefix(prefix)?.strip_prefix(&[MANIFESTS])?.try_into().ok().map(BlobId)
}

/// The piece of the body that starts at byte `at`.
fn piece_key(prefix: &[u8], id: BlobId, at: u64) -> Bytes {
    key(prefix, PIECES, id, &at.to_be_bytes())
}

/// The pieces that hold bytes `from..to` of the body; the first may start earlier, the last end later.
pub fn pieces_between(prefix: &[u8], id: BlobId, from: u64, to: u64) -> KeyRange {
    let start = from - from % VALUE_BYTES as u64;
    KeyRange { start: piece_key(prefix, id, start), end: piece_key(prefix, id, to) }
}

fn key(prefix: &[u8], kind: u8, id: BlobId, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(prefix.len() + 33 + rest.len());
    key.put_slice(prefix);
    key.put_u8(kind);
    key.put_slice(&id.0);
    key.put_slice(rest);
    key.freeze()
}

/// Why a blob cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Pieces are missing or changed.
    #[error("blob {0} is not what was stored")]
    Damaged(BlobId),
    /// Its manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] CodecError),
}

impl Manifest {
    fn to_bytes(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(MANIFEST_BYTES);
        bytes.put_u8(MANIFEST_FORMAT);
        bytes.put_u64(self.bytes);
        bytes.put_i64(self.stored.as_millis());
        bytes.freeze()
    }

    /// From the manifest's row.
    pub fn from_bytes(row: &[u8]) -> Result<Manifest, CodecError> {
        let name = "blob manifest";
        let (&found, rest) = row.split_first().ok_or(CodecError::Empty(name))?;
        if found > MANIFEST_FORMAT {
            return Err(CodecError::Newer { name, found, known: MANIFEST_FORMAT });
        }
        let rest: [u8; 16] = rest.try_into().map_err(|_| {
            let why = format!("{} bytes instead of {MANIFEST_BYTES}", row.len());
            CodecError::Malformed { name, why }
        })?;
        let number = u128::from_be_bytes(rest);
        let stored = Timestamp::from_millis((number as u64).cast_signed());
        Ok(Manifest { bytes: (number >> 64) as u64, stored })
    }
}

/// The body of `id` from all its pieces in order, proven by its name.
pub fn join(id: BlobId, pieces: &[Bytes]) -> Result<Bytes, BlobError> {
    let body = Bytes::from(pieces.concat());
    if BlobId::of(&body) == id { Ok(body) } else { Err(BlobError::Damaged(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{COMMIT_BYTES_MAX, VALUE_BYTES_MAX};

    fn within(range: &KeyRange, key: &Bytes) -> bool {
        range.start <= *key && *key < range.end
    }

    #[test]
    fn a_body_comes_back_from_commits_below_the_limits() {
        let body: Bytes = (0..9_500_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let now = Timestamp::from_millis(1_700_000_000_000);
        let plan = plan(b"b/", &body, now);
        assert_eq!(plan.pieces.len(), 3);
        for step in &plan.pieces {
            assert!(step.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() < COMMIT_BYTES_MAX);
            assert!(
                step.iter().all(|(k, v)| v.len() <= VALUE_BYTES_MAX && within(&pieces(b"b/", plan.id), k))
            );
        }
        let rows: Vec<_> = plan.pieces.concat();
        assert!(rows.is_sorted());
        let parts: Vec<_> = rows.iter().map(|(_, v)| v.clone()).collect();
        assert_eq!(join(plan.id, &parts), Ok(body.clone()));
        assert_eq!(join(plan.id, &parts[1..]), Err(BlobError::Damaged(plan.id)));
        let (key, row) = &plan.manifest;
        assert!(within(&manifests(b"b/"), key));
        assert_eq!(id_of_manifest(b"b/", key), Some(plan.id));
        assert_eq!(Manifest::from_bytes(row), Ok(Manifest { bytes: 9_500_000, stored: now }));
        assert_eq!(BlobId::parse(&plan.id.to_string()), Some(plan.id));
    }

    #[test]
    fn a_part_needs_few_pieces() {
        let body = Bytes::from(vec![1; 5_000_000]);
        let plan = plan(b"", &body, Timestamp::default());
        let rows = plan.pieces.concat();
        for (from, to, count) in
            [(4_100_000, 4_100_010, 1), (89_999, 90_001, 2), (0, 1, 1), (0, 5_000_000, 56)]
        {
            let range = pieces_between(b"", plan.id, from, to);
            assert_eq!(rows.iter().filter(|(k, _)| within(&range, k)).count(), count, "{from}..{to}");
        }
    }
}
