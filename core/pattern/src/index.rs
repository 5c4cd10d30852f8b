//! From a value of a field to the leaves that it satisfies, without asking each leaf.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::alternative::Alternative;
use crate::fold::fold_key;
use crate::hash::RuleMap;
use crate::intervals::{Interval, Intervals};
use crate::ip::{Address, CidrRange, lead};
use crate::leaf::Leaf;
use crate::number::exact_double;
use crate::prefixes::{Hit, Prefixes};
use crate::range::Range;
use crate::selectivity::is_broad;
use crate::value::Value;
use crate::wildcard::Wildcard;

type Texts = Vec<(Box<[u8]>, Hit)>;

/// Collects the leaves of one field.
#[derive(Default)]
pub(crate) struct IndexBuilder {
    index: ValueIndex,
    prefixes: Texts,
    suffixes: Texts,
    folded_prefixes: Texts,
    folded_suffixes: Texts,
    runs: Texts,
    ranges: Vec<Interval<f64>>,
    v4: Vec<Interval<u32>>,
    v6: Vec<Interval<u128>>,
    v6_leads: Vec<Interval<u32>>,
}

/// The leaves of one field that events are to lead to.
#[derive(Default)]
pub(crate) struct ValueIndex {
    strings: RuleMap<Box<str>, Vec<u32>>,
    folded: RuleMap<Box<str>, Vec<u32>>,
    numbers: RuleMap<u64, Vec<u32>>,
    number_texts: RuleMap<Box<str>, Vec<u32>>,
    literals: [Vec<u32>; 3],
    prefixes: Prefixes,
    suffixes: Prefixes,
    folded_prefixes: Prefixes,
    folded_suffixes: Prefixes,
    runs: Option<(AhoCorasick, Vec<Hit>)>,
    ranges: Option<Intervals<f64>>,
    addresses: Option<Addresses>,
    /// Leaves that any string satisfies.
    any_string: Vec<u32>,
    /// Leaves that are to be asked about every value.
    pub(crate) direct: Vec<u32>,
}

struct Addresses {
    v4: Intervals<u32>,
    v6: Intervals<u128>,
    /// The IPv6 ranges as far as they hold IPv4 addresses.
    v6_leads: Intervals<u32>,
}

impl IndexBuilder {
    pub(crate) fn add(&mut self, number: u32, leaf: &Leaf) {
        if leaf.others.iter().any(is_broad) {
            self.index.direct.push(number);
            return;
        }
        for string in &leaf.strings {
            self.index.strings.entry(string.clone()).or_default().push(number);
        }
        for alternative in &leaf.others {
            self.add_alternative(number, alternative);
        }
    }

    fn add_alternative(&mut self, leaf: u32, alternative: &Alternative) {
        let (sure, unsure) = (Hit { leaf, sure: true }, Hit { leaf, sure: false });
        match alternative {
            Alternative::Number(text, number) => {
                if let Some(number) = number {
                    self.index.numbers.entry(number.to_bits()).or_default().push(leaf);
                } else {
                    self.index.number_texts.entry(text.clone()).or_default().push(leaf);
                }
            }
            Alternative::True => self.index.literals[0].push(leaf),
            Alternative::False => self.index.literals[1].push(leaf),
            Alternative::Null => self.index.literals[2].push(leaf),
            Alternative::Prefix(text) if text.is_empty() => self.index.any_string.push(leaf),
            Alternative::Suffix(text) if text.is_empty() => self.index.any_string.push(leaf),
            Alternative::Prefix(text) => self.prefixes.push((text.as_bytes().into(), sure)),
            Alternative::Suffix(text) => self.suffixes.push((text.as_bytes().into(), sure)),
            Alternative::PrefixFold(fold) => self.folded_prefixes.push((folded(fold.text()), unsure)),
            Alternative::SuffixFold(fold) => self.folded_suffixes.push((folded(fold.text()), unsure)),
            Alternative::EqualsFold(fold) => {
                let mut key = String::new();
                fold_key(fold.text(), &mut key);
                self.index.folded.entry(key.into()).or_default().push(leaf);
            }
            Alternative::Wildcard(wildcard) => self.add_wildcard(leaf, wildcard),
            Alternative::Numeric(range) if range.is_point() => {
                self.index.numbers.entry(range.low.to_bits()).or_default().push(leaf);
            }
            Alternative::Numeric(Range { low, low_open, high, high_open }) => {
                let (low, low_open, high, high_open) = (*low, *low_open, *high, *high_open);
                self.ranges.push(Interval { low, low_open, high, high_open, leaf });
            }
            Alternative::Address(_, Address::V4(address)) => {
                // An IPv6 address never equals it, though it may begin like it.
                self.v4.push(Interval::closed(*address, *address, leaf));
            }
            Alternative::Address(_, Address::V6(address)) => {
                self.v6.push(Interval::closed(*address, *address, leaf));
            }
            Alternative::Cidr(cidr) => match cidr.range {
                CidrRange::V4(low, high) => self.v4.push(Interval::closed(low, high, leaf)),
                CidrRange::V6(low, high) => {
                    self.v6.push(Interval::closed(low, high, leaf));
                    let (low, high) = (lead(low), lead(high));
                    self.v6_leads.push(Interval { low, low_open: true, high, high_open: true, leaf });
                }
            },
            Alternative::Exists | Alternative::Absent | Alternative::Not(_) => self.index.direct.push(leaf),
        }
    }

