//! Typed keys: what a service names its rows by. The account, the region, the service and the shard come from the
//! transaction, so that a neighbour's rows cannot even be named.

use base::{AccountId, Region};
use bytes::Bytes;
use store::engine::KeyRange;
use store::key::{KeyPart, KeyReader, KeyWriter};
use store::{KeyError, Stored};

/// Shards that hot rows spread over; fixed by the store's format.
pub const SHARDS: u8 = 16;

/// The rows of one kind. Made by [`crate::keys!`].
pub trait Key: Sized + Send + Sync {
    /// What stands under the key.
    type Value: Stored + Send + Sync;
    /// Tells this kind from the other kinds of the same service.
    const TAG: u8;
    /// Whether the value may be larger than one row of the store.
    const LARGE: bool;
    /// Whether the rows spread over the shards by their first part; then every scan names that part.
    const SHARDED: bool;

    /// Writes the parts in order.
    fn write(&self, out: &mut KeyWriter);
    /// Writes the first part alone: it chooses the shard.
    fn write_first(&self, out: &mut KeyWriter);
    /// Reads the parts back.
    fn read(parts: &mut KeyReader<'_>) -> Result<Self, KeyError>;
}

/// Where a service's rows stand: account and region. Global services use a region of their own choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose rows.
    pub account: AccountId,
    /// Where.
    pub region: Region,
}

/// Leading parts of a key, for scans.
#[derive(Clone, Debug, Default)]
pub struct Parts(Vec<u8>, usize);

impl Parts {
    /// No part: every row of the kind (of a kind that is not sharded).
    pub fn none() -> Parts {
        Parts::default()
    }

    /// One leading part.
    pub fn of(part: &(impl KeyPart + ?Sized)) -> Parts {
        Parts::none().and(part)
    }

    /// One more part.
    #[must_use]
    pub fn and(self, part: &(impl KeyPart + ?Sized)) -> Parts {
        let Parts(mut bytes, first) = self;
        bytes.extend_from_slice(&KeyWriter::new().with(part).finish());
        let first = if first == 0 { bytes.len() } else { first };
        Parts(bytes, first)
    }

    /// Begins a text part without ending it: all keys whose next part starts with `text`.
    #[must_use]
    pub fn and_starting_with(self, text: &str) -> Parts {
        let Parts(mut bytes, first) = self;
        // The writer ends a text with a terminator of its own; without it the bytes are a prefix of all longer texts.
        bytes.extend(text.as_bytes());
        Parts(bytes, first)
    }
}

/// The bytes that stand in front of every key of a service in a scope, after the shard.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(Vec<u8>);

impl Prefix {
    pub(crate) fn new(service: &str, scope: &Scope) -> Prefix {
        let parts = KeyWriter::new().with(service).with(scope.account.as_str()).with(scope.region.as_str());
        Prefix(parts.finish().to_vec())
    }

    pub(crate) fn key<K: Key>(&self, key: &K) -> Bytes {
        let mut bytes = self.start::<K>();
        if K::SHARDED {
            let mut first = KeyWriter::new();
            key.write_first(&mut first);
            bytes[0] = shard_of(&first.finish());
        }
        let mut writer = KeyWriter::after(&bytes);
        key.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn range<K: Key>(&self, parts: &Parts) -> KeyRange {
        let mut bytes = self.start::<K>();
        if K::SHARDED {
            bytes[0] = shard_of(&parts.0[..parts.1]);
        }
        bytes.extend(&parts.0);
        KeyRange::prefix(bytes)
    }

    pub(crate) fn read<K: Key>(&self, key: &[u8]) -> Result<K, KeyError> {
        let start = 2 + self.0.len();
        K::read(&mut KeyReader::new(key.get(start..).ok_or(KeyError::Short)?))
    }

    /// Shard 0, the prefix and the tag.
    fn start<K: Key>(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + 64);
        bytes.push(0);
        bytes.extend(&self.0);
        bytes.push(K::TAG);
        bytes
    }
}

/// Fowler-Noll-Vo over the part: short inputs, no dependency, and fixed by the format for ever.
pub(crate) fn shard_of(part: &[u8]) -> u8 {
    let hash = part.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 32) as u8 % SHARDS
}

/// Declares the keys of a service: one line a kind, with its tag, its parts and what stands under it.
///
/// ```
/// # use serde::{Serialize, Deserialize};
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct Queue { delay_s: u32 }
/// store::stored!(Queue, format = 1);
///
/// kernel::keys! {
///     /// A queue's attributes.
///     pub struct QueueKey(1) -> Queue { name: String }
///     /// A message's body, beside the other rows of its queue.
///     pub struct BodyKey(2, sharded, large) -> String { queue: String, id: u64 }
/// }
/// ```
#[macro_export]
macro_rules! keys {
    ($( $(#[$doc:meta])* $vis:vis struct $name:ident($tag:literal $(, $flag:ident)*) -> $value:ty
        { $($part:ident : $type:ty),* $(,)? } )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name {
            $(#[doc = concat!("The key's `", stringify!($part), "`.")] pub $part: $type,)*
        }

        impl $crate::Key for $name {
            type Value = $value;
            const TAG: u8 = $tag;
            const LARGE: bool = $crate::keys!(@has large $($flag)*);
            const SHARDED: bool = $crate::keys!(@has sharded $($flag)*);

            fn write(&self, out: &mut $crate::__store::key::KeyWriter) {
                $(out.push(&self.$part);)*
                let _ = out;
            }

            fn write_first(&self, out: &mut $crate::__store::key::KeyWriter) {
                $crate::keys!(@first self out $($part)*);
                let _ = out;
            }

            fn read(
                parts: &mut $crate::__store::key::KeyReader<'_>,
            ) -> Result<Self, $crate::__store::KeyError> {
                let _ = &parts;
                Ok($name { $($part: parts.read::<$type>()?,)* })
            }
        }
    )*};
    (@first $me:ident $out:ident) => {};
    (@first $me:ident $out:ident $part:ident $($rest:ident)*) => {
        $out.push(&$me.$part)
    };
    (@has large) => { false };
    (@has sharded) => { false };
    (@has large large $($rest:ident)*) => { true };
    (@has sharded sharded $($rest:ident)*) => { true };
    (@has large $other:ident $($rest:ident)*) => { $crate::keys!(@has large $($rest)*) };
    (@has sharded $other:ident $($rest:ident)*) => { $crate::keys!(@has sharded $($rest)*) };
}
