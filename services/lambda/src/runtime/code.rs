//! Unpacked packages on disk, one tree per combination of code and layers, made once and never changed. Of the trees that no
//! process uses, the ones that were used last are kept, also over a restart; the rest is removed.
//!
//! ```text
//! <root>/code/node_modules      -> the packages that the runtime itself offers (AWS SDK), if configured
//! <root>/code/<key>/task        the function's package
//! <root>/code/<key>/opt         its layers, merged
//! <root>/code/<key>/node_modules -> the node_modules directory of the layers, if there is one
//! ```
//!
//! Node resolves both `require` and `import` by walking up from the file, so that a handler finds its layers' packages and then
//! the runtime's, in both module systems, without a loader hook.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::spec::{Archive, Code, FunctionSpec, InvokeError};
use super::unpack::{UNPACKED_LIMIT, unpack};
use super::view;

/// How many trees are kept that no process uses.
const UNUSED_MAX: usize = 32;

/// The directories of one function's files. They stay as long as a clone of this is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) task: PathBuf,
    /// The layers, where they are on disk.
    pub(super) opt: Option<PathBuf>,
    /// Its processes see them at `/opt`.
    pub(super) over_opt: bool,
    lease: Arc<()>,
}

impl Tree {
    /// Where the code finds its layers.
    pub(super) fn seen_opt(&self) -> Option<&Path> {
        self.opt.as_deref().map(|opt| if self.over_opt { Path::new(view::OPT) } else { opt })
    }
}

pub(super) struct CodeCache {
    directory: PathBuf,
    trees: Mutex<Trees>,
}

#[derive(Default)]
struct Trees {
    known: HashMap<String, Known>,
    /// How often a tree was asked for.
    asked: u64,
}

/// A tree that is on disk, or is being unpacked.
struct Known {
    cell: Arc<OnceCell<Tree>>,
    /// When it was asked for last, by [`Trees::asked`].
    used: u64,
}

impl Known {
    /// Nobody unpacks it, and no process runs from it.
    fn is_unused(&self) -> bool {
        let leased = |tree: &Tree| Arc::strong_count(&tree.lease) > 1;
        Arc::strong_count(&self.cell) == 1 && !self.cell.get().is_some_and(leased)
    }
}

impl CodeCache {
    /// A cache in `directory`. `node_modules` is what every Node function finds after its own packages.
    pub(super) fn open(directory: PathBuf, node_modules: Option<&Path>) -> io::Result<CodeCache> {
        fs::create_dir_all(&directory)?;
        let link = directory.join("node_modules");
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        if let Some(target) = node_modules {
            symlink(fs::canonicalize(target)?, link)?;
        }
        for old in left_behind(&directory)? {
            fs::remove_dir_all(old)?;
        }
        Ok(CodeCache { directory, trees: Mutex::default() })
    }

    /// The function's tree, unpacked now if it is not on disk. `over_opt`: its processes will see its layers at `/opt`.
    pub(super) async fn tree(&self, spec: &FunctionSpec, over_opt: bool) -> Result<Tree, InvokeError> {
        let package = match &spec.code {
            Code::Directory(task) if spec.layers.is_empty() => {
                return Ok(Tree { task: task.clone(), opt: None, over_opt: false, lease: Arc::default() });
            }
            Code::Directory(_) => None,
            Code::Zip(archive) => Some(archive),
        };
        let over_opt = over_opt && !spec.layers.is_empty();
        let key = key(package, &spec.layers, over_opt);
        let cell = self.cell(&key);
        let tree = cell.get_or_try_init(|| self.make(&key, package, &spec.layers, over_opt)).await?.clone();
        drop(cell);
        match &spec.code {
            Code::Directory(task) => Ok(Tree { task: task.clone(), ..tree }),
            Code::Zip(_) => Ok(tree),
        }
    }