    /// By the longest run of text that it holds.
    fn add_wildcard(&mut self, leaf: u32, wildcard: &Wildcard) {
        let unsure = Hit { leaf, sure: false };
        let runs = wildcard.runs();
        let longest = (0..runs.len()).max_by_key(|&at| runs[at].len()).unwrap_or(0);
        let run = &runs[longest];
        let stars = runs.len() - 1;
        if stars == 0 {
            // Bytes of a string with some ASCII characters taken out are still a string.
            let text = String::from_utf8_lossy(run).into_owned();
            self.index.strings.entry(text.into()).or_default().push(leaf);
        } else if run.is_empty() {
            self.index.any_string.push(leaf);
        } else if longest == 0 {
            self.prefixes.push((run.clone(), Hit { sure: stars == 1 && runs[1].is_empty(), ..unsure }));
        } else if longest == stars {
            self.suffixes.push((run.clone(), Hit { sure: stars == 1 && runs[0].is_empty(), ..unsure }));
        } else {
            self.runs.push((run.clone(), unsure));
        }
    }

    pub(crate) fn build(self) -> ValueIndex {
        let hits = self.runs.iter().map(|(_, hit)| *hit).collect();
        let searcher = (!self.runs.is_empty()).then(|| {
            AhoCorasick::builder().match_kind(MatchKind::Standard).build(self.runs.iter().map(|(run, _)| run))
        });
        let mut index = self.index;
        match searcher {
            Some(Ok(searcher)) => index.runs = Some((searcher, hits)),
            // Too much text for one automaton: ask each leaf.
            Some(Err(_)) => index.direct.extend(hits.iter().map(|hit| hit.leaf)),
            None => {}
        }
        let addresses = !self.v4.is_empty() || !self.v6.is_empty();
        ValueIndex {
            prefixes: Prefixes::starts(self.prefixes),
            suffixes: Prefixes::ends(self.suffixes),
            folded_prefixes: Prefixes::starts(self.folded_prefixes),
            folded_suffixes: Prefixes::ends(self.folded_suffixes),
            ranges: (!self.ranges.is_empty()).then(|| Intervals::new(self.ranges)),
            addresses: addresses.then(|| Addresses {
                v4: Intervals::new(self.v4),
                v6: Intervals::new(self.v6),
                v6_leads: Intervals::new(self.v6_leads),
            }),
            ..index
        }
    }
}

fn folded(text: &str) -> Box<[u8]> {
    let mut key = String::new();
    fold_key(text, &mut key);
    key.into_bytes().into()
}

impl ValueIndex {
    /// Calls `found` for each leaf that the value satisfies, or may satisfy; `direct` ones excepted.
    pub(crate) fn find(&self, value: Value<'_>, key: &mut String, mut found: impl FnMut(Hit)) {
        let mut each = |leaves: &[u32]| leaves.iter().for_each(|&leaf| found(Hit { leaf, sure: true }));
        match value {
            Value::Str(text) => self.find_string(text, key, found),
            Value::Number(text) => self.find_number(text, &mut each),
            Value::True => each(&self.literals[0]),
            Value::False => each(&self.literals[1]),
            Value::Null => each(&self.literals[2]),
        }
    }

    fn find_number(&self, text: &str, each: &mut impl FnMut(&[u32])) {
        if self.numbers.is_empty() && self.ranges.is_none() && self.number_texts.is_empty() {
            return;
        }
        let Some(number) = exact_double(text) else {
            if let Some(leaves) = self.number_texts.get(text) {
                each(leaves);
            }
            return;
        };
        if let Some(leaves) = self.numbers.get(&number.to_bits()) {
            each(leaves);
        }
        if let Some(ranges) = &self.ranges {
            ranges.find(number, &mut |leaf| each(&[leaf]));
        }
    }

    fn find_string(&self, text: &str, key: &mut String, mut found: impl FnMut(Hit)) {
        let sure = |leaf| Hit { leaf, sure: true };
        if !self.strings.is_empty()
            && let Some(leaves) = self.strings.get(text)
        {
            leaves.iter().copied().map(sure).for_each(&mut found);
        }
        self.any_string.iter().copied().map(sure).for_each(&mut found);
        self.prefixes.find(text.as_bytes(), &mut found);
        self.suffixes.find(text.as_bytes(), &mut found);
        if !self.folded.is_empty() || !self.folded_prefixes.is_empty() || !self.folded_suffixes.is_empty() {
            fold_key(text, key);
            let leaves = self.folded.get(key.as_str()).into_iter().flatten();
            leaves.map(|&leaf| Hit { leaf, sure: false }).for_each(&mut found);
            self.folded_prefixes.find(key.as_bytes(), &mut found);
            self.folded_suffixes.find(key.as_bytes(), &mut found);
        }
        if let Some((searcher, hits)) = &self.runs {
            for run in searcher.find_overlapping_iter(text) {
                found(hits[run.pattern().as_usize()]);
            }
        }
        if let Some(addresses) = &self.addresses
            && let Some(address) = Address::parse(text)
        {
            addresses.find(address, &mut |hit| found(hit));
        }
    }
}

impl Addresses {
    fn find(&self, address: Address, found: &mut impl FnMut(Hit)) {
        match address {
            Address::V4(address) => {
                self.v4.find(address, &mut |leaf| found(Hit { leaf, sure: true }));
                self.v6_leads.find(address, &mut |leaf| found(Hit { leaf, sure: true }));
            }
            Address::V6(address) => {
                self.v6.find(address, &mut |leaf| found(Hit { leaf, sure: true }));
                self.v4.find(lead(address), &mut |leaf| found(Hit { leaf, sure: false }));
            }
        }
    }
}
