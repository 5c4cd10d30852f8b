//! Unpacks a zip package into a directory: bounded, and never outside it.

use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

use super::view;

/// The largest unpacked size of a function with its layers, in bytes.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(super) const UNPACKED_LIMIT: u64 = 262_144_000;

/// The most entries that a package may have, a guard of ours.
const ENTRY_LIMIT: usize = 200_000;

/// Why a package cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// No zip archive, or a damaged one.
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    NoZip,
    /// An entry would be written outside the directory.
    #[error("the package entry `{0}` leads outside the package")]
    Outside(String),
    /// Too many bytes when unpacked.
    #[error("Unzipped size must be smaller than {UNPACKED_LIMIT} bytes")]
    TooLarge,
    /// Too many entries.
    #[error("the package holds more than {ENTRY_LIMIT} entries")]
    TooMany,
    /// The disk refuses.
    #[error("failed to unpack: {0}")]
    Io(#[from] io::Error),
}

/// The sum of the sizes that the package's directory states, after a check of its names, links and limits. Reads no file.
///
/// # Errors
/// Everything that [`unpack`] would refuse by looking at the names, the links and the sizes.
pub fn unpacked_size(zip: &[u8]) -> Result<u64, UnpackError> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| UnpackError::NoZip)?;
    if archive.len() > ENTRY_LIMIT {
        return Err(UnpackError::TooMany);
    }
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| UnpackError::NoZip)?;
        let relative = entry_path(&entry)?;
        total = total.saturating_add(entry.size());
        if entry.is_symlink() {
            drop(entry);
            let mut link = archive.by_index(index).map_err(|_| UnpackError::NoZip)?;
            check_link(&relative, &link_target(&mut link)?)?;
        }
    }
    if total > UNPACKED_LIMIT { Err(UnpackError::TooLarge) } else { Ok(total) }
}

/// Unpacks `zip` over `directory`, which exists, and returns the bytes written. Later files replace earlier ones.
pub(super) fn unpack(zip: &[u8], directory: &Path, budget: u64) -> Result<u64, UnpackError> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| UnpackError::NoZip)?;
    if archive.len() > ENTRY_LIMIT {
        return Err(UnpackError::TooMany);
    }
    let mut left = budget;
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|_| UnpackError::NoZip)?;
        let relative = entry_path(&entry)?;
        if entry.is_symlink() {
            links.push((relative, link_target(&mut entry)?));
        } else if entry.is_dir() {
            make_directory(directory, &relative)?;
        } else {
            left -= write_file(&mut entry, directory, &relative, left)?;
        }
    }
    // Links come last, so that no entry is ever written through one of this package.
    for (relative, target) in links {
        write_link(directory, &relative, &target)?;
    }
    Ok(budget - left)
}

fn entry_path<R: Read + ?Sized>(entry: &ZipFile<'_, R>) -> Result<PathBuf, UnpackError> {
    let name = entry.name().map_err(|_| UnpackError::NoZip)?.into_owned();
    let path = PathBuf::from(&name);
    let plain = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if plain && !name.contains('\0') && !name.contains('\\') {
        Ok(path)
    } else {
        Err(UnpackError::Outside(name))
    }
}

fn write_file<R: Read + ?Sized>(
    entry: &mut ZipFile<'_, R>,
    directory: &Path,
    relative: &Path,
    left: u64,
) -> Result<u64, UnpackError> {
    let path = free_place(directory, relative)?;
    // The stated size may lie: count what comes out.
    let mut file = fs::File::create_new(&path)?;
    let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file).map_err(|_| UnpackError::NoZip)?;
    if written > left {
        return Err(UnpackError::TooLarge);
    }
    let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o777 | 0o444);
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(written)
}

fn link_target<R: Read + ?Sized>(entry: &mut ZipFile<'_, R>) -> Result<PathBuf, UnpackError> {
    let mut target = String::new();
    entry.by_ref().take(4096).read_to_string(&mut target).map_err(|_| UnpackError::NoZip)?;
    Ok(PathBuf::from(target))
}

fn write_link(directory: &Path, relative: &Path, target: &Path) -> Result<(), UnpackError> {
    check_link(relative, target)?;
    Ok(symlink(target, free_place(directory, relative)?)?)
}