    fn cell(&self, key: &str) -> Arc<OnceCell<Tree>> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.asked += 1;
        let used = trees.asked;
        let known = trees.known.entry(key.to_owned()).or_insert_with(|| Known { cell: Arc::default(), used });
        known.used = used;
        Arc::clone(&known.cell)
    }

    /// Sets aside the trees that were not used for the longest time; their directories may be removed.
    fn set_aside(&self) -> Vec<PathBuf> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unused: Vec<(u64, String)> = trees
            .known
            .iter()
            .filter(|(_, known)| known.is_unused())
            .map(|(key, known)| (known.used, key.clone()))
            .collect();
        unused.sort_unstable();
        let spare = unused.len().saturating_sub(UNUSED_MAX);
        let mut aside = Vec::with_capacity(spare);
        for (_, key) in unused.into_iter().take(spare) {
            trees.known.remove(&key);
            // Under the lock: whoever asks for it from now on unpacks it anew.
            let (from, to) = (self.directory.join(&key), self.directory.join(format!(".gone-{key}")));
            match fs::rename(&from, &to) {
                Ok(()) => aside.push(to),
                Err(error) => {
                    tracing::warn!(%error, path = %from.display(), "failed to remove unpacked code")
                }
            }
        }
        aside
    }

    async fn make(
        &self,
        key: &str,
        package: Option<&Archive>,
        layers: &[Archive],
        over_opt: bool,
    ) -> Result<Tree, InvokeError> {
        let place = self.directory.join(key);
        let opt = (!layers.is_empty()).then(|| place.join("opt"));
        let tree = Tree { task: place.join("task"), opt, over_opt, lease: Arc::default() };
        if place.exists() {
            return Ok(tree);
        }
        let package = match package {
            Some(archive) => Some(fetch(archive).await?),
            None => None,
        };
        let mut zips = Vec::with_capacity(layers.len());
        for layer in layers {
            zips.push(fetch(layer).await?);
        }
        let draft = self.directory.join(format!(".{key}"));
        let aside = self.set_aside();
        let work = tokio::task::spawn_blocking(move || {
            for gone in aside {
                if let Err(error) = fs::remove_dir_all(&gone) {
                    tracing::warn!(%error, path = %gone.display(), "failed to remove unpacked code");
                }
            }
            build(&draft, &place, package, &zips, over_opt)
        });
        let built = work.await.map_err(|error| InvokeError::InvalidPackage(error.to_string()))?;
        built.map_err(InvokeError::InvalidPackage)?;
        Ok(tree)
    }
}

/// What earlier servers have left of drafts, and of trees more than are kept.
fn left_behind(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut gone, mut trees) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        match entry.file_name().to_string_lossy().starts_with('.') {
            true => gone.push(entry.path()),
            false => trees.push((entry.metadata()?.modified()?, entry.path())),
        }
    }
    trees.sort_unstable();
    let spare = trees.len().saturating_sub(UNUSED_MAX);
    gone.extend(trees.into_iter().take(spare).map(|(_, path)| path));
    Ok(gone)
}

async fn fetch(archive: &Archive) -> Result<Bytes, InvokeError> {
    (archive.fetch)().await.map_err(InvokeError::InvalidPackage)
}

/// Builds the tree aside and moves it into place, so that a tree that exists is complete.
fn build(
    draft: &Path,
    place: &Path,
    package: Option<Bytes>,
    layers: &[Bytes],
    over_opt: bool,
) -> Result<(), String> {
    let io = |error: io::Error| format!("failed to unpack: {error}");
    if draft.exists() {
        fs::remove_dir_all(draft).map_err(io)?;
    }
    let mut budget = UNPACKED_LIMIT;
    let task = draft.join("task");
    fs::create_dir_all(&task).map_err(io)?;
    if let Some(zip) = package {
        budget -= unpack(&zip, &task, budget).map_err(|error| error.to_string())?;
        make_executable(&task.join("bootstrap")).map_err(io)?;
    }
    if !layers.is_empty() {
        let opt = draft.join("opt");
        fs::create_dir_all(&opt).map_err(io)?;
        for zip in layers {
            budget -= unpack(zip, &opt, budget).map_err(|error| error.to_string())?;
        }
        make_executable(&opt.join("bootstrap")).map_err(io)?;
        if opt.join("nodejs/node_modules").is_dir() {
            // By one name only, so that no module is loaded twice.
            let target = if over_opt { "/opt/nodejs/node_modules" } else { "opt/nodejs/node_modules" };
            symlink(target, draft.join("node_modules")).map_err(io)?;
        }
    }
    fs::rename(draft, place).map_err(io)
}

fn make_executable(path: &Path) -> io::Result<()> {
    // A link may lead out of the package, to what is not ours to change.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => fs::set_permissions(path, fs::Permissions::from_mode(0o755)),
        _ => Ok(()),
    }
}

fn key(package: Option<&Archive>, layers: &[Archive], over_opt: bool) -> String {
    let mut hash = Sha256::new();
    hash.update(package.map_or("", |archive| archive.sha256.as_str()));
    for layer in layers {
        hash.update("/");
        hash.update(&layer.sha256);
    }
    if over_opt {
        hash.update(view::OPT);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(cache: &CodeCache, number: usize) -> Tree {
        let key = format!("{number:02}");
        let place = cache.directory.join(&key);
        fs::create_dir_all(place.join("task")).unwrap();
        let tree = Tree { task: place.join("task"), opt: None, over_opt: false, lease: Arc::default() };
        cache.cell(&key).set(tree.clone()).unwrap();
        tree
    }

    #[test]
    fn what_no_process_uses_is_removed_but_for_what_was_used_last() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path().to_owned(), None).unwrap();
        let used = known(&cache, 0);
        for number in 1..=UNUSED_MAX + 2 {
            drop(known(&cache, number));
        }
        let waits = cache.cell("waits");
        let aside = cache.set_aside();
        let names: Vec<String> =
            aside.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, [".gone-01", ".gone-02"]);
        assert!(used.task.exists());
        drop(waits);
        drop(used);
        let again = CodeCache::open(folder.path().to_owned(), None).unwrap();
        assert_eq!(fs::read_dir(&again.directory).unwrap().count(), UNUSED_MAX);
    }
}
