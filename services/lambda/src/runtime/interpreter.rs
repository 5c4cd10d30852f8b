//! Which program runs a runtime identifier, and where it is on this machine.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::process;
use super::spec::InvokeError;

/// How a runtime's functions are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// The package's own `bootstrap`.
    Provided,
    /// Our loop on Node.js of this major version.
    Node(u32),
    /// Our loop on Python 3 of this minor version.
    Python(u32),
}

impl Family {
    /// The family of AWS's runtime identifier; `None` if it is not served.
    pub(super) fn of(runtime: &str) -> Option<Family> {
        if matches!(runtime, "provided" | "provided.al2" | "provided.al2023") {
            return Some(Family::Provided);
        }
        if let Some(major) = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")) {
            return major.parse().ok().filter(|major| *major >= 14).map(Family::Node);
        }
        let minor = runtime.strip_prefix("python3.")?;
        minor.parse().ok().filter(|minor| *minor >= 8).map(Family::Python)
    }
}

/// A program that was found and has told its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub(super) program: PathBuf,
    /// `20.20.2`.
    pub(super) version: String,
    /// The directories that it reads its own files from.
    pub(super) prefixes: Vec<PathBuf>,
}

impl Interpreter {
    /// Whether this is the version that the runtime identifier names.
    pub(super) fn is(&self, family: Family) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().ok());
        match family {
            Family::Provided => true,
            Family::Node(major) => parts.next() == Some(Some(major)),
            Family::Python(minor) => parts.nth(1) == Some(Some(minor)),
        }
    }
}

/// The interpreters of this machine, each asked for its version once.
pub(super) struct Interpreters {
    /// Runtime identifier, `nodejs` or `python` to program.
    configured: BTreeMap<String, PathBuf>,
    /// A program that does not answer is not asked again: shims of absent versions are slow to say no.
    probed: Mutex<HashMap<PathBuf, Arc<OnceCell<Option<Interpreter>>>>>,
}

impl Interpreters {
    pub(super) fn new(configured: BTreeMap<String, PathBuf>) -> Interpreters {
        Interpreters { configured, probed: Mutex::default() }
    }

    /// The interpreter of a managed runtime: the configured one, else the exact version on PATH, else any version on PATH.
    pub(super) async fn find(&self, runtime: &str, family: Family) -> Result<Interpreter, InvokeError> {
        let search = std::env::var_os("PATH").unwrap_or_default();
        for candidate in self.candidates(runtime, family, &search) {
            if let Some(found) = self.probe(&candidate, family).await {
                return Ok(found);
            }
        }
        let (what, key) = match family {
            Family::Python(minor) => (format!("Python 3.{minor} (`python3.{minor}` or `python3`)"), "python"),
            Family::Node(major) => (format!("Node.js {major} (`node`)"), "nodejs"),
            Family::Provided => ("a bootstrap".to_owned(), "provided"),
        };
        let message = format!(
            "the runtime {runtime} needs {what}, which is not on the PATH; install it or configure the interpreter of `{key}`"
        );
        Err(InvokeError::InvalidRuntime(message))
    }

    fn candidates(&self, runtime: &str, family: Family, search: &OsStr) -> Vec<PathBuf> {
        let (group, names) = match family {
            Family::Provided => return Vec::new(),
            Family::Node(major) => {
                ("nodejs", vec![format!("node{major}"), format!("node-{major}"), "node".to_owned()])
            }
            Family::Python(minor) => ("python", vec![format!("python3.{minor}"), "python3".to_owned()]),
        };
        let configured = self.configured.get(runtime).or_else(|| self.configured.get(group)).cloned();
        let directories: Vec<PathBuf> = std::env::split_paths(search).collect();
        let on_path = names.iter().flat_map(|name| directories.iter().map(move |dir| dir.join(name)));
        configured.into_iter().chain(on_path.filter(|path| path.is_file())).collect()
    }

    async fn probe(&self, program: &Path, family: Family) -> Option<Interpreter> {
        let cell = {
            let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(probed.entry(program.to_owned()).or_default())
        };
        cell.get_or_init(|| ask(program, family)).await.clone()
    }
}

/// Asks the program for its real path, its version and its prefixes, one a line. The real path matters: version managers
/// put slow shims on the PATH.
async fn ask(program: &Path, family: Family) -> Option<Interpreter> {
    let arguments: [&str; 2] = match family {
        Family::Python(_) => [
            "-c",
            "import sys; print(sys.executable); print('.'.join(map(str, sys.version_info[:3]))); print(sys.prefix); print(sys.base_prefix)",
        ],
        Family::Node(_) | Family::Provided => ["-p", "process.execPath + '\\n' + process.versions.node"],
    };
    let text = process::output_of(program, &arguments).await;
    let text = text
        .inspect_err(|error| tracing::debug!(program = %program.display(), %error, "no interpreter"))
        .ok()?;
    let mut lines = text.lines();
    let (path, version) = (lines.next()?, lines.next()?);
    let program = PathBuf::from(path);
    let mut prefixes: Vec<PathBuf> = lines.map(PathBuf::from).collect();
    for path in [Some(program.clone()), program.canonicalize().ok()].into_iter().flatten() {
        prefixes.extend(path.parent().map(Path::to_owned));
        prefixes.extend(path.parent().and_then(Path::parent).map(Path::to_owned));
    }
    // `/` would open everything; a program there is covered by the system's own directories.
    prefixes.retain(|path| path.parent().is_some());
    prefixes.sort();
    prefixes.dedup();
    Some(Interpreter { program, version: version.to_owned(), prefixes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_have_families() {
        for (runtime, family) in [
            ("provided.al2", Some(Family::Provided)),
            ("provided.al2023", Some(Family::Provided)),
            ("nodejs20.x", Some(Family::Node(20))),
            ("python3.13", Some(Family::Python(13))),
            ("nodejs", None),
            ("python2.7", None),
            ("java21", None),
        ] {
            assert_eq!(Family::of(runtime), family, "{runtime}");
        }
    }

    #[test]
    fn versions_are_compared_as_aws_names_them() {
        let node = Interpreter { program: PathBuf::new(), version: "20.20.2".into(), prefixes: vec![] };
        assert!(node.is(Family::Node(20)) && !node.is(Family::Node(22)));
        let python = Interpreter { program: PathBuf::new(), version: "3.11.7".into(), prefixes: vec![] };
        assert!(python.is(Family::Python(11)) && !python.is(Family::Python(9)));
    }

    #[tokio::test]
    async fn a_missing_interpreter_is_named() {
        let interpreters = Interpreters::new(BTreeMap::new());
        let found = interpreters.candidates("python3.99", Family::Python(99), OsStr::new("/nowhere"));
        assert_eq!(found, Vec::<PathBuf>::new());
    }
}
