//! Directories of an app: walking them without what tools keep there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Directories that a walk visits at most; an app that has more is walked in part.
const DIRECTORIES_MAX: usize = 20_000;

/// What tools write and nobody edits.
const WRITTEN: [&str; 7] = ["node_modules", "cdk.out", "dist", "build", "target", "venv", "__pycache__"];

/// Whether a directory of that name holds what tools keep.
pub(crate) fn is_kept(name: &str) -> bool {
    name.starts_with('.') || WRITTEN.contains(&name)
}

/// The app's outermost directory: its repository's, or the one around `app`.
pub(crate) fn outermost(app: &Path) -> &Path {
    let repository = app.ancestors().find(|directory| directory.join(".git").exists());
    repository.or_else(|| app.parent()).unwrap_or(app)
}

/// `top` and the directories below it that people edit, breadth first.
pub(crate) fn directories(top: &Path) -> Vec<PathBuf> {
    let mut found = walk(top, is_kept);
    // Where a server of ours unpacks what it runs, in `data` beside the app as likely as not: all of it is copies.
    found.retain(|path| !path.ancestors().any(|around| around.ends_with("scratch/code")));
    found
}

/// The directories of a function's code where its own files are, not those that it installs.
pub(crate) fn own_directories(top: &Path) -> Vec<PathBuf> {
    walk(top, |name| matches!(name, ".git" | "node_modules" | "__pycache__"))
}

/// `top` and the directories below it, breadth first, without those of some names. Symbolic links are not followed.
fn walk(top: &Path, skips: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = vec![top.to_owned()];
    let mut next = 0;
    while next < found.len() && found.len() < DIRECTORIES_MAX {
        let mut below = entries(&found[next]);
        below.retain(|path| is_directory(path) && !skips(&name(path)));
        found.extend(below);
        next += 1;
    }
    found
}

/// The files below a directory by their path in it, with `/` between its parts.
///
/// # Errors
/// A directory or what a link leads to cannot be read.
pub(crate) fn files(top: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for directory in walk(top, |name| name == ".git") {
        for entry in
            fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?
        {
            let path = entry?.path();
            if path.is_file()
                && let Ok(below) = path.strip_prefix(top)
            {
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                found.insert(parts.join("/"), path.clone());
            }
        }
    }
    Ok(found)
}

fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is in a directory, by name; nothing if it cannot be read.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}
