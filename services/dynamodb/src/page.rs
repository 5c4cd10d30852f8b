//! Pages of a query or scan: which rows, in which order, how many at once, and where the next page begins.

use base::Fault;
use kernel::{Direction, Key, Parts, Result, Tx};
use store::KeyWriter;

use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::{Comparator, Condition, KeyCondition, Projection, RangeCondition};
use crate::keys::{Address, IndexKey, ItemKey, ItemRow};
use crate::table::{Index, Table, ordered};
use crate::value::Item;

/// A page ends behind the item with which it has read so much.
const PAGE_BYTES_MAX: usize = 1_048_576;
/// Rows of the first read of a page without a limit.
const FIRST_ROWS: usize = 32;
/// Rows of any one read.
const ROWS_MAX: usize = 512;

/// The rows to read: bytes of keys behind the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first.
    from: Vec<u8>,
    /// Behind the last; `None` for the end of the space.
    until: Option<Vec<u8>>,
}

/// Bytes of a key as they are.
struct Raw<'a>(&'a [u8]);

impl store::KeyPart for Raw<'_> {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_raw(self.0);
    }
}

/// The least bytes that are greater than all that begin with `prefix`.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut bytes = prefix[..=last].to_vec();
    bytes[last] += 1;
    Some(bytes)
}

impl Range {
    /// All rows that begin so.
    fn beginning(prefix: &[u8]) -> Range {
        Range { from: prefix.to_vec(), until: behind(prefix) }
    }

    /// The rows that a key condition names.
    pub(crate) fn of_condition(condition: &KeyCondition<'_>) -> Range {
        let address = Address { partition: ordered(condition.hash), sort: Vec::new() };
        let partition = address.partition_tail();
        let whole = Range::beginning(&partition.clone().finish());
        let sorted = |value| partition.clone().with(&ordered(value)).finish();
        match &condition.range {
            None => whole,
            Some(RangeCondition::Compare(comparator, value)) => {
                let at = sorted(value);
                match comparator {
                    Comparator::Less => Range { until: Some(at.to_vec()), ..whole },
                    Comparator::LessOrEqual => Range { until: behind(&at), ..whole },
                    Comparator::Greater => Range { from: behind(&at).unwrap_or_default(), ..whole },
                    Comparator::GreaterOrEqual => Range { from: at.to_vec(), ..whole },
                    Comparator::Equal | Comparator::NotEqual => Range::beginning(&at),
                }
            }
            Some(RangeCondition::Between(low, high)) => {
                Range { from: sorted(low).to_vec(), until: behind(&sorted(high)) }
            }
            Some(RangeCondition::BeginsWith(prefix)) => {
                let ended = sorted(prefix);
                // Without the two bytes that end a part, the key begins all that begin so.
                Range::beginning(&ended[..ended.len() - 2])
            }
        }
    }

    /// One of `total` parts of a table or index, by the partitions' hashes.
    pub(crate) fn of_segment(segment: u32, total: u32) -> Range {
        let bound = |n: u32| ((u128::from(n) << 64) / u128::from(total.max(1))) as u64;
        let until = (segment + 1 < total).then(|| bound(segment + 1).to_be_bytes().to_vec());
        Range { from: bound(segment).to_be_bytes().to_vec(), until }
    }

    /// The same from behind `key` on, in reading order; `None` if `key` is not in it.
    fn after(&self, key: &[u8], direction: Direction) -> Option<Range> {
        let inside = key >= self.from.as_slice() && self.until.as_deref().is_none_or(|until| key < until);
        inside.then(|| match direction {
            Direction::Forward => Range { from: [key, &[0]].concat(), until: self.until.clone() },
            Direction::Backward => Range { from: self.from.clone(), until: Some(key.to_vec()) },
        })
    }
}

/// A query or scan, ready to be read.
pub(crate) struct Reading<'a> {
    pub(crate) table: &'a Table,
    pub(crate) index: Option<&'a Index>,
    pub(crate) range: Range,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<usize>,
    pub(crate) filter: Option<&'a Condition<'a>>,
    pub(crate) projection: Option<&'a Projection<'a>>,
    /// Whether the items themselves are wanted, or only their count.
    pub(crate) items: bool,
    /// Whether entries of a local index stand for whole items, which are fetched from the table.
    pub(crate) fetch: bool,
    pub(crate) rate: Rate,
}

