//! Many rules at once.
//!
//! Each combination of each rule is found through one of its leaves, the most selective one; the values of an event
//! lead through an index to the leaves that they satisfy, and from there to the few combinations whose other leaves
//! are then asked. Equal leaves of different rules are one leaf and are asked once per event.

use std::collections::HashMap;
use std::sync::Arc;

use crate::consistency::{Key, consistent};
use crate::elements::ROOT;
use crate::error::InvalidEvent;
use crate::event::Event;
use crate::index::{IndexBuilder, ValueIndex};
use crate::leaf::Leaf;
use crate::pattern::Pattern;
use crate::prefixes::Hit;
use crate::scan::{scan, text_of};
use crate::scratch::{NONE, Scratch};
use crate::selectivity::Usage;
use crate::trie::Trie;

/// Rules compiled together. Immutable: when a rule comes or goes, build a new one from the shared patterns, which
/// costs about a microsecond per rule and does not parse anything again.
///
/// It can be shared between threads. Matching keeps its working memory per thread.
pub struct RuleSet<T> {
    ids: Vec<T>,
    /// The wanted paths.
    trie: Trie,
    /// By path.
    indexes: Vec<ValueIndex>,
    leaves: Vec<Shared>,
    combinations: Vec<Combination>,
    /// Combinations that no value leads to.
    always: Vec<u32>,
}

/// A leaf of one or more combinations.
struct Shared {
    leaf: Arc<Leaf>,
    path: u32,
    /// The combinations that are found through it.
    leads_to: Vec<u32>,
}

struct Combination {
    rule: u32,
    leaves: Box<[u32]>,
}

impl<T: Clone> RuleSet<T> {
    /// Compiles rules, each given as what to report and its pattern.
    pub fn new(rules: impl IntoIterator<Item = (T, Arc<Pattern>)>) -> Self {
        let (ids, patterns): (Vec<T>, Vec<Arc<Pattern>>) = rules.into_iter().unzip();
        let mut set = Self {
            ids,
            trie: Trie::default(),
            indexes: Vec::new(),
            leaves: Vec::new(),
            combinations: Vec::new(),
            always: Vec::new(),
        };
        let mut builders = set.collect(&patterns);
        set.choose_leads(&mut builders);
        set.indexes = builders.into_iter().map(IndexBuilder::build).collect();
        set
    }

    /// Gathers paths, leaves and combinations; equal leaves become one.
    fn collect(&mut self, patterns: &[Arc<Pattern>]) -> Vec<IndexBuilder> {
        let mut builders = Vec::new();
        let mut known: HashMap<(&str, &str), u32> = HashMap::new();
        for (rule, pattern) in (0u32..).zip(patterns) {
            for combination in pattern.combinations() {
                let mut leaves = Vec::with_capacity(combination.len());
                for leaf in pattern.leaves_of(combination) {
                    let number = *known.entry((&leaf.path, &leaf.text)).or_insert_with(|| {
                        let node = self.trie.insert(&leaf.path);
                        let path = self.trie.path(node).unwrap_or_else(|| {
                            let path = index_of(&builders);
                            self.trie.set_path(node, path);
                            builders.push(IndexBuilder::default());
                            path
                        });
                        self.leaves.push(Shared { leaf: Arc::clone(leaf), path, leads_to: Vec::new() });
                        index_of(&self.leaves) - 1
                    });
                    leaves.push(number);
                }
                self.combinations.push(Combination { rule, leaves: leaves.into() });
            }
        }
        builders
    }

