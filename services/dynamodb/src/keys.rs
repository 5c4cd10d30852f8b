//! Every row of this service.
//!
//! | tag | key | value | what |
//! |---|---|---|---|
//! | 1 | table's name | [`TableRow`] | the table: schema, indexes, settings |
//! | 2 | space, hash, partition, sort | [`ItemRow`] | an item |
//! | 3 | space, hash, partition, sort, item's partition, item's sort | [`ItemRow`] | an index's entry: the projected attributes |
//! | 4 | space, time, partition, sort | – | when an item expires; a hint that the sweep verifies |
//! | 5 | space | [`SweepRow`] | when the next sweep of a table runs |
//! | 6 | token | [`TokenRow`] | a transaction that was written under a client's token |
//! | 7 | time, token | – | the tokens by age |
//! | 8 | table's name, label | [`StreamRow`] | a stream of the table's changes; it outlives the table by a day |
//! | 9 | table's name, label, position | [`Change`] | a stream's records: a log |
//! | 10 | table's name, label, id | [`Images`] | the images of a record that is too large for the log |
//! | 11 | log | [`HistoryRow`] | a table's history: what its items were before each change, and who needs to know |
//! | 12 | log, position | [`Undo`] | an item as it was before a change: a log |
//! | 13 | log, id | [`ItemRow`] | an item as it was, if it is too large for the log |
//! | 14 | log, time | [`MarkRow`] | the newest commit at a time: where the log is read from for that time |
//! | 15 | id | [`CopyRow`] | a copy of a table's items that is being made: a restore or a backup |
//! | 16 | table's name, id | [`BackupRow`] | a backup; its items stand in a space of its own |
//!
//! A *space* is a random number that a table, and each of its indexes, gets when it is made: a table that is made again
//! under the same name sees nothing of its predecessor. Partitions stand in the order of their hash, which spreads
//! parallel scans; the sort key's bytes stand in the order of its values.

use base::Timestamp;
use bytes::{BufMut, Bytes, BytesMut};
use kernel::{TaskHandle, TraceCx, keys};
use serde::{Deserialize, Serialize};
use store::codec::CodecError;
use store::{KeyWriter, Stored};

use crate::api::StreamViewType;
use crate::recovery::rows::{BackupRow, CopyRow, HistoryRow, MarkRow, Undo};
use crate::stored::StoredItem;
use crate::table::KeyNames;

keys! {
    /// A table.
    pub struct TableKey(1) -> TableRow { name: String }
    /// An item.
    pub struct ItemKey(2, sharded, large) -> ItemRow { space: u64, hash: u64, partition: Vec<u8>, sort: Vec<u8> }
    /// An entry of an index.
    pub struct IndexKey(3, sharded, large) -> ItemRow {
        space: u64, hash: u64, partition: Vec<u8>, sort: Vec<u8>, item_partition: Vec<u8>, item_sort: Vec<u8>
    }
    /// An item's expiry, in seconds since the epoch.
    pub struct ExpiryKey(4, sharded) -> () { space: u64, at: i64, partition: Vec<u8>, sort: Vec<u8> }
    /// A table's next sweep.
    pub struct SweepKey(5) -> SweepRow { space: u64 }
    /// A transaction's token.
    pub struct TokenKey(6) -> TokenRow { token: String }
    /// A token by the time of its transaction.
    pub struct TokenAgeKey(7) -> () { at: Timestamp, token: String }
    /// A stream.
    pub struct StreamKey(8) -> StreamRow { table: String, label: String }
    /// The log of a stream's records.
    pub struct ChangeKey(9, sharded) -> Change { table: String, label: String }
    /// The images of a large record.
    pub struct ImagesKey(10, sharded, large) -> Images { table: String, label: String, id: u64 }
    /// A table's history.
    pub struct HistoryKey(11) -> HistoryRow { log: u64 }
    /// The log of a history.
    pub struct UndoKey(12, sharded) -> Undo { log: u64 }
    /// A large item of a history.
    pub struct BeforeKey(13, sharded, large) -> ItemRow { log: u64, id: u64 }
    /// The newest commit at a time.
    pub struct MarkKey(14) -> MarkRow { log: u64, at: Timestamp }
    /// A copy that is being made.
    pub struct CopyKey(15) -> CopyRow { id: u64 }
    /// A backup.
    pub struct BackupKey(16) -> BackupRow { table: String, id: String }
}

/// A table as stored, not yet decoded: most requests know it from its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow(pub Bytes);

impl Stored for TableRow {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        Ok(self.0.clone())
    }

    fn from_bytes(bytes: &[u8]) -> Result<TableRow, CodecError> {
        Ok(TableRow(Bytes::copy_from_slice(bytes)))
    }
}

/// An item or an index's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Bytes that it counts for, as AWS counts.
    pub size: u32,
    /// The attributes.
    pub item: StoredItem,
}

/// The format of [`ItemRow`]: this byte, the size (four bytes, little-endian), the item.
const ITEM_FORMAT: u8 = 1;