/// What a page holds.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) items: Vec<ItemForm>,
    pub(crate) count: i32,
    pub(crate) scanned: i32,
    pub(crate) last: Option<Item>,
    pub(crate) meter: Meter,
}

impl<'a> Reading<'a> {
    /// Begins behind an item that an earlier page ended with.
    pub(crate) fn start_after(mut self, key: &Item) -> std::result::Result<Reading<'a>, Fault> {
        let invalid = || {
            Fault::validation(
                "The provided starting key is invalid: The provided key element does not match the schema",
            )
        };
        if self.table.key_of(key, self.index).len() != key.len() {
            return Err(invalid());
        }
        let item = self.table.key_of(key, None);
        let address = self.table.address_of_key(&item).map_err(|_| invalid())?;
        let tail = match self.index {
            None => address.tail().finish(),
            Some(index) => {
                self.table.check_index_keys(key).map_err(|_| invalid())?;
                let at = self.table.address_in_index(index, key).ok_or_else(invalid)?;
                at.tail().with(&address.partition).with(&address.sort).finish()
            }
        };
        let range = self.range.after(&tail, self.direction);
        self.range = range.ok_or_else(|| {
            Fault::validation(
                "The provided starting key is outside query boundaries based on provided conditions",
            )
        })?;
        Ok(self)
    }

    /// Reads the page.
    pub(crate) async fn read(self, tx: &mut Tx) -> Result<Page> {
        match self.index {
            None => self.read_rows::<ItemKey>(tx, self.table.space).await,
            Some(index) => self.read_rows::<IndexKey>(tx, index.space).await,
        }
    }

    async fn read_rows<K: Key<Value = ItemRow> + Place>(&self, tx: &mut Tx, space: u64) -> Result<Page> {
        let mut page = Page::default();
        let mut range = self.range.clone();
        let mut bytes = 0;
        'page: loop {
            let wanted = self.rows_of_next_read(&page, bytes);
            let parts = |tail: &[u8]| Parts::of(&space).and(&Raw(tail));
            let rows = tx
                .scan_between::<K>(
                    Parts::of(&space),
                    Some(parts(&range.from)),
                    range.until.as_deref().map(parts),
                    wanted,
                    self.direction,
                )
                .await?;
            let ended = rows.len() < wanted;
            match rows.last().and_then(|(key, _)| range.after(&key.tail(), self.direction)) {
                Some(rest) => range = rest,
                None => break,
            }
            for (key, row) in rows {
                bytes += row.size as usize;
                page.scanned += 1;
                let full =
                    self.limit.is_some_and(|limit| page.scanned as usize >= limit) || bytes >= PAGE_BYTES_MAX;
                if full {
                    page.last = Some(self.table.key_of(&row.item.decode()?, self.index));
                }
                self.take(tx, &mut page, &key, row).await?;
                if full {
                    break 'page;
                }
            }
            if ended {
                break;
            }
        }
        let units = self.rate.units(bytes);
        match self.index {
            Some(index) => page.meter.add_index(index, units),
            None => page.meter.add(units),
        }
        Ok(page)
    }

    /// As many rows as the page can still take, judged by those that it has.
    fn rows_of_next_read(&self, page: &Page, bytes: usize) -> usize {
        let scanned = page.scanned as usize;
        let guess = match bytes.checked_div(scanned) {
            None => FIRST_ROWS,
            Some(mean) => (PAGE_BYTES_MAX - bytes) / mean.max(1) + 1,
        };
        let left = self.limit.map_or(usize::MAX, |limit| limit - scanned);
        // A limit is a promise of the caller that so many are wanted, so the first read may take them all.
        let guess =
            if scanned == 0 && self.limit.is_some() { ROWS_MAX.min(left.max(FIRST_ROWS)) } else { guess };
        guess.clamp(1, ROWS_MAX).min(left)
    }

    /// Filters a row and adds what is wanted of it.
    async fn take<K: Place>(&self, tx: &mut Tx, page: &mut Page, key: &K, row: ItemRow) -> Result<()> {
        let mut stored = row.item;
        if self.fetch {
            let whole = tx.peek(&key.item().item_key(self.table.space)).await?;
            page.meter.add(self.rate.units(whole.as_ref().map_or(0, |whole| whole.size as usize)));
            match whole {
                Some(whole) => stored = whole.item,
                None => return Ok(()),
            }
        }
        if self.filter.is_none() && (self.projection.is_none() || !self.items) {
            page.count += 1;
            if self.items {
                page.items.push(ItemForm::Stored(stored));
            }
            return Ok(());
        }
        let item = stored.decode()?;
        if self.filter.is_some_and(|filter| !filter.holds(&item)) {
            return Ok(());
        }
        page.count += 1;
        if self.items {
            page.items.push(match self.projection {
                Some(projection) => ItemForm::Parsed(projection.apply(&item)),
                None => ItemForm::Stored(stored),
            });
        }
        Ok(())
    }
}

