//! Unpacked packages on disk, one tree per combination of code and layers, made once and never changed.
//!
//! ```text
//! <root>/code/node_modules      -> the packages that the runtime itself offers (AWS SDK), if configured
//! <root>/code/<key>/task        the function's package
//! <root>/code/<key>/opt         its layers, merged
//! <root>/code/<key>/node_modules -> opt/nodejs/node_modules, if there is one
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

/// The directories of one function's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) task: PathBuf,
    pub(super) opt: Option<PathBuf>,
}

pub(super) struct CodeCache {
    directory: PathBuf,
    trees: Mutex<HashMap<String, Arc<OnceCell<Tree>>>>,
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
        Ok(CodeCache { directory, trees: Mutex::default() })
    }

    /// The function's tree, unpacked now if it is not on disk.
    pub(super) async fn tree(&self, spec: &FunctionSpec) -> Result<Tree, InvokeError> {
        let package = match &spec.code {
            Code::Directory(task) if spec.layers.is_empty() => {
                return Ok(Tree { task: task.clone(), opt: None });
            }
            Code::Directory(_) => None,
            Code::Zip(archive) => Some(archive),
        };
        let key = key(package, &spec.layers);
        let cell = self.cell(&key);
        let tree = cell.get_or_try_init(|| self.make(&key, package, &spec.layers)).await?.clone();
        match &spec.code {
            Code::Directory(task) => Ok(Tree { task: task.clone(), ..tree }),
            Code::Zip(_) => Ok(tree),
        }
    }

    fn cell(&self, key: &str) -> Arc<OnceCell<Tree>> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(trees.entry(key.to_owned()).or_default())
    }

    async fn make(
        &self,
        key: &str,
        package: Option<&Archive>,
        layers: &[Archive],
    ) -> Result<Tree, InvokeError> {
        let place = self.directory.join(key);
        let opt = (!layers.is_empty()).then(|| place.join("opt"));
        let tree = Tree { task: place.join("task"), opt };
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
        let work = tokio::task::spawn_blocking(move || build(&draft, &place, package, &zips));
        let built = work.await.map_err(|error| InvokeError::InvalidPackage(error.to_string()))?;
        built.map_err(InvokeError::InvalidPackage)?;
        Ok(tree)
    }
}

async fn fetch(archive: &Archive) -> Result<Bytes, InvokeError> {
    (archive.fetch)().await.map_err(InvokeError::InvalidPackage)
}

/// Builds the tree aside and moves it into place, so that a tree that exists is complete.
fn build(draft: &Path, place: &Path, package: Option<Bytes>, layers: &[Bytes]) -> Result<(), String> {
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
            symlink("opt/nodejs/node_modules", draft.join("node_modules")).map_err(io)?;
        }
    }
    fs::rename(draft, place).map_err(io)
}

fn make_executable(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => fs::set_permissions(path, fs::Permissions::from_mode(0o755)),
        _ => Ok(()),
    }
}

fn key(package: Option<&Archive>, layers: &[Archive]) -> String {
    let mut hash = Sha256::new();
    hash.update(package.map_or("", |archive| archive.sha256.as_str()));
    for layer in layers {
        hash.update("/");
        hash.update(&layer.sha256);
    }
    hex::encode(&hash.finalize()[..16])
}
