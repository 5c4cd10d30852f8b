//! A body that is taken apart and proven while it comes, so that nobody has to hold all of it.

use base::Fault;
use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::ALGORITHM;
use super::chunked::{LINE_BYTES_MAX, SIGNATURE, canonical_trailers, is_framed, malformed, read_trailers};
use super::verify::{MISMATCH, mismatch, signed, wrong_hash};

/// The most bytes of trailers.
const TRAILERS_BYTES_MAX: usize = 16 * 1024;

/// What must hold of a body whose head is proven.
#[derive(Clone, Debug, Default)]
pub struct BodyProof(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    /// Nothing of it is signed, or nobody asks.
    #[default]
    Unsigned,
    /// The head tells its hash.
    Hash { expected: String, hasher: Sha256 },
    /// Each chunk is signed over the one before it.
    Chunks(Box<Chain>),
}

#[derive(Clone, Debug)]
struct Chain {
    key: [u8; 32],
    date: String,
    scope: String,
    previous: String,
    trailers_signed: bool,
    hasher: Sha256,
}

impl BodyProof {
    /// A body whose hash the head tells in hexadecimal digits.
    pub fn of_hash(expected: &str) -> BodyProof {
        BodyProof(Kind::Hash { expected: expected.to_owned(), hasher: Sha256::new() })
    }

    /// A body in signed chunks; `seed` is the head's signature.
    pub(super) fn of_chunks(
        key: [u8; 32],
        date: &str,
        scope: &str,
        seed: &str,
        trailers_signed: bool,
    ) -> BodyProof {
        BodyProof(Kind::Chunks(Box::new(Chain {
            key,
            date: date.to_owned(),
            scope: scope.to_owned(),
            previous: seed.to_owned(),
            trailers_signed,
            hasher: Sha256::new(),
        })))
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Unsigned => {}
            Kind::Hash { hasher, .. } => hasher.update(bytes),
            Kind::Chunks(chain) => chain.hasher.update(bytes),
        }
    }

    /// The chunk that was taken ends here.
    fn end_chunk(&mut self, signature: &str) -> Result<(), Fault> {
        let Kind::Chunks(chain) = &mut self.0 else { return Ok(()) };
        let hash = hex::encode(std::mem::take(&mut chain.hasher).finalize());
        let empty = hex::encode(Sha256::digest(b""));
        let Chain { date, scope, previous, .. } = &**chain;
        let text = format!("{ALGORITHM}-PAYLOAD\n{date}\n{scope}\n{previous}\n{empty}\n{hash}");
        if !signed(&chain.key, &text, signature) {
            return Err(mismatch(MISMATCH));
        }
        signature.clone_into(&mut chain.previous);
        Ok(())
    }

    fn finish(self, trailers: &[(String, String)], signature: Option<&str>) -> Result<(), Fault> {
        match self.0 {
            Kind::Unsigned => Ok(()),
            Kind::Hash { expected, hasher } => {
                let holds = expected.eq_ignore_ascii_case(&hex::encode(hasher.finalize()));
                if holds { Ok(()) } else { Err(wrong_hash()) }
            }
            Kind::Chunks(chain) if chain.trailers_signed => {
                let hash = hex::encode(Sha256::digest(canonical_trailers(trailers).as_bytes()));
                let Chain { date, scope, previous, .. } = &*chain;
                let text = format!("{ALGORITHM}-TRAILER\n{date}\n{scope}\n{previous}\n{hash}");
                let holds = signed(&chain.key, &text, signature.unwrap_or_default());
                if holds { Ok(()) } else { Err(mismatch(MISMATCH)) }
            }
            Kind::Chunks(_) => Ok(()),
        }
    }
}

/// Takes the frames off a body, if it has any, and proves it, a piece at a time.
///
/// What [`BodyReader::push`] gives out is not proven yet: nothing may be made of it before [`BodyReader::finish`] agrees.
#[derive(Debug)]
pub struct BodyReader {
    state: State,
    proof: BodyProof,
    /// What came of a line or of the trailers.
    pending: BytesMut,
    /// The signature of the chunk that comes now.
    chunk_signature: String,
    taken: u64,
    /// `x-amz-decoded-content-length`.
    expected: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// The body is not framed.
    Plain,
    /// A line with a chunk's size comes.
    Size,
    /// So many bytes of a chunk are still to come.
    Chunk(u64),
    /// The line's end behind a chunk comes.
    ChunkEnd,
    /// What is left is trailers.
    Trailers,
}

