//! The directory of a store: who uses it, what format it has, whose engine it is.
//!
//! `LOCK` names the process that has the store open, under a lock of the operating system that ends with the process;
//! `FORMAT` says the format and the engine; `high-water` how far the store is acknowledged; `data` is the engine's.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::high_water::{HighWater, Mark};
use crate::location::{EngineName, FORMAT, OpenError};

const LOCK_FILE: &str = "LOCK";
const FORMAT_FILE: &str = "FORMAT";
const DATA: &str = "data";

/// A store's directory, held by this process.
pub(crate) struct Directory {
    path: PathBuf,
    /// Released when it is dropped.
    _lock: File,
    /// What was acknowledged before.
    pub(crate) mark: Option<Mark>,
}

impl Directory {
    /// Takes the directory for `engine`, making it if `make` is set.
    pub(crate) fn take(path: &Path, engine: EngineName, make: bool) -> Result<Directory, OpenError> {
        let unavailable = |e: io::Error| OpenError::unavailable(path.display(), e);
        let made = !path.join(FORMAT_FILE).exists();
        if made && !make {
            let what = format!("`{FORMAT_FILE}` is missing: this is no store of Buswork");
            return Err(OpenError::damaged(path.display(), what));
        }
        fs::create_dir_all(path).map_err(unavailable)?;
        let lock = lock(path)?;
        let mark = HighWater::read(path).map_err(unavailable)?;
        if made {
            begin(path, engine)?;
        }
        check_format(path, engine)?;
        let directory = Directory { path: path.to_owned(), _lock: lock, mark };
        if let (Some(mark), false) = (mark, directory.data().exists()) {
            let what = format!("`{DATA}` is missing, but batch {} was acknowledged", mark.number);
            return Err(OpenError::damaged(path.display(), what));
        }
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine's own files are.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    /// Makes the format, and the names up to the directory itself, survive a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(self.path.join(FORMAT_FILE))?.sync_all()?;
        File::open(&self.path)?.sync_all()?;
        match self.path.canonicalize()?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unavailable = |e: io::Error| OpenError::unavailable(path.display(), e);
    let name = path.join(LOCK_FILE);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&name)
        .map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&name).unwrap_or_default();
            let pid = pid.trim();
            let holder = if pid.is_empty() {
                "another process".to_owned()
            } else {
                format!("the process with pid {pid}")
            };
            return Err(OpenError::InUse { place: path.display().to_string(), holder });
        }
        Err(TryLockError::Error(e)) => return Err(unavailable(e)),
    }
    file.set_len(0).map_err(unavailable)?;
    writeln!(file, "{}", std::process::id()).map_err(unavailable)?;
    Ok(file)
}

/// Writes the format of a new store, unless the directory holds something that is none.
fn begin(path: &Path, engine: EngineName) -> Result<(), OpenError> {
    let unavailable = |e: io::Error| OpenError::unavailable(path.display(), e);
    for entry in fs::read_dir(path).map_err(unavailable)? {
        let name = entry.map_err(unavailable)?.file_name();
        let name = name.to_string_lossy();
        if name == DATA || name == crate::high_water::FILE {
            let what = format!("`{FORMAT_FILE}` is missing, but `{name}` is there");
            return Err(OpenError::damaged(path.display(), what));
        }
        if name != LOCK_FILE && name != format!("{FORMAT_FILE}.new") {
            let why = format!("it is no store and not empty: `{name}` is there");
            return Err(OpenError::unavailable(path.display(), why));
        }
    }
    let new = path.join(format!("{FORMAT_FILE}.new"));
    let text = format!("buswork store\nformat {FORMAT}\nengine {engine}\n");
    fs::write(&new, text).and_then(|()| fs::rename(&new, path.join(FORMAT_FILE))).map_err(unavailable)
}

fn check_format(path: &Path, engine: EngineName) -> Result<(), OpenError> {
    let text = fs::read_to_string(path.join(FORMAT_FILE))
        .map_err(|e| OpenError::damaged(path.display(), format!("`{FORMAT_FILE}` cannot be read: {e}")))?;
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.ok_or_else(|| {
            OpenError::damaged(path.display(), format!("`{FORMAT_FILE}` has no line `{name}`"))
        })
    };
    let format = field("format")?;
    let found: u32 = format.parse().map_err(|_| {
        OpenError::damaged(
            path.display(),
            format!("`{FORMAT_FILE}` says format `{format}`, which is no number"),
        )
    })?;
    if found > FORMAT {
        return Err(OpenError::Newer { place: path.display().to_string(), found });
    }
    let found = field("engine")?;
    if found != engine.as_str() {
        let (place, found) = (path.display().to_string(), found.to_owned());
        return Err(OpenError::OtherEngine { place, found, asked: engine });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path) -> Result<Directory, OpenError> {
        Directory::take(path, EngineName::Fjall, true)
    }

    fn refusal(path: &Path) -> String {
        take(path)
            .err()
            .map(|e| e.to_string().replace(&path.display().to_string(), "DIR"))
            .unwrap_or_default()
    }

    #[test]
    fn a_second_user_is_refused_and_the_first_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path()).unwrap();
        let pid = std::process::id();
        let said = format!("the store at DIR is in use by the process with pid {pid}");
        assert_eq!(refusal(dir.path()), said);
        drop(first);
        assert_eq!(refusal(dir.path()), "");
    }

    #[test]
    fn what_is_no_store_of_ours_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let with = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        with("diary", "");
        assert_eq!(
            refusal(dir.path()),
            "cannot open the store at DIR: it is no store and not empty: `diary` is there"
        );
        with("high-water", "");
        fs::remove_file(dir.path().join("diary")).unwrap();
        assert_eq!(
            refusal(dir.path()),
            "the store at DIR is damaged: `FORMAT` is missing, but `high-water` is there"
        );
        for (format, said) in [
            ("format 2\nengine fjall\n", "the store at DIR has format 2; this Buswork reads up to 1"),
            ("format 1\nengine redb\n", "the store at DIR was made by the engine redb, not fjall"),
            ("engine fjall\n", "the store at DIR is damaged: `FORMAT` has no line `format`"),
            ("format x\n", "the store at DIR is damaged: `FORMAT` says format `x`, which is no number"),
        ] {
            with("FORMAT", format);
            assert_eq!(refusal(dir.path()), said);
        }
    }

    #[test]
    fn missing_data_is_named() {
        let dir = tempfile::tempdir().unwrap();
        drop(take(dir.path()).unwrap());
        let mark = Mark { number: 3, last: crate::Version(9) };
        HighWater::open(dir.path()).unwrap().note(mark).unwrap();
        assert_eq!(
            refusal(dir.path()),
            "the store at DIR is damaged: `data` is missing, but batch 3 was acknowledged"
        );
    }
}
