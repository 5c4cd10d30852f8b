//! The processes that a function's process has started, wherever they have gone: read from `/proc`, found by their parents and by
//! a mark in their environment. None are found where there is no `/proc`.
//!
//! A process group ends what stays in it. A child in a session of its own has left it, but it still has its parent, and when that is
//! gone, the environment that it was started with. Whoever gives up all three is not found.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that marks a function's process and, by inheritance, what it starts. It holds the process's own directory.
pub(super) const MARK: &str = "_BUSWORK_PROCESS_DIRECTORY";

/// How often the processes are looked through: each time, what a dying process had just started may be found.
const ROUNDS: usize = 16;

/// The process and all that has it as an ancestor.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let children: Vec<u32> = children(*pid).into_iter().filter(|child| !found.contains(child)).collect();
        found.extend(children);
        next += 1;
    }
    found
}

/// Ends the descendants of a process, but not itself.
pub(super) fn end_below(pid: u32) {
    family(pid).into_iter().skip(1).for_each(kill);
}

/// Ends all processes whose mark is `directory`, or lies below it, and waits for none.
pub(super) fn end_marked(directory: &Path) {
    let own = std::process::id();
    for _ in 0..ROUNDS {
        let found: Vec<u32> = all()
            .filter(|pid| *pid != own && mark_of(*pid).is_some_and(|mark| mark.starts_with(directory)))
            .collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            end_below(pid);
            kill(pid);
        }
    }
}

fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // One that is gone already is what we want.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The mark in a process's environment; a dead one has none.
fn mark_of(pid: u32) -> Option<PathBuf> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))?;
    Some(PathBuf::from(OsString::from_vec(value.to_vec())))
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let of_thread = |path: PathBuf| fs::read_to_string(path.join("children")).unwrap_or_default();
    let texts = threads.flatten().map(|thread| of_thread(thread.path()));
    texts
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}
