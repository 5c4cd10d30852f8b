//! The zip of a function.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::tree;

/// The files of a package by their paths, with their permissions.
#[derive(Default)]
pub(crate) struct Package(BTreeMap<String, (Vec<u8>, u32)>);

/// What files have that a program writes.
const PLAIN: u32 = 0o644;

impl Package {
    /// Everything below a directory.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn of_directory(directory: &Path) -> anyhow::Result<Package> {
        let mut package = Package::default();
        for (name, path) in tree::files(directory)? {
            let reading = || format!("cannot read {}", path.display());
            let mode = fs::metadata(&path).with_context(reading)?.permissions().mode();
            package.0.insert(name, (fs::read(&path).with_context(reading)?, mode & 0o777));
        }
        Ok(package)
    }

    /// Puts a file in the place of one of that name.
    pub(crate) fn put(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.to_owned(), (bytes, PLAIN));
    }

    /// Whether there is a file of that name.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a file has this content.
    pub(crate) fn has(&self, name: &str, bytes: &[u8]) -> bool {
        self.0.get(name).is_some_and(|(own, _)| own == bytes)
    }

    /// As a zip. The same files make the same zip.
    ///
    /// # Errors
    /// There are more files than a zip can have.
    pub(crate) fn zip(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, (bytes, mode)) in &self.0 {
            // It crosses no network: little time is better than few bytes.
            let options = SimpleFileOptions::default().compression_level(Some(1)).unix_permissions(*mode);
            writer.start_file(name.as_str(), options)?;
            writer.write_all(bytes)?;
        }
        Ok(writer.finish()?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_packed_as_it_is_but_for_what_is_put_over_it() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("lib")).unwrap();
        for (name, text) in [("index.js", "old"), ("lib/a.js", "a"), ("run", "#!")] {
            fs::write(home.path().join(name), text).unwrap();
        }
        fs::set_permissions(home.path().join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut package = Package::of_directory(home.path()).unwrap();
        assert!(package.has("index.js", b"old"));
        package.put("index.js", b"new".to_vec());
        let bytes = package.zip().unwrap();
        assert_eq!(bytes, package.zip().unwrap());
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut found = BTreeMap::new();
        for number in 0..zip.len() {
            let mut file = zip.by_index(number).unwrap();
            let mode = file.unix_mode().unwrap() & 0o777;
            found.insert(
                file.name().unwrap().to_string(),
                (std::io::read_to_string(&mut file).unwrap(), mode),
            );
        }
        assert_eq!(found["index.js"], ("new".to_owned(), 0o644));
        assert_eq!(found["lib/a.js"].0, "a");
        assert_eq!(found["run"].1, 0o755);
    }
}
