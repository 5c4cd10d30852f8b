//! The table of sources: what others read on somebody's behalf (event source mappings, pipes), and how they learn that
//! something has come without asking again and again.

use std::sync::Arc;

use base::Arn;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::key::{Key, Parts, Prefix};

/// Rows below which something new shows, of the source's own service, account and region.
#[derive(Clone)]
pub struct Watched(Arc<dyn Fn(&Prefix) -> Bytes + Send + Sync>);

impl Watched {
    /// Rows of this kind below `parts`; of a kind that is sharded, `parts` names at least the first part.
    pub fn rows<K: Key>(parts: Parts) -> Watched {
        Watched(Arc::new(move |prefix| prefix.range::<K>(&parts).start))
    }

    pub(crate) fn below(&self, prefix: &Prefix) -> Bytes {
        (self.0)(prefix)
    }
}

/// A kind of source: which ARNs, and how to wait for what comes.
#[derive(Clone, Copy)]
pub struct SourceKind {
    /// The service that serves it: the third field of its ARNs.
    pub service: &'static str,
    /// Its name in messages, e.g. `SQS queue`.
    pub name: &'static str,
    /// Whether this kind serves the ARN.
    pub serves: fn(&Arn) -> bool,
    /// What is committed when something comes.
    pub watched: fn(&Arn) -> Watched,
    /// The internal operation that says when something comes though nothing is committed (a delay that ends, a message that
    /// becomes visible again): [`NextAsked`] in, [`NextKnown`] out. `None` where there is no such thing.
    pub next: Option<&'static str>,
}

/// The input of [`SourceKind::next`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NextAsked {
    /// The source's ARN.
    pub source: String,
}

/// The output of [`SourceKind::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextKnown {
    /// When, if that is known.
    pub at: Option<base::Timestamp>,
}

/// All kinds of sources that the registered services serve.
#[derive(Clone, Default)]
pub struct Sources(Vec<SourceKind>);

impl Sources {
    pub(crate) fn add(&mut self, kinds: &[SourceKind]) {
        self.0.extend_from_slice(kinds);
    }

    /// The kind that serves `arn`; `None` if nothing does.
    pub fn find(&self, arn: &Arn) -> Option<&SourceKind> {
        self.0.iter().find(|kind| kind.service == arn.service && (kind.serves)(arn))
    }
}