impl BodyReader {
    /// A reader for the body behind this head.
    pub fn new(headers: &HeaderMap, proof: BodyProof) -> BodyReader {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let framed = is_framed(headers);
        BodyReader {
            state: if framed { State::Size } else { State::Plain },
            proof,
            pending: BytesMut::new(),
            chunk_signature: String::new(),
            taken: 0,
            expected: text("x-amz-decoded-content-length")
                .filter(|_| framed)
                .and_then(|text| text.trim().parse().ok()),
        }
    }

    /// Takes the next bytes as they came; what of them is the body's own.
    ///
    /// # Errors
    /// `IncompleteBody` if the framing is broken, `InvalidSignatureException` if a chunk's signature is another's.
    pub fn push(&mut self, mut bytes: Bytes) -> Result<Vec<Bytes>, Fault> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            match self.state {
                State::Plain => found.push(self.give(std::mem::take(&mut bytes))),
                State::Chunk(left) => {
                    let now = bytes.split_to(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
                    let left = left - now.len() as u64;
                    found.push(self.give(now));
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                }
                State::Size | State::ChunkEnd => {
                    let Some(line) = self.line(&mut bytes)? else { break };
                    self.read_line(&line)?;
                }
                State::Trailers => {
                    self.pending.extend_from_slice(&bytes);
                    bytes.clear();
                    if self.pending.len() > TRAILERS_BYTES_MAX {
                        return Err(malformed());
                    }
                }
            }
        }
        Ok(found)
    }

    fn give(&mut self, bytes: Bytes) -> Bytes {
        self.taken += bytes.len() as u64;
        self.proof.take(&bytes);
        bytes
    }

    /// The line that ends in `bytes`; what there is of it is kept if it does not.
    fn line(&mut self, bytes: &mut Bytes) -> Result<Option<String>, Fault> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let now = bytes.split_to(end.unwrap_or(bytes.len()));
        self.pending.extend_from_slice(&now);
        if self.pending.len() > LINE_BYTES_MAX {
            return Err(malformed());
        }
        if end.is_none() {
            return Ok(None);
        }
        bytes.advance(1);
        let line = self.pending.split();
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        std::str::from_utf8(line).map(|line| Some(line.to_owned())).map_err(|_| malformed())
    }

    fn read_line(&mut self, line: &str) -> Result<(), Fault> {
        if self.state == State::ChunkEnd {
            if !line.is_empty() {
                return Err(malformed());
            }
            self.proof.end_chunk(&self.chunk_signature)?;
            self.state = State::Size;
            return Ok(());
        }
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = u64::from_str_radix(size.trim(), 16).map_err(|_| malformed())?;
        self.chunk_signature = extension.trim().strip_prefix(SIGNATURE).unwrap_or_default().to_owned();
        if size == 0 {
            self.proof.end_chunk(&self.chunk_signature)?;
            self.state = State::Trailers;
        } else {
            self.state = State::Chunk(size);
        }
        Ok(())
    }

    /// The body has come as a whole; its trailers, without their signature.
    ///
    /// # Errors
    /// `IncompleteBody` if it has not; `XAmzContentSHA256Mismatch` or `InvalidSignatureException` if it is not what was
    /// signed.
    pub fn finish(mut self) -> Result<Vec<(String, String)>, Fault> {
        // The last line's end may be missing.
        if self.state == State::Size && !self.pending.is_empty() {
            let line = String::from_utf8(self.pending.split().to_vec()).map_err(|_| malformed())?;
            self.read_line(&line)?;
        }
        let complete = matches!(self.state, State::Plain | State::Trailers);
        if !complete || self.expected.is_some_and(|expected| expected != self.taken) {
            return Err(malformed());
        }
        let (trailers, signature) = read_trailers(&self.pending)?;
        self.proof.finish(&trailers, signature.as_deref())?;
        Ok(trailers)
    }
}
