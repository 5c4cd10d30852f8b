//! `DescribeTable`: a table with the counts of its items, exact while it is small and estimated from a sample after that.

use std::collections::BTreeMap;

use kernel::{Direction, Key, Parts, Result, Tx};

use crate::api::{DescribeTableInput, DescribeTableOutput, TableStatus};
use crate::keys::{IndexKey, ItemKey, ItemRow};
use crate::table::{Estimate, Table, describe};
use crate::tables;

/// Rows of the sample, and bytes: whichever is reached first.
const SAMPLE_ROWS: usize = 400;
const SAMPLE_BYTES: usize = 1_000_000;
const ROWS_AT_ONCE: usize = 50;

pub(crate) async fn describe_table(tx: &mut Tx, input: DescribeTableInput) -> Result<DescribeTableOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    let sizes = sizes(tx, &table).await?;
    let described = describe(&table, tx.scope(), TableStatus::Active, &sizes);
    Ok(DescribeTableOutput { table: Some(described) })
}

/// How much stands in the table and in each of its indexes.
pub(crate) async fn sizes(tx: &mut Tx, table: &Table) -> Result<BTreeMap<u64, Estimate>> {
    let mut sizes = BTreeMap::new();
    sizes.insert(table.space, estimate::<ItemKey>(tx, table.space).await?);
    for index in &table.indexes {
        sizes.insert(index.space, estimate::<IndexKey>(tx, index.space).await?);
    }
    Ok(sizes)
}

/// Counts the first rows; if there are more, the part of all hashes that they cover tells how many more.
async fn estimate<K: Key<Value = ItemRow> + Hashed>(tx: &mut Tx, space: u64) -> Result<Estimate> {
    let (mut items, mut bytes) = (0_usize, 0_usize);
    let mut last: Option<K> = None;
    loop {
        let rows = match &last {
            None => tx.scan::<K>(Parts::of(&space), ROWS_AT_ONCE).await?,
            Some(last) => tx.scan_after(Parts::of(&space), last, ROWS_AT_ONCE, Direction::Forward).await?,
        };
        let ended = rows.len() < ROWS_AT_ONCE;
        items += rows.len();
        bytes += rows.iter().map(|(_, row)| row.size as usize).sum::<usize>();
        last = rows.into_iter().next_back().map(|(key, _)| key).or(last);
        if ended {
            return Ok(Estimate { items: items as i64, bytes: bytes as i64 });
        }
        if items >= SAMPLE_ROWS || bytes >= SAMPLE_BYTES {
            break;
        }
    }
    let covered = last.map_or(1.0, |key| (key.hash() as f64 + 1.0) / 2_f64.powi(64));
    let whole = |sampled: usize| (sampled as f64 / covered) as i64;
    Ok(Estimate { items: whole(items), bytes: whole(bytes) })
}

/// A row's hash, in whose order the rows stand.
trait Hashed {
    fn hash(&self) -> u64;
}

impl Hashed for ItemKey {
    fn hash(&self) -> u64 {
        self.hash
    }
}

impl Hashed for IndexKey {
    fn hash(&self) -> u64 {
        self.hash
    }
}
