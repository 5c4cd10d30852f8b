//! What one match needs besides the rules, kept by each thread so that matching does not allocate.

use std::cell::RefCell;

use crate::scan::Fields;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// No field.
pub(crate) const NONE: u32 = u32::MAX;

/// Nothing here has to be wiped between events: entries carry the number of the match that wrote them.
#[derive(Default)]
pub(crate) struct Scratch {
    generation: u32,
    pub(crate) fields: Fields,
    /// By field: the next one with the same path.
    pub(crate) next: Vec<u32>,
    paths: Vec<PathSlot>,
    leaves: Vec<u32>,
    rules: Vec<u32>,
    /// Leaves that a value satisfied, in the order of finding.
    pub(crate) hits: Vec<u32>,
    /// Rules that matched.
    pub(crate) matched: Vec<u32>,
    pub(crate) key: String,
}

/// The fields of one path.
#[derive(Clone, Copy)]
pub(crate) struct PathSlot {
    generation: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Whether any of them lies in an array's element.
    pub(crate) in_arrays: bool,
}

const NO_FIELDS: PathSlot = PathSlot { generation: 0, first: NONE, last: NONE, in_arrays: false };

impl Scratch {
    /// Lends this thread's scratch to `work`, ready for rules with so many paths, leaves and rules.
    pub(crate) fn with<R>(paths: usize, leaves: usize, rules: usize, work: impl FnOnce(&mut Self) -> R) -> R {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.begin(paths, leaves, rules);
            work(scratch)
        })
    }

    fn begin(&mut self, paths: usize, leaves: usize, rules: usize) {
        // One bit of a leaf's entry is its answer.
        if self.generation >= u32::MAX >> 1 {
            *self = Self::default();
        }
        self.generation += 1;
        if self.paths.len() < paths {
            self.paths.resize(paths, NO_FIELDS);
        }
        if self.leaves.len() < leaves {
            self.leaves.resize(leaves, 0);
        }
        if self.rules.len() < rules {
            self.rules.resize(rules, 0);
        }
        self.hits.clear();
        self.matched.clear();
    }

    /// The slot of a path in this match.
    #[inline]
    pub(crate) fn path(&self, path: u32) -> PathSlot {
        let slot = self.paths[path as usize];
        if slot.generation == self.generation { slot } else { NO_FIELDS }
    }

    /// Adds a scanned field to its path.
    #[inline]
    pub(crate) fn link(&mut self, field: u32, path: u32, in_array: bool) {
        let mut slot = self.path(path);
        if slot.first == NONE {
            slot.first = field;
        } else {
            self.next[slot.last as usize] = field;
        }
        slot.last = field;
        slot.in_arrays |= in_array;
        slot.generation = self.generation;
        self.paths[path as usize] = slot;
    }

    /// What is known of a leaf in this match.
    #[inline]
    pub(crate) fn leaf(&self, leaf: u32) -> Option<bool> {
        let entry = self.leaves[leaf as usize];
        (entry >> 1 == self.generation).then_some(entry & 1 == 1)
    }

    #[inline]
    pub(crate) fn set_leaf(&mut self, leaf: u32, satisfied: bool) {
        self.leaves[leaf as usize] = self.generation << 1 | u32::from(satisfied);
    }

    /// Notes that a rule matched.
    #[inline]
    pub(crate) fn match_rule(&mut self, rule: u32) {
        self.rules[rule as usize] = self.generation;
        self.matched.push(rule);
    }

    #[inline]
    pub(crate) fn is_matched(&self, rule: u32) -> bool {
        self.rules[rule as usize] == self.generation
    }
}