/// A row's place behind its space, and its item's.
pub(crate) trait Place: Send + Sync {
    /// The bytes of its key behind the space.
    fn tail(&self) -> Vec<u8>;
    /// Where its item stands.
    fn item(&self) -> Address;
}

impl Place for ItemKey {
    fn tail(&self) -> Vec<u8> {
        KeyWriter::new().with(&self.hash).with(&self.partition).with(&self.sort).finish().to_vec()
    }

    fn item(&self) -> Address {
        Address { partition: self.partition.clone(), sort: self.sort.clone() }
    }
}

impl Place for IndexKey {
    fn tail(&self) -> Vec<u8> {
        let own = KeyWriter::new().with(&self.hash).with(&self.partition).with(&self.sort);
        own.with(&self.item_partition).with(&self.item_sort).finish().to_vec()
    }

    fn item(&self) -> Address {
        Address { partition: self.item_partition.clone(), sort: self.item_sort.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::AttributeValue;

    #[test]
    fn behind_a_prefix() {
        let cases: [(&[u8], Option<&[u8]>); 4] =
            [(b"ab", Some(b"ac")), (b"a\xff", Some(b"b")), (b"\xff\xff", None), (b"", None)];
        for (prefix, expected) in cases {
            assert_eq!(behind(prefix).as_deref(), expected);
        }
    }

    #[test]
    fn segments_cover_everything_once() {
        for total in [1, 2, 3, 7, 1_000_000] {
            let first = Range::of_segment(0, total);
            assert_eq!(first.from, [0; 8]);
            assert_eq!(Range::of_segment(total - 1, total).until, None);
            for segment in 1..total.min(8) {
                let before = Range::of_segment(segment - 1, total).until;
                assert_eq!(before.as_ref(), Some(&Range::of_segment(segment, total).from));
            }
        }
    }

    fn strings() -> impl Strategy<Value = AttributeValue> {
        prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'ÿ', '\u{10ffff}']), 0..4)
            .prop_map(|chars| AttributeValue::S(chars.into_iter().collect()))
    }

    proptest! {
        /// The ranges of bytes hold exactly the sort keys that the conditions name.
        #[test]
        fn ranges_are_what_conditions_say(sort in strings(), low in strings(), high in strings(), which in 0..7) {
            use Comparator::*;
            let hash = AttributeValue::S("p".into());
            let comparators = [Less, LessOrEqual, Greater, GreaterOrEqual, Equal];
            let range = match which {
                5 => RangeCondition::Between(&low, &high),
                6 => RangeCondition::BeginsWith(&low),
                n => RangeCondition::Compare(comparators[n as usize], &low),
            };
            let (AttributeValue::S(s), AttributeValue::S(l), AttributeValue::S(h)) = (&sort, &low, &high) else {
                unreachable!()
            };
            let wanted = match which {
                0 => s < l,
                1 => s <= l,
                2 => s > l,
                3 => s >= l,
                4 => s == l,
                5 => l <= s && s <= h,
                _ => s.starts_with(l.as_str()),
            };
            let rows = Range::of_condition(&KeyCondition { hash: &hash, range: Some(range) });
            let key = Address { partition: ordered(&hash), sort: ordered(&sort) }.tail().finish();
            let found = *key >= *rows.from && rows.until.as_deref().is_none_or(|until| *key < *until);
            prop_assert_eq!(found, wanted);
        }
    }
}
