//! What a transaction says of itself on the trace: facts, and the span that it writes with its commit.

use base::{Document, Timestamp};

use super::{KERNEL, NewRow, Tx, kernel_scope};
use crate::Result;
use crate::caller::TraceCx;
use crate::key::Prefix;
use crate::router::Inner;
use crate::trace::{Enqueued, Note, Span, SpanKey, SubjectKey};

impl Tx {
    /// Adds a fact to this transaction's record on the trace and makes the chain findable by `subject`.
    pub fn note(&mut self, kind: &str, subject: &str, detail: Option<Document>) {
        self.notes.push(Note { kind: kind.to_owned(), subject: subject.to_owned(), detail, found_by: true });
    }

    /// Adds a fact to this transaction's record on the trace; the chain is not found by it.
    pub fn fact(&mut self, kind: &str, subject: &str, detail: Option<Document>) {
        self.notes.push(Note { kind: kind.to_owned(), subject: subject.to_owned(), detail, found_by: false });
    }

    /// Adds a fact to the trace if this transaction is a consequence of another; the chain is not found by it.
    pub fn remark(&mut self, kind: &str, subject: &str, detail: Option<Document>) {
        if self.caller.trace.parent != 0 {
            self.notes.push(Note {
                kind: kind.to_owned(),
                subject: subject.to_owned(),
                detail,
                found_by: false,
            });
        }
    }

    pub(crate) fn attempt(&mut self, at: Timestamp, took_us: Option<u64>, attempt: crate::trace::Attempt) {
        self.span_extra = Some((at, took_us, attempt));
    }

    /// Puts the transaction into another chain of causes, e.g. when one call brings several events.
    pub fn set_trace(&mut self, trace: TraceCx) {
        self.caller.trace = trace;
    }

    /// Writes this transaction's record on another chain of causes, too, e.g. when a batch has several.
    pub fn echo(&mut self, trace: TraceCx) {
        if self.echoes.iter().all(|echo| echo.root != trace.root) {
            self.echoes.push(trace);
        }
    }

    /// A span is written for whatever has consequences or something to say.
    pub(super) fn write_span(&mut self, operation: &str) -> Result<()> {
        let loud = || self.tasks[self.told..].iter().filter(|row| !row.task.quiet);
        if self.notes.is_empty() && loud().next().is_none() && self.span_extra.is_none() {
            return Ok(());
        }
        let root = self.caller.trace.root;
        let enqueued = |row: &NewRow| Enqueued {
            task: row.task.id,
            operation: format!("{}:{}", row.task.call.service, row.task.call.operation),
            target: row.task.lane.clone(),
            note: row.task.note.clone(),
            due: row.due,
        };
        let enqueued = loud().map(enqueued).collect();
        let (at, took_us, attempt) = match self.span_extra.take() {
            Some((at, took_us, attempt)) => (at, took_us, Some(attempt)),
            None => (self.now, None, None),
        };
        let notes = std::mem::take(&mut self.notes);
        let operation = format!("{}:{operation}", self.service);
        self.enter_kernel();
        let echoes = std::mem::take(&mut self.echoes);
        for root in std::iter::once(root).chain(echoes.iter().map(|echo| echo.root)) {
            for note in &notes {
                if note.found_by && note.subject != root.to_string() {
                    self.put(&SubjectKey { subject: note.subject.clone(), root }, &())?;
                }
            }
        }
        let span = Span {
            id: self.span,
            parent: self.caller.trace.parent,
            at,
            took_us,
            operation,
            principal: self.caller.principal.clone(),
            attempt,
            notes,
            enqueued,
        };
        for echo in echoes.iter().filter(|echo| echo.root != root) {
            let span = Span { parent: echo.parent, ..span.clone() };
            self.put(&SpanKey { root: echo.root, span: self.span }, &span)?;
        }
        self.put(&SpanKey { root, span: self.span }, &span)
    }

    fn enter_kernel(&mut self) {
        self.service = KERNEL;
        self.prefix = Prefix::new(KERNEL, &kernel_scope());
    }
}

pub(super) fn new_span(inner: &Inner, now: Timestamp) -> u64 {
    let ms = u64::try_from(now.as_millis()).unwrap_or(0);
    (ms << 20) | (inner.chance.next_u64() & 0xf_ffff)
}