    /// Decides for each combination through which leaf it is found.
    fn choose_leads(&mut self, builders: &mut [IndexBuilder]) {
        let mut usage = Usage::default();
        for &leaf in self.combinations.iter().flat_map(|combination| &combination.leaves) {
            usage.count(leaf, &self.leaves[leaf as usize].leaf);
        }
        let costs: Vec<u64> =
            (0u32..).zip(&self.leaves).map(|(number, shared)| usage.cost(number, &shared.leaf)).collect();
        for (number, combination) in (0u32..).zip(&self.combinations) {
            let best = combination.leaves.iter().copied().min_by_key(|leaf| costs[*leaf as usize]);
            match best.and_then(|leaf| self.leaves.get_mut(leaf as usize)) {
                Some(shared) if !shared.leaf.absent_allowed => shared.leads_to.push(number),
                _ => self.always.push(number),
            }
        }
        for (number, shared) in (0u32..).zip(&self.leaves) {
            if !shared.leads_to.is_empty() {
                builders[shared.path as usize].add(number, &shared.leaf);
            }
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Appends to `out` what is to be reported for each rule that matches the event, in the order in which the rules
    /// were given. Only the fields that some rule mentions are taken from the text; the rest is checked and passed over.
    ///
    /// # Errors
    ///
    /// [`InvalidEvent`] as from [`Event::parse`]; `out` is then unchanged.
    pub fn matches_json(&self, event: impl AsRef<[u8]>, out: &mut Vec<T>) -> Result<(), InvalidEvent> {
        self.matches_text(text_of(event.as_ref())?, out)
    }

    /// As [`RuleSet::matches_json`], for an event that is parsed already.
    pub fn matches(&self, event: &Event<'_>, out: &mut Vec<T>) {
        // The text is known to be good, and passing over what no rule wants is quicker than sorting it out.
        let scanned = self.matches_text(event.text(), out);
        debug_assert!(scanned.is_ok(), "a parsed event can be scanned");
    }

    fn matches_text(&self, text: &str, out: &mut Vec<T>) -> Result<(), InvalidEvent> {
        Scratch::with(self.indexes.len(), self.leaves.len(), self.ids.len(), |scratch| {
            scan(text, &self.trie, &mut scratch.fields)?;
            self.find_hits(text, scratch);
            for at in 0..scratch.hits.len() {
                let leaf = &self.leaves[scratch.hits[at] as usize];
                leaf.leads_to.iter().for_each(|&combination| self.check(text, combination, scratch));
            }
            self.always.iter().for_each(|&combination| self.check(text, combination, scratch));
            scratch.matched.sort_unstable();
            out.extend(scratch.matched.iter().map(|&rule| self.ids[rule as usize].clone()));
            Ok(())
        })
    }

    /// Groups the fields by path and collects the leaves that they satisfy.
    fn find_hits(&self, text: &str, scratch: &mut Scratch) {
        scratch.next.clear();
        scratch.next.resize(scratch.fields.list.len(), NONE);
        let mut hits = std::mem::take(&mut scratch.hits);
        let mut key = std::mem::take(&mut scratch.key);
        for number in 0..scratch.fields.list.len() {
            let field = scratch.fields.list[number];
            scratch.link(number as u32, field.path, field.element != ROOT);
            let index = &self.indexes[field.path as usize];
            let found = hits.len();
            index.find(scratch.fields.value(text, &field), &mut key, |hit| {
                if scratch.leaf(hit.leaf).is_none()
                    && (hit.sure || self.satisfies(text, hit, &field, scratch))
                {
                    hits.push(hit.leaf);
                }
            });
            for &leaf in &index.direct {
                let hit = Hit { leaf, sure: false };
                if scratch.leaf(leaf).is_none() && self.satisfies(text, hit, &field, scratch) {
                    hits.push(leaf);
                }
            }
            // A leaf can be hit twice by one value, or by several.
            let mut kept = found;
            for at in found..hits.len() {
                let leaf = hits[at];
                if scratch.leaf(leaf).is_none() {
                    scratch.set_leaf(leaf, true);
                    hits[kept] = leaf;
                    kept += 1;
                }
            }
            hits.truncate(kept);
        }
        scratch.hits = hits;
        scratch.key = key;
    }

    fn satisfies(&self, text: &str, hit: Hit, field: &crate::scan::Field, scratch: &Scratch) -> bool {
        self.leaves[hit.leaf as usize].leaf.matches(scratch.fields.value(text, field))
    }

    /// Notes the combination's rule if the combination matches.
    fn check(&self, text: &str, combination: u32, scratch: &mut Scratch) {
        let combination = &self.combinations[combination as usize];
        if scratch.is_matched(combination.rule) {
            return;
        }
        let mut arrays = 0;
        let mut unsure = false;
        for &leaf in &combination.leaves {
            let shared = &self.leaves[leaf as usize];
            if !self.leaf_may_match(text, leaf, shared, scratch) {
                return;
            }
            let in_arrays = scratch.path(shared.path).in_arrays;
            arrays += usize::from(in_arrays);
            unsure |= in_arrays && shared.leaf.absent_allowed;
        }
        if (arrays < 2 && !unsure) || self.is_consistent(text, combination, scratch) {
            scratch.match_rule(combination.rule);
        }
    }

    /// Whether the leaf is satisfied by itself, or may be where its field is absent from some elements of an array.
    #[inline]
    fn leaf_may_match(&self, text: &str, leaf: u32, shared: &Shared, scratch: &mut Scratch) -> bool {
        if let Some(known) = scratch.leaf(leaf) {
            return known;
        }
        let slot = scratch.path(shared.path);
        let mut satisfied = shared.leaf.absent_allowed && (slot.first == NONE || slot.in_arrays);
        let mut at = slot.first;
        while !satisfied && at != NONE {
            let field = &scratch.fields.list[at as usize];
            satisfied = shared.leaf.matches(scratch.fields.value(text, field));
            at = scratch.next[at as usize];
        }
        scratch.set_leaf(leaf, satisfied);
        satisfied
    }

    fn is_consistent(&self, text: &str, combination: &Combination, scratch: &Scratch) -> bool {
        let key = |leaf: &u32| {
            let shared = &self.leaves[*leaf as usize];
            let mut key = Key { absent_allowed: shared.leaf.absent_allowed, ..Key::default() };
            let mut at = scratch.path(shared.path).first;
            while at != NONE {
                let field = &scratch.fields.list[at as usize];
                key.found.push(field.element);
                if shared.leaf.matches(scratch.fields.value(text, field)) {
                    key.satisfied.push(field.element);
                }
                at = scratch.next[at as usize];
            }
            key.settle();
            key
        };
        let keys: Vec<Key> = combination.leaves.iter().map(key).collect();
        consistent(&scratch.fields.elements, &keys)
    }
}

fn index_of<V>(list: &[V]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

impl<T: std::fmt::Debug> std::fmt::Debug for RuleSet<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("RuleSet").field(&self.ids).finish()
    }
}
