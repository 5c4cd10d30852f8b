//! Reading a stream's log: a page from a position on, and where it ends.

use base::Timestamp;
use kernel::{Direction, Result, Tx};
use store::log::Position;

use crate::keys::{Change, ChangeKey, Images, ImagesKey, StreamKey, StreamRow};
use crate::stream::position;

/// The most records of one page, and their bytes. From `GetRecords`: 1,000 records or 1 MB.
pub(crate) const RECORDS_MAX: usize = 1_000;
const PAGE_BYTES_MAX: u64 = 1_048_576;
/// Records read in one step.
const ROWS_AT_ONCE: usize = 100;

/// A record with its place and its images, wherever they stood.
pub(crate) struct Placed {
    pub position: Position,
    pub change: Change,
}

/// A page of a log.
pub(crate) struct Page {
    pub records: Vec<Placed>,
    /// From where to read on.
    pub next: Position,
    /// Whether nothing will ever follow.
    pub ended: bool,
}

/// The first place that can still be read.
pub(crate) fn horizon(row: &StreamRow) -> Position {
    let trimmed = row.trimmed.as_deref().and_then(position::parse).map(position::next);
    trimmed.unwrap_or_else(|| position::end_of(row.begins)).max(position::end_of(row.begins))
}

/// Reads from `from` on (included), but nothing in front of the horizon: at most `limit` records, and at most a megabyte
/// of them unless the first alone is larger.
pub(crate) async fn page(
    tx: &mut Tx,
    (key, row): (&StreamKey, &StreamRow),
    from: Position,
    limit: usize,
) -> Result<Page> {
    let log = ChangeKey { table: key.table.clone(), label: key.label.clone() };
    let mut next = from.max(horizon(row));
    let (mut records, mut bytes) = (Vec::new(), 0_u64);
    loop {
        let wanted = ROWS_AT_ONCE.min(limit - records.len());
        let rows = tx.read_log(&log, next, wanted, Direction::Forward).await?;
        let came = rows.len();
        for (at, change) in rows {
            bytes += change.size;
            if bytes > PAGE_BYTES_MAX && !records.is_empty() {
                return Ok(Page { records, next, ended: false });
            }
            next = position::next(at);
            records.push(Placed { position: at, change: with_images(tx, key, change).await? });
        }
        if came < wanted {
            // What has been committed behind this transaction's snapshot stands behind its newest commit.
            let next = next.max(position::next(position::end_of(tx.seq())));
            return Ok(Page { records, next, ended: row.disabled.is_some() });
        }
        if records.len() >= limit {
            return Ok(Page { records, next, ended: false });
        }
    }
}

async fn with_images(tx: &mut Tx, key: &StreamKey, mut change: Change) -> Result<Change> {
    if let Some(id) = change.apart {
        let row = ImagesKey { table: key.table.clone(), label: key.label.clone(), id };
        change.images = tx.peek(&row).await?.unwrap_or_else(Images::default);
    }
    Ok(change)
}

/// The place of the last record, or of the stream's beginning if it has none.
pub(crate) async fn last(tx: &mut Tx, key: &StreamKey, row: &StreamRow) -> Result<Position> {
    let log = ChangeKey { table: key.table.clone(), label: key.label.clone() };
    let behind_all = Position { version: store::Version(u64::MAX), index: u16::MAX };
    let rows = tx.read_log(&log, behind_all, 1, Direction::Backward).await?;
    let trimmed = row.trimmed.as_deref().and_then(position::parse);
    Ok(rows.first().map(|(at, _)| *at).or(trimmed).unwrap_or_else(|| position::end_of(row.begins)))
}

/// The place of the first record that is not older than `at`.
pub(crate) async fn at_time(
    tx: &mut Tx,
    (key, row): (&StreamKey, &StreamRow),
    at: Timestamp,
) -> Result<Position> {
    let log = ChangeKey { table: key.table.clone(), label: key.label.clone() };
    let mut next = horizon(row);
    loop {
        let rows = tx.read_log(&log, next, ROWS_AT_ONCE, Direction::Forward).await?;
        let came = rows.len();
        for (position, change) in rows {
            if change.at >= at {
                return Ok(position);
            }
            next = position::next(position);
        }
        if came < ROWS_AT_ONCE {
            return Ok(next.max(position::next(position::end_of(tx.seq()))));
        }
    }
}