/// A link may lead to its own package, and to where the function's process sees its layers.
fn check_link(relative: &Path, target: &Path) -> Result<(), UnpackError> {
    let into_opt = target.strip_prefix(view::OPT).is_ok_and(|rest| stays_inside(Path::new("link"), rest));
    match into_opt || stays_inside(relative, target) {
        true => Ok(()),
        false => Err(UnpackError::Outside(relative.display().to_string())),
    }
}

/// The path of an entry, its parents made and what an earlier entry or layer left there removed.
fn free_place(directory: &Path, relative: &Path) -> Result<PathBuf, UnpackError> {
    if let Some(parent) = relative.parent() {
        make_directory(directory, parent)?;
    }
    let path = directory.join(relative);
    if path.symlink_metadata().is_ok() {
        fs::remove_file(&path)?;
    }
    Ok(path)
}

/// Makes the directory and its parents; refuses to pass through a link, which may lead anywhere.
fn make_directory(directory: &Path, relative: &Path) -> Result<(), UnpackError> {
    let mut path = directory.to_owned();
    for component in relative.components().filter(|c| matches!(c, Component::Normal(_))) {
        path.push(component);
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(UnpackError::Outside(relative.display().to_string())),
            Err(_) => fs::create_dir(&path)?,
        }
    }
    Ok(())
}

/// Whether a link at `relative` to `target` points into the package, judged by names alone.
fn stays_inside(relative: &Path, target: &Path) -> bool {
    let mut depth = relative.components().filter(|c| matches!(c, Component::Normal(_))).count() as i64 - 1;
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    enum Entry<'a> {
        File(&'a str, u32, &'a [u8]),
        Link(&'a str, &'a str),
    }

    fn package(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in entries {
            match entry {
                Entry::File(name, mode, body) => {
                    writer.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
                    writer.write_all(body).unwrap();
                }
                Entry::Link(name, target) => {
                    writer.add_symlink(*name, *target, SimpleFileOptions::default()).unwrap();
                }
            }
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn files_modes_and_links_arrive() {
        let zip = package(&[
            Entry::File("bootstrap", 0o755, b"#!/bin/sh\n"),
            Entry::File("lib/a.js", 0o600, b"1"),
            Entry::Link("lib/b.js", "../lib/a.js"),
            Entry::Link("c.js", "/opt/lib/a.js"),
        ]);
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(unpack(&zip, dir.path(), 100).unwrap(), 11);
        assert_eq!(unpacked_size(&zip).unwrap(), 11 + "../lib/a.js/opt/lib/a.js".len() as u64);
        assert_eq!(fs::read(dir.path().join("lib/b.js")).unwrap(), b"1");
        let mode = fs::metadata(dir.path().join("bootstrap")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn what_leads_outside_is_refused() {
        for zip in [
            package(&[Entry::File("../up", 0o644, b"")]),
            package(&[Entry::File("/abs", 0o644, b"")]),
            package(&[Entry::File("a/../../up", 0o644, b"")]),
            package(&[Entry::Link("a", "/etc")]),
            package(&[Entry::Link("a", "/opt/../etc")]),
            package(&[Entry::Link("a/b", "../../c")]),
            package(&[Entry::Link("a", "."), Entry::Link("a/b", "../c")]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let error = unpack(&zip, dir.path(), 1000).unwrap_err();
            assert!(matches!(error, UnpackError::Outside(_)), "{error}");
        }
    }

    #[test]
    fn links_are_looked_at_before_anything_is_unpacked() {
        for (target, fine) in [("../up", false), ("/etc/hostname", false), ("/opt/x", true), ("b", true)] {
            assert_eq!(unpacked_size(&package(&[Entry::Link("a", target)])).is_ok(), fine, "{target}");
        }
    }

    #[test]
    fn an_entry_is_not_written_through_a_link() {
        let zip = package(&[Entry::Link("a", "b"), Entry::File("a/x", 0o644, b"1")]);
        let dir = tempfile::tempdir().unwrap();
        assert!(unpack(&zip, dir.path(), 1000).is_err());
        assert!(!dir.path().join("b").exists());
    }

    #[test]
    fn limits_hold() {
        let zip = package(&[Entry::File("a", 0o644, &[0; 100])]);
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(unpack(&zip, dir.path(), 99), Err(UnpackError::TooLarge)));
        assert!(matches!(unpack(b"no zip", dir.path(), 99), Err(UnpackError::NoZip)));
    }
}
