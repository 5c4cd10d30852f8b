//! The three kinds of error, never mixed.

use base::Fault;
use bytes::Bytes;
use store::engine::{CommitError, StoreError};

/// Why a handler did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's, modelled: goes out as AWS words it.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A row changed between reading and committing: the router runs the handler again; nobody else sees it.
    #[error("conflict on a row that was read")]
    Conflict {
        /// The row that had changed.
        key: Bytes,
    },
    /// The store does not answer; nothing was applied, or the store says that it is poisoned.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ours: logged once with an id, and the caller gets `InternalFailure` with that id.
    #[error("{0}")]
    Bug(String),
}

impl Error {
    /// A bug, described in a lower-case fragment that fits after "failed to".
    pub fn bug(what: impl Into<String>) -> Error {
        Error::Bug(what.into())
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Error {
        match error {
            CommitError::Conflict { key } => Error::Conflict { key },
            CommitError::Refused(why) => Error::Bug(format!("commit a transaction: {why}")),
            CommitError::Store(error) => Error::Store(error),
        }
    }
}

impl From<store::CodecError> for Error {
    fn from(error: store::CodecError) -> Error {
        Error::Bug(format!("decode a stored row: {error}"))
    }
}

impl From<store::chunk::ChunkError> for Error {
    fn from(error: store::chunk::ChunkError) -> Error {
        Error::Store(StoreError::Damaged(error.to_string()))
    }
}

impl From<store::KeyError> for Error {
    fn from(error: store::KeyError) -> Error {
        Error::Bug(format!("read a stored key: {error}"))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::Bug(format!("encode a document: {error}"))
    }
}

/// What handlers return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