impl Stored for ItemRow {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        let mut bytes = BytesMut::with_capacity(self.item.as_bytes().len() + 5);
        bytes.put_u8(ITEM_FORMAT);
        bytes.put_u32_le(self.size);
        bytes.put_slice(self.item.as_bytes());
        Ok(bytes.freeze())
    }

    fn from_bytes(bytes: &[u8]) -> Result<ItemRow, CodecError> {
        let (&found, rest) = bytes.split_first().ok_or(CodecError::Empty("item"))?;
        if found > ITEM_FORMAT {
            return Err(CodecError::Newer { name: "item", found, known: ITEM_FORMAT });
        }
        let short = || CodecError::Malformed { name: "item", why: "it is cut off".to_owned() };
        let (size, item) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        Ok(ItemRow {
            size: u32::from_le_bytes(*size),
            item: StoredItem::from_bytes(Bytes::copy_from_slice(item)),
        })
    }
}

/// What is planned for the expired items of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SweepRow {
    /// The next sweep, in seconds since the epoch, and its task.
    Scheduled {
        /// When.
        at: i64,
        /// The task.
        task: TaskHandle,
    },
    /// A sweep has ended and looks for the next expiry: who writes an earlier one schedules it himself.
    Closing,
}
store::stored!(SweepRow, format = 1);

/// What was written under a client's token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRow {
    /// SHA-256 of the request.
    pub digest: Vec<u8>,
    /// When.
    pub at: Timestamp,
    /// The answer, as JSON text.
    pub answer: String,
}
store::stored!(TokenRow, format = 1);

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    /// What its records carry.
    pub view: StreamViewType,
    /// When it was enabled.
    pub created: Timestamp,
    /// The keys of its table.
    pub keys: KeyNames,
    /// The newest commit in front of it.
    pub begins: u64,
    /// Tells its shard from those of other streams.
    pub shard: u32,
    /// When it was disabled, or its table deleted.
    pub disabled: Option<Timestamp>,
    /// The sequence number of the last record that was removed for its age.
    pub trimmed: Option<String>,
}
store::stored!(StreamRow, format = 1);

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventName {
    /// It is new.
    #[serde(rename = "i")]
    Insert,
    /// It has changed.
    #[serde(rename = "m")]
    Modify,
    /// It is gone.
    #[serde(rename = "r")]
    Remove,
}

impl EventName {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventName::Insert => "INSERT",
            EventName::Modify => "MODIFY",
            EventName::Remove => "REMOVE",
        }
    }
}

/// A record of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    #[serde(rename = "e")]
    pub event: EventName,
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// The item's keys, in the stored form of an item.
    #[serde(rename = "k")]
    pub keys: Bytes,
    /// The images, unless they stand apart.
    #[serde(rename = "i")]
    pub images: Images,
    /// The id of the row that has the images.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<u64>,
    /// Bytes that keys and images count for.
    #[serde(rename = "s")]
    pub size: u64,
    /// Whether DynamoDB removed the item because it had expired.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// The chain of causes of the change.
    #[serde(rename = "c")]
    pub trace: TraceCx,
}
store::stored!(Change, format = 1);

/// An item before and after a change, each in the stored form of an item, as far as a stream carries them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// As it became.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Bytes>,
    /// As it was.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Bytes>,
}
store::stored!(Images, format = 1);

impl Images {
    /// How many bytes they are.
    pub fn bytes(&self) -> usize {
        [&self.new, &self.old].into_iter().flatten().map(Bytes::len).sum()
    }
}

/// Where an item stands in its table or index: hash, partition key and sort key in their ordered form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The partition key.
    pub partition: Vec<u8>,
    /// The sort key; empty without one.
    pub sort: Vec<u8>,
}

impl Address {
    /// The hash that orders partitions.
    pub fn hash(&self) -> u64 {
        hash(&self.partition)
    }

    /// The row of the item in a table.
    pub fn item_key(&self, space: u64) -> ItemKey {
        ItemKey { space, hash: self.hash(), partition: self.partition.clone(), sort: self.sort.clone() }
    }

    /// The row of an index's entry at this address for the item at `item`.
    pub fn index_key(&self, space: u64, item: &Address) -> IndexKey {
        IndexKey {
            space,
            hash: self.hash(),
            partition: self.partition.clone(),
            sort: self.sort.clone(),
            item_partition: item.partition.clone(),
            item_sort: item.sort.clone(),
        }
    }

    /// The bytes of a row's key behind its space, up to and with the partition.
    pub fn partition_tail(&self) -> KeyWriter {
        KeyWriter::new().with(&self.hash()).with(&self.partition)
    }

    /// The bytes of a table row's key behind its space.
    pub fn tail(&self) -> KeyWriter {
        self.partition_tail().with(&self.sort)
    }
}

/// Fowler-Noll-Vo with a final mix, so that all bits depend on all bytes. Fixed by the format of the store for ever.
fn hash(partition: &[u8]) -> u64 {
    let folded = partition.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (folded ^ (folded >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_stores_format() {
        assert_eq!(hash(b""), 0xefd0_1f60_ba99_2926);
        assert_eq!(hash(b"user#1"), 0xcbd9_5cfe_3f2f_68c0);
    }

    #[test]
    fn item_rows_come_back_and_newer_ones_are_refused() {
        let row = ItemRow { size: 70_000, item: StoredItem::from_bytes(Bytes::from_static(b"\0")) };
        let bytes = row.to_bytes().unwrap();
        assert_eq!(ItemRow::from_bytes(&bytes), Ok(row));
        assert!(matches!(ItemRow::from_bytes(b"\x02abcd"), Err(CodecError::Newer { found: 2, .. })));
        assert!(matches!(ItemRow::from_bytes(b"\x01ab"), Err(CodecError::Malformed { .. })));
        assert_eq!(ItemRow::from_bytes(b""), Err(CodecError::Empty("item")));
    }
}
