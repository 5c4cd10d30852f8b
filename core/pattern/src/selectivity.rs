//! Which leaf of a combination to look for in events: the one that the fewest events satisfy, as far as the rules tell.

use std::collections::HashMap;

use crate::alternative::Alternative;
use crate::leaf::Leaf;
use crate::range::Range;

/// For alternatives that nearly every value satisfies.
const BROAD: u64 = 100_000;
/// For fields that need not be there, which no value can lead to.
const ABSENT: u64 = 100 * BROAD;

/// How often combinations ask for the same thing.
#[derive(Default)]
pub(crate) struct Usage<'l> {
    leaves: HashMap<u32, u64>,
    strings: HashMap<(&'l str, &'l str), u64>,
}

impl<'l> Usage<'l> {
    /// Counts a leaf of a combination.
    pub(crate) fn count(&mut self, number: u32, leaf: &'l Leaf) {
        *self.leaves.entry(number).or_default() += 1;
        for string in &leaf.strings {
            *self.strings.entry((&leaf.path, string)).or_default() += 1;
        }
    }

    /// A measure for how many combinations an event will lead to through this leaf; less is better.
    pub(crate) fn cost(&self, number: u32, leaf: &Leaf) -> u64 {
        let strings = leaf.strings.iter().map(|string| self.strings.get(&(&*leaf.path, &**string)));
        let strings: u64 = strings.flatten().sum();
        let others: u64 = leaf.others.iter().map(breadth).sum();
        let shared = self.leaves.get(&number).copied().unwrap_or(1);
        strings.saturating_add(others.saturating_mul(shared))
    }
}

/// Whether a value cannot be looked up to find the alternative.
pub(crate) fn is_broad(alternative: &Alternative) -> bool {
    breadth(alternative) >= BROAD
}

fn breadth(alternative: &Alternative) -> u64 {
    let text = |length: usize| 3 + 40 / (1 + length as u64);
    match alternative {
        Alternative::Address(..) | Alternative::Number(..) => 1,
        Alternative::Null => 20,
        Alternative::True | Alternative::False => 50,
        Alternative::EqualsFold(_) => 2,
        Alternative::Prefix(affix) | Alternative::Suffix(affix) => text(affix.len()),
        Alternative::PrefixFold(fold) | Alternative::SuffixFold(fold) => text(fold.text().len()),
        Alternative::Wildcard(wildcard) => {
            text(wildcard.runs().iter().map(|run| run.len()).max().unwrap_or(0))
        }
        Alternative::Numeric(range) if range.is_point() => 1,
        Alternative::Numeric(Range { low, high, .. }) if low.is_finite() && high.is_finite() => 6,
        Alternative::Numeric(_) => 12,
        Alternative::Cidr(_) => 6,
        Alternative::Exists | Alternative::Not(_) => BROAD,
        Alternative::Absent => ABSENT,
    }
}
