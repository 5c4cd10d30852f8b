//! The engine that keeps everything in memory and nothing on disk.
//!
//! A row keeps the versions that some view may still see. Views register the version that they are at; what none can
//! see any more goes with a later write, so that nothing runs in the background.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::backend::{Backend, Batch, Change, View, WriteFault, scan_end};
use crate::engine::{Direction, KeyRange, Row, StoreError, Version};

/// An ordered map under a lock that writers hold for the length of a batch.
#[derive(Default)]
pub(crate) struct Memory {
    shared: Arc<Shared>,
    number: u64,
    last: Version,
    /// Rows with versions that go once every view is at least at the version beside them.
    superseded: VecDeque<(Version, Bytes)>,
}

#[derive(Default)]
struct Shared {
    rows: RwLock<BTreeMap<Bytes, History>>,
    /// How many views are at which version.
    views: Mutex<BTreeMap<Version, usize>>,
}

/// What a row was and is.
struct History {
    newest: State,
    /// Older states, the oldest first; nearly always empty.
    older: Vec<State>,
}

/// What one commit made of a row; `None` if it removed it.
struct State {
    version: Version,
    value: Option<Bytes>,
}

impl History {
    fn at(&self, version: Version) -> Option<Row> {
        let seen = |state: &&State| state.version <= version;
        let state = Some(&self.newest).filter(seen).or_else(|| self.older.iter().rev().find(seen))?;
        Some(Row { version: state.version, value: state.value.clone()? })
    }

    /// Forgets what no view at `oldest` or later sees; whether anything is left.
    fn forget(&mut self, oldest: Version) -> bool {
        if self.newest.version <= oldest {
            self.older = Vec::new();
            return self.newest.value.is_some();
        }
        let visible = self.older.iter().rposition(|state| state.version <= oldest);
        self.older.drain(..visible.unwrap_or(0));
        true
    }
}

impl Memory {
    fn put(&mut self, rows: &mut BTreeMap<Bytes, History>, change: &Change) {
        let state = State { version: change.version, value: change.value.clone() };
        match rows.get_mut(&change.key) {
            Some(history) => {
                history.older.push(std::mem::replace(&mut history.newest, state));
                self.superseded.push_back((change.version, change.key.clone()));
            }
            None if state.value.is_some() => {
                rows.insert(change.key.clone(), History { newest: state, older: Vec::new() });
            }
            None => {}
        }
    }

    fn forget(&mut self, rows: &mut BTreeMap<Bytes, History>) {
        let oldest = self.shared.views.lock().keys().next().copied().unwrap_or(self.last);
        while let Some((_, key)) = self.superseded.pop_front_if(|(version, _)| *version <= oldest) {
            if rows.get_mut(&key).is_some_and(|history| !history.forget(oldest)) {
                rows.remove(&key);
            }
        }
    }
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn newest(&self) -> (u64, Version) {
        (self.number, self.last)
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        *self.shared.views.lock().entry(self.last).or_default() += 1;
        Ok(Arc::new(MemoryView { shared: self.shared.clone(), version: self.last }))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), WriteFault> {
        let shared = self.shared.clone();
        let mut rows = shared.rows.write();
        self.forget(&mut rows);
        for change in &batch.rows {
            self.put(&mut rows, change);
        }
        self.number = batch.number;
        self.last = batch.last;
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.shared = Arc::default();
        Ok(())
    }
}

struct MemoryView {
    shared: Arc<Shared>,
    version: Version,
}

impl View for MemoryView {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        Ok(self.shared.rows.read().get(key).and_then(|history| history.at(self.version)))
    }

    fn scan(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Bytes, Row)>, StoreError> {
        let end = scan_end(range);
        if *range.start >= *end {
            return Ok(Vec::new());
        }
        let rows = self.shared.rows.read();
        let seen = rows.range::<[u8], _>((Bound::Included(&*range.start), Bound::Excluded(end)));
        let seen = seen.filter_map(|(key, history)| Some((key.clone(), history.at(self.version)?)));
        Ok(match direction {
            Direction::Forward => seen.take(limit).collect(),
            Direction::Backward => seen.rev().take(limit).collect(),
        })
    }
}

impl Drop for MemoryView {
    fn drop(&mut self) {
        let mut views = self.shared.views.lock();
        if let Some(count) = views.get_mut(&self.version) {
            *count -= 1;
            if *count == 0 {
                views.remove(&self.version);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(Vec<(u8, bool)>),
        Open,
        Drop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            prop::collection::vec((0u8..8, any::<bool>()), 1..5).prop_map(Step::Write),
            Just(Step::Open),
            (0usize..4).prop_map(Step::Drop),
        ]
    }

    type Model = BTreeMap<Bytes, Row>;

    fn all(view: &Arc<dyn View>) -> Model {
        let range = KeyRange { start: Bytes::new(), end: Bytes::new() };
        view.scan(&range, 99, Direction::Forward).unwrap().into_iter().collect()
    }

    proptest! {
        #[test]
        fn every_view_keeps_what_it_saw(steps in prop::collection::vec(step(), 1..60)) {
            let mut memory = Memory::default();
            let mut model = Model::new();
            let mut held: VecDeque<(Arc<dyn View>, Model)> = VecDeque::from([(memory.view().unwrap(), Model::new())]);
            for step in steps {
                match step {
                    Step::Write(writes) => {
                        let version = Version(memory.last.0 + 1);
                        let writes: BTreeMap<_, _> = writes.into_iter().collect();
                        let rows = writes.into_iter().map(|(key, keep)| {
                            let value = keep.then(|| Bytes::from(version.0.to_string()));
                            Change { key: vec![key].into(), version, value }
                        });
                        let batch = Batch { number: version.0, last: version, rows: rows.collect() };
                        memory.write(&batch).unwrap();
                        for Change { key, version, value } in batch.rows {
                            match value {
                                Some(value) => model.insert(key, Row { version, value }),
                                None => model.remove(&key),
                            };
                        }
                    }
                    Step::Open => held.push_back((memory.view().unwrap(), model.clone())),
                    Step::Drop(which) if which < held.len() => drop(held.remove(which)),
                    Step::Drop(_) => {}
                }
                for (view, seen) in &held {
                    prop_assert_eq!(&all(view), seen);
                }
            }
            drop(held);
            for _ in 0..2 {
                let batch = Batch { number: memory.number + 1, last: Version(memory.last.0 + 1), rows: Vec::new() };
                memory.write(&batch).unwrap();
            }
            let rows = memory.shared.rows.read();
            prop_assert_eq!(rows.len(), model.len(), "what no view sees is gone");
            prop_assert!(rows.values().all(|history| history.older.is_empty()));
        }
    }
}
