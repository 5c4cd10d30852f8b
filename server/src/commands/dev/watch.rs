//! Hearing of changes in directories.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use kernel::Clock;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// An editor writes a file in several steps: what follows within this time belongs together.
const QUIET: Duration = Duration::from_millis(15);

/// So many times only: a file that is written without a pause is looked at now and then, too.
const ROUNDS_MAX: usize = 20;

/// The directories that are watched, each by itself: a project's installed packages are not among them.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    heard: UnboundedReceiver<notify::Result<Event>>,
    /// What was heard and not yet told: who stops waiting loses nothing of it.
    changed: BTreeSet<PathBuf>,
}

impl Watch {
    pub(super) fn new() -> anyhow::Result<Watch> {
        let (hear, heard) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more when the command ends.
            let _ = hear.send(event);
        });
        let watcher = watcher.context("cannot watch files")?;
        Ok(Watch { watcher, watched: BTreeSet::new(), heard, changed: BTreeSet::new() })
    }

    /// Watches these directories, too.
    ///
    /// # Errors
    /// The system watches no more, or a directory is gone.
    pub(super) fn add(&mut self, directories: BTreeSet<PathBuf>) -> anyhow::Result<()> {
        for directory in directories {
            if self.watched.insert(directory.clone()) {
                let watching = self.watcher.watch(&directory, RecursiveMode::NonRecursive);
                watching.with_context(|| format!("cannot watch {}", directory.display()))?;
            }
        }
        Ok(())
    }

    /// Waits for changes: when the first one was heard, and the files. The wait may be given up and begun again.
    ///
    /// # Errors
    /// The system says that it cannot go on watching.
    pub(super) async fn next(&mut self) -> anyhow::Result<(Instant, BTreeSet<PathBuf>)> {
        while self.changed.is_empty() {
            let event = self.heard.recv().await.context("nobody watches files any more")?;
            self.changed.extend(files(event?));
        }
        let (since, clock) = (Instant::now(), Clock::real());
        for _ in 0..ROUNDS_MAX {
            clock.sleep_until(clock.now() + QUIET).await;
            let mut more = false;
            while let Ok(event) = self.heard.try_recv() {
                self.changed.extend(files(event?));
                more = true;
            }
            if !more {
                break;
            }
        }
        Ok((since, std::mem::take(&mut self.changed)))
    }
}

/// The files that an event says have other content now.
fn files(event: Event) -> Vec<PathBuf> {
    match event.kind {
        // Our own reading is among these.
        EventKind::Access(_) => Vec::new(),
        _ => event.paths,
    }
}
