//! Which functions a change of files concerns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::tree;

/// What a function's package is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// Everything below a directory.
    Below(PathBuf),
    /// These files, as the bundler named them.
    Files(BTreeSet<PathBuf>),
}

impl Inputs {
    /// Whether a change of the file is a change of the package.
    pub(crate) fn have(&self, file: &Path) -> bool {
        match self {
            Inputs::Below(directory) => file.strip_prefix(directory).is_ok_and(|below| !is_passing(below)),
            Inputs::Files(files) => files.contains(file),
        }
    }

    /// The directories that must be watched to hear of changes.
    pub(crate) fn directories(&self) -> BTreeSet<PathBuf> {
        match self {
            Inputs::Below(directory) => tree::own_directories(directory).into_iter().collect(),
            Inputs::Files(files) => {
                files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect()
            }
        }
    }
}

/// Files that come and go while others are edited or run.
fn is_passing(below: &Path) -> bool {
    let passing = |part: &str| {
        matches!(part, ".git" | "__pycache__" | "4913" | ".DS_Store")
            || part.ends_with('~')
            || part.ends_with(".swp")
            || part.ends_with(".swx")
            || part.starts_with(".#")
    };
    below.iter().any(|part| passing(&part.to_string_lossy()))
}

/// The functions, by number, that the changed files belong to, and with each the file that says it first.
///
/// A function whose last build failed is concerned by every change: what it lacked may be there now.
pub(crate) fn concerned<'c>(
    functions: impl Iterator<Item = (&'c Inputs, bool)>,
    changed: &BTreeSet<PathBuf>,
) -> Vec<(usize, PathBuf)> {
    let cause = |(number, (inputs, failed)): (usize, (&Inputs, bool))| {
        let mut own = changed.iter().filter(|file| inputs.have(file));
        let any = || changed.iter().find(|file| failed && !is_passing(file));
        Some((number, own.next().or_else(any)?.clone()))
    };
    functions.enumerate().filter_map(cause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeSet<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_change_concerns_the_functions_that_are_made_from_the_file() {
        let deposit = Inputs::Files(files(&["/app/src/deposit.ts", "/app/src/trading.ts"]));
        let withdrawal = Inputs::Files(files(&["/app/src/withdrawal.ts", "/app/src/trading.ts"]));
        let report = Inputs::Below("/app/report".into());
        let concerned = |changed: &[&str], failed: bool| -> Vec<usize> {
            let functions = [(&deposit, false), (&withdrawal, failed), (&report, false)];
            super::concerned(functions.into_iter(), &files(changed))
                .into_iter()
                .map(|(number, _)| number)
                .collect()
        };
        assert_eq!(concerned(&["/app/src/deposit.ts"], false), [0]);
        assert_eq!(concerned(&["/app/src/trading.ts"], false), [0, 1]);
        assert_eq!(concerned(&["/app/report/a/b.py", "/app/src/deposit.ts"], false), [0, 2]);
        assert_eq!(concerned(&["/app/reports/b.py", "/app/src/other.ts"], false), [] as [usize; 0]);
        assert_eq!(concerned(&["/app/src/other.ts"], true), [1]);
        let passing = ["/app/report/__pycache__/a.pyc", "/app/report/.a.py.swp", "/app/report/a.py~"];
        assert_eq!(concerned(&passing, true), [] as [usize; 0]);
    }

    #[test]
    fn the_directories_of_the_files_are_watched() {
        let bundle = Inputs::Files(files(&["/app/src/a.ts", "/app/src/b.ts", "/app/lib/c.ts"]));
        assert_eq!(bundle.directories(), files(&["/app/src", "/app/lib"]));
    }
}
