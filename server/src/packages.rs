//! What AWS's Lambda runtimes bring along besides the interpreter: the AWS SDKs. They are not in the binary: one command fetches
//! them, in pinned versions, from the registries of npm and Python.
//!
//! ```text
//! <directory>/node/node_modules     SDK v3 for the services that are served, and what it stands on
//! <directory>/node16/node_modules   SDK v2, which runtimes before nodejs18.x have
//! <directory>/python                boto3
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::cli::say;

/// Which SDKs are where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    directory: PathBuf,
}

/// One set of packages.
struct Set {
    /// Its directory.
    name: &'static str,
    /// The files that name its packages. The last one pins them, and lies beside the packages once they are installed.
    files: &'static [(&'static str, &'static str)],
    /// The program that installs it and its arguments.
    command: &'static [&'static str],
}

/// Tells which packages are there: the last file of the set as it was when they were installed.
const INSTALLED: &str = ".installed";

const NPM: &[&str] = &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
const PIP: &[&str] = &[
    "python3",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--upgrade",
    "--target",
    ".",
    "--requirement",
    "requirements.txt",
];

const SETS: [Set; 3] = [
    Set {
        name: "node",
        files: &[
            ("package.json", include_str!("../runtime/node/package.json")),
            ("package-lock.json", include_str!("../runtime/node/package-lock.json")),
        ],
        command: NPM,
    },
    Set {
        name: "node16",
        files: &[
            ("package.json", include_str!("../runtime/node16/package.json")),
            ("package-lock.json", include_str!("../runtime/node16/package-lock.json")),
        ],
        command: NPM,
    },
    Set {
        name: "python",
        files: &[("requirements.txt", include_str!("../runtime/python/requirements.txt"))],
        command: PIP,
    },
];

impl Packages {
    /// The packages of a directory, or of the user's own.
    pub fn of(directory: Option<PathBuf>) -> Option<Packages> {
        directory.or_else(of_user).map(|directory| Packages { directory })
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// SDK v3, if it is installed.
    pub fn node_modules(&self) -> Option<PathBuf> {
        found(self.directory.join("node/node_modules"))
    }

    /// SDK v2, if it is installed.
    pub fn legacy_node_modules(&self) -> Option<PathBuf> {
        found(self.directory.join("node16/node_modules"))
    }

    /// boto3, if it is installed.
    pub fn python_packages(&self) -> Option<PathBuf> {
        found(self.directory.join("python")).filter(|directory| directory.join("boto3").is_dir())
    }

    /// Installs what is missing or was pinned otherwise. What is there and as it should be is left alone.
    ///
    /// # Errors
    /// The directory cannot be written, `npm` or `python3` with pip is not there, or a registry does not answer.
    pub fn install(&self) -> anyhow::Result<()> {
        for set in &SETS {
            let directory = self.directory.join(set.name);
            let pinned = set.files.last().map_or("", |(_, text)| text);
            if fs::read_to_string(directory.join(INSTALLED)).is_ok_and(|installed| installed == pinned) {
                say(&format!("{}: as it should be", directory.display()));
                continue;
            }
            set.install(&directory, pinned)?;
            say(&format!("{}: installed", directory.display()));
        }
        Ok(())
    }
}

impl Set {
    fn install(&self, directory: &Path, pinned: &str) -> anyhow::Result<()> {
        let unwritable = || format!("cannot write to {}", directory.display());
        fs::create_dir_all(directory).with_context(unwritable)?;
        for (name, text) in self.files {
            fs::write(directory.join(name), text).with_context(unwritable)?;
        }
        run(self.command, directory)?;
        fs::write(directory.join(INSTALLED), pinned).with_context(unwritable)
    }
}

#[expect(clippy::disallowed_methods, reason = "packages are installed by the package managers")]
fn run(command: &[&str], directory: &Path) -> anyhow::Result<()> {
    let shown = command.join(" ");
    let status = std::process::Command::new(command[0]).args(&command[1..]).current_dir(directory).status();
    let status = status.with_context(|| format!("cannot run `{shown}`: {} is needed", command[0]))?;
    ensure!(status.success(), "`{shown}` in {} failed ({status})", directory.display());
    Ok(())
}

fn found(directory: PathBuf) -> Option<PathBuf> {
    fs::canonicalize(directory).ok().filter(|directory| directory.is_dir())
}

/// `$XDG_DATA_HOME/buswork/runtime`, for all servers of a user.
fn of_user() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")))?;
    Some(home.join("buswork/runtime"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_is_found() {
        let home = tempfile::tempdir().unwrap();
        let packages = Packages::of(Some(home.path().to_owned())).unwrap();
        assert_eq!((packages.node_modules(), packages.python_packages()), (None, None));
        fs::create_dir_all(home.path().join("node/node_modules")).unwrap();
        // A directory without boto3 is what an installation left that failed.
        fs::create_dir_all(home.path().join("python")).unwrap();
        assert!(packages.node_modules().unwrap().ends_with("node/node_modules"));
        assert_eq!((packages.legacy_node_modules(), packages.python_packages()), (None, None));
    }

    #[test]
    fn what_is_installed_as_pinned_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        for set in &SETS {
            fs::create_dir_all(home.path().join(set.name)).unwrap();
            fs::write(home.path().join(set.name).join(INSTALLED), set.files.last().unwrap().1).unwrap();
        }
        Packages::of(Some(home.path().to_owned())).unwrap().install().unwrap();
        assert!(!home.path().join("node/package.json").exists());
    }

    #[test]
    fn every_client_is_pinned() {
        for set in &SETS[..2] {
            let document: serde_json::Value = serde_json::from_str(set.files[0].1).unwrap();
            let versions = document["dependencies"].as_object().unwrap();
            assert!(
                versions.values().all(|version| version.as_str().unwrap().as_bytes()[0].is_ascii_digit())
            );
        }
        let lines = SETS[2].files[0].1.lines();
        assert!(lines.into_iter().all(|line| line.contains("==")));
    }
}
