//! Tasks that a transaction may run itself: they get a row only if it does not.

use std::sync::Arc;

use base::Timestamp;
use store::due_key;

use super::{NewRow, TaskHandle, Tx, task_prefix};
use crate::Result;
use crate::task::Task;

impl Tx {
    /// A task without a row yet.
    pub(super) fn hold_task(&mut self, due: Timestamp, task: Task, salt: u64) -> TaskHandle {
        let key = due_key(&task_prefix(&task), due, self.seq(), salt);
        self.written += task.call.input.len();
        self.tasks.push(NewRow { key: key.clone(), due, chunks: 0, task: Arc::new(task), at_once: true });
        TaskHandle(key)
    }

    /// The first task that may be run at once, if there is one, with its place.
    pub(crate) fn next_at_once(&self) -> Option<(usize, &Arc<Task>)> {
        let place = self.tasks.iter().position(|row| row.at_once)?;
        Some((place, &self.tasks[place].task))
    }

    /// Takes the task at `place` back, as if it had never been enqueued. What was told of it on the trace stays.
    pub(crate) fn take_back(&mut self, place: usize) -> Arc<Task> {
        let row = self.tasks.remove(place);
        self.told -= usize::from(place < self.told);
        self.written -= row.task.call.input.len();
        row.task
    }

    /// Gives their rows to those that were not run.
    pub(super) fn write_held(&mut self) -> Result<()> {
        let mut rows = std::mem::take(&mut self.tasks);
        for row in rows.iter_mut().filter(|row| row.at_once) {
            self.written -= row.task.call.input.len();
            row.chunks = self.write_task(&row.key, &row.task)?;
            row.at_once = false;
        }
        self.tasks = rows;
        Ok(())
    }
}
