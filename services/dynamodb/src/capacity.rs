//! Consumed capacity. Pure: sizes in, units out. Nothing is ever throttled.
//!
//! Source: "DynamoDB read and write operations" of the developer guide: a write unit per KB, a read unit per 4 KB, half of
//! it for eventually consistent reads, twice as much in transactions.

use std::collections::BTreeMap;

use crate::api::{Capacity, ConsumedCapacity, ReturnConsumedCapacity};
use crate::table::Index;

/// Whether a request reads or writes, and how dear that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Eventually consistent reads.
    Read,
    /// Consistent reads.
    ConsistentRead,
    /// Reads in a transaction.
    TransactionalRead,
    /// Writes.
    Write,
    /// Writes in a transaction.
    TransactionalWrite,
}

impl Rate {
    /// Units for `bytes`; at least one portion.
    pub(crate) fn units(self, bytes: usize) -> f64 {
        let portions = |size: usize| bytes.div_ceil(size).max(1) as f64;
        match self {
            Rate::Read => portions(4096) / 2.0,
            Rate::ConsistentRead => portions(4096),
            Rate::TransactionalRead => portions(4096) * 2.0,
            Rate::Write => portions(1024),
            Rate::TransactionalWrite => portions(1024) * 2.0,
        }
    }

    fn writes(self) -> bool {
        matches!(self, Rate::Write | Rate::TransactionalWrite)
    }

    fn transactional(self) -> bool {
        matches!(self, Rate::TransactionalRead | Rate::TransactionalWrite)
    }

    pub(crate) fn reading(consistent: Option<bool>) -> Rate {
        if consistent == Some(true) { Rate::ConsistentRead } else { Rate::Read }
    }
}

/// What a request has consumed of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    table: f64,
    local: BTreeMap<String, f64>,
    global: BTreeMap<String, f64>,
}

impl Meter {
    /// Counts units of the table itself.
    pub(crate) fn add(&mut self, units: f64) {
        self.table += units;
    }

    /// Counts units of an index.
    pub(crate) fn add_index(&mut self, index: &Index, units: f64) {
        let side = if index.local { &mut self.local } else { &mut self.global };
        *side.entry(index.name.clone()).or_default() += units;
    }

    /// Counts what another part of the request has consumed.
    pub(crate) fn merge(&mut self, other: Meter) {
        self.table += other.table;
        for (mine, theirs) in [(&mut self.local, other.local), (&mut self.global, other.global)] {
            for (name, units) in theirs {
                *mine.entry(name).or_default() += units;
            }
        }
    }

    /// The report that was asked for.
    pub(crate) fn report(
        &self,
        wanted: Option<ReturnConsumedCapacity>,
        table_name: &str,
        rate: Rate,
    ) -> Option<ConsumedCapacity> {
        let wanted = wanted.filter(|wanted| *wanted != ReturnConsumedCapacity::None)?;
        let total = self.table + self.local.values().sum::<f64>() + self.global.values().sum::<f64>();
        let split = |units: f64| {
            let (reads, writes) = if rate.writes() { (None, Some(units)) } else { (Some(units), None) };
            Capacity {
                capacity_units: Some(units),
                read_capacity_units: reads.filter(|_| rate.transactional()),
                write_capacity_units: writes.filter(|_| rate.transactional()),
            }
        };
        let whole = split(total);
        let mut report = ConsumedCapacity {
            table_name: Some(table_name.to_owned()),
            capacity_units: whole.capacity_units,
            read_capacity_units: whole.read_capacity_units,
            write_capacity_units: whole.write_capacity_units,
            ..ConsumedCapacity::default()
        };
        if wanted == ReturnConsumedCapacity::Indexes {
            let side = |units: &BTreeMap<String, f64>| {
                let all: BTreeMap<_, _> =
                    units.iter().map(|(name, units)| (name.clone(), split(*units))).collect();
                (!all.is_empty()).then_some(all)
            };
            report.table = Some(split(self.table));
            report.local_secondary_indexes = side(&self.local);
            report.global_secondary_indexes = side(&self.global);
        }
        Some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_guide() {
        let cases = [
            (Rate::Write, 0, 1.0),
            (Rate::Write, 1024, 1.0),
            (Rate::Write, 1025, 2.0),
            (Rate::TransactionalWrite, 1025, 4.0),
            (Rate::Read, 0, 0.5),
            (Rate::Read, 4097, 1.0),
            (Rate::ConsistentRead, 4096, 1.0),
            (Rate::TransactionalRead, 4096, 2.0),
        ];
        for (rate, bytes, units) in cases {
            assert_eq!(rate.units(bytes), units, "{rate:?} of {bytes}");
        }
    }
}
