//! The rows of histories, copies and backups.

use std::collections::BTreeMap;

use base::Timestamp;
use bytes::Bytes;
use kernel::TaskHandle;
use serde::{Deserialize, Serialize};
use store::Version;
use store::log::Position;

use crate::api::{BackupStatus, BackupType};
use crate::table::Table;

/// A place in a history's log, as rows keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(u64, u16);

impl Place {
    /// In front of everything.
    pub const START: Place = Place(0, 0);

    /// Behind all that commit `version` and earlier ones wrote, in front of all that comes later.
    pub fn behind(version: u64) -> Place {
        Place(version + 1, 0)
    }
}

impl From<Position> for Place {
    fn from(position: Position) -> Place {
        Place(position.version.0, position.index)
    }
}

impl From<Place> for Position {
    fn from(place: Place) -> Position {
        Position { version: Version(place.0), index: place.1 }
    }
}

/// A table's history: kept while recovery is on or a copy needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The table's name.
    pub table: String,
    /// Point-in-time recovery, if it is on.
    pub recovery: Option<Period>,
    /// Up to where records were removed for their age.
    pub trimmed: Option<Place>,
    /// From where on copies that are being made need the log, by their ids.
    pub holds: BTreeMap<u64, Place>,
    /// The space of a deleted table's items, to be emptied when the last of these copies is made.
    pub orphan: Option<u64>,
}
store::stored!(HistoryRow, format = 1);

/// For what time a table can be restored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// The earliest moment at which the history was complete; `None` until the first task has looked.
    pub since: Option<Timestamp>,
    /// `RecoveryPeriodInDays`
    pub days: i32,
    /// The task that marks the time and removes what is older.
    pub task: TaskHandle,
}

/// An item as it was before a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// The time of the change.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// The item's partition key, ordered.
    #[serde(rename = "p")]
    pub partition: Bytes,
    /// Its sort key, ordered.
    #[serde(rename = "s", default, skip_serializing_if = "Bytes::is_empty")]
    pub sort: Bytes,
    /// The item's row, if there was one and it is not apart.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Bytes>,
    /// The id of the row that has it.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<u64>,
}
store::stored!(Undo, format = 1);

/// The newest commit at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRow {
    /// Its version.
    pub seq: u64,
}
store::stored!(MarkRow, format = 1);

/// Items that are being copied from one space to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyRow {
    /// The space of the items.
    pub from: u64,
    /// The log that tells what they were; `None` if nobody changes them.
    pub log: Option<u64>,
    /// The space that they are copied to.
    pub into: u64,
    /// What is made of them.
    pub makes: Makes,
    /// The backup that they are of: its key.
    pub backup: Option<(String, String)>,
    /// What comes next.
    pub step: Step,
}
store::stored!(CopyRow, format = 1);

/// What a copy makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Makes {
    /// The table of that name.
    Table(String),
    /// The backup under that key.
    Backup(String, String),
}

/// The keys of an item, ordered.
pub type Last = Option<(Bytes, Bytes)>;

/// What a copy does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The items are to be as behind the commit that wrote this.
    Begin,
    /// They are to be as they were at a time: the first change that is later has to be found.
    Seek {
        /// Where to look from.
        from: Place,
        /// The time.
        at: Timestamp,
    },
    /// Items are copied as they are now.
    Copy {
        /// The last one that was.
        after: Last,
        /// The place of the first change that will be undone; `None` if nothing changes.
        first: Option<Place>,
    },
    /// Changes are undone, newest first.
    Undo {
        /// The place of the last one that was.
        before: Place,
        /// The place of the first change, which is undone last.
        first: Place,
    },
    /// The entries of one of the table's indexes are made.
    Index {
        /// The index's number.
        number: usize,
        /// The last item that was entered.
        after: Last,
    },
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupRow {
    /// Its name.
    pub name: String,
    /// Asked for, or made of a table that was deleted.
    pub kind: BackupType,
    /// Whether it can be used.
    pub status: BackupStatus,
    /// When it was made.
    pub created: Timestamp,
    /// When it will be deleted.
    pub expires: Option<Timestamp>,
    /// The space of its items.
    pub space: u64,
    /// The table as it was.
    pub table: Table,
    /// About how many items.
    pub items: i64,
    /// About how many bytes.
    pub bytes: i64,
    /// How many tables are being restored from it.
    pub restores: u32,
    /// The history of the deleted table whose space it has taken over: copies may still need both.
    pub log: Option<u64>,
}
store::stored!(BackupRow, format = 1);
