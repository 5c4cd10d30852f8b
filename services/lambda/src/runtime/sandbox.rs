//! The launcher: a program that puts limits on itself and then becomes the function. Started as
//! `buswork sandbox-exec [--opt PATH] [--ro PATH]… [--rw PATH]… [--files N] [--file-mb N] -- PROGRAM ARGUMENTS…`, or as
//! `buswork sandbox-exec --can-opt PATH`, which ends with 0 if it could do what `--opt` asks for.
//!
//! Knows limits and paths, nothing of functions. It runs before the program and in the same process, so that no code of ours
//! runs between fork and exec.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::view;

/// Directories of the system that every program may read and run.
const SYSTEM: [&str; 13] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix", "/proc", "/sys", "/dev",
    "/run",
];

/// Devices that every program may write to.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What a launched program is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// The directory that is seen over the machine's `/opt`.
    pub opt: Option<PathBuf>,
    /// Readable and executable paths, besides the system's own.
    pub read: Vec<PathBuf>,
    /// Paths that may be written too.
    pub write: Vec<PathBuf>,
    /// How many files may be open at once.
    pub files: Option<u64>,
    /// How large one file may become, in MiB.
    pub file_mb: Option<u64>,
}

impl Confinement {
    /// The launcher's arguments that ask for this, up to and including the `--` before the program.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut all = Vec::new();
        let mut option = |name: &str, value: OsString| all.extend([OsString::from(name), value]);
        self.opt.iter().for_each(|path| option("--opt", path.into()));
        self.read.iter().for_each(|path| option("--ro", path.into()));
        self.write.iter().for_each(|path| option("--rw", path.into()));
        self.files.iter().for_each(|n| option("--files", n.to_string().into()));
        self.file_mb.iter().for_each(|n| option("--file-mb", n.to_string().into()));
        all.push("--".into());
        all
    }

    /// Parses the launcher's arguments: the confinement, and the program with its own arguments.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Confinement, Vec<OsString>), String> {
        let mut arguments = arguments.into_iter();
        let mut confinement = Confinement::default();
        while let Some(option) = arguments.next() {
            if option == "--" {
                break;
            }
            let value = arguments.next().ok_or_else(|| format!("{} needs a value", option.display()))?;
            let number = || value.to_str().and_then(|text| text.parse().ok());
            match option.to_str() {
                Some("--opt") => confinement.opt = Some(value.into()),
                Some("--ro") => confinement.read.push(value.into()),
                Some("--rw") => confinement.write.push(value.into()),
                Some("--files") => confinement.files = number(),
                Some("--file-mb") => confinement.file_mb = number(),
                _ => return Err(format!("unknown option {}", option.display())),
            }
        }
        let program: Vec<OsString> = arguments.collect();
        if program.is_empty() { Err("no program is named".to_owned()) } else { Ok((confinement, program)) }
    }
}

/// The option that only asks whether [`Confinement::opt`] is possible here.
pub(super) const CAN_OPT: &str = "--can-opt";

/// Runs the launcher with the arguments that follow its own name. Returns only if the program cannot be started, or if
/// none is asked for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let done = match arguments.as_slice() {
        [option, path] if option == CAN_OPT => view::lay_over_opt(path.as_ref()),
        _ => launch(arguments)
            .map(|never| match never {})
            .map_err(|message| format!("failed to start the function: {message}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::from(126)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the launcher's stderr is the function's log")]
fn complain(message: &str) {
    eprintln!("{message}");
}

fn launch(arguments: impl IntoIterator<Item = OsString>) -> Result<Infallible, String> {
    let (confinement, program) = Confinement::parse(arguments)?;
    limit(&confinement).map_err(|error| format!("failed to set limits: {error}"))?;
    if let Some(layers) = &confinement.opt {
        view::lay_over_opt(layers)?;
    }
    // Behind the change of name spaces, which may take it back.
    die_with_parent().map_err(|error| format!("failed to ask for the death signal: {error}"))?;
    restrict(&confinement)?;
    let error = become_program(&program);
    Err(format!("fork/exec {}: {error}", program[0].display()))
}

#[expect(clippy::disallowed_methods, reason = "exec replaces this process; nothing is started beside it")]
fn become_program(program: &[OsString]) -> io::Error {
    std::process::Command::new(&program[0]).args(&program[1..]).exec()
}

fn limit(confinement: &Confinement) -> io::Result<()> {
    let set = |resource, value: u64| {
        // A limit that is lower already stays.
        let most = rustix::process::getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
    };
    set(Resource::Core, 0)?;
    if let Some(files) = confinement.files {
        set(Resource::Nofile, files)?;
    }
    if let Some(mb) = confinement.file_mb {
        set(Resource::Fsize, mb.saturating_mul(1024 * 1024))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn die_with_parent() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> io::Result<()> {
    Ok(())
}

/// Applies as much of Landlock as the kernel has. A kernel without it is no error: the server has said so at its start.
#[cfg(target_os = "linux")]
fn restrict(confinement: &Confinement) -> Result<(), String> {
    use landlock::{
        ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope, path_beneath_rules,
    };
    let abi = ABI::V6;
    let (all, read) = (AccessFs::from_all(abi), AccessFs::from_read(abi));
    let build = || {
        Ruleset::default()
            .handle_access(all)?
            .scope(Scope::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(SYSTEM, read))?
            .add_rules(path_beneath_rules(DEVICES, all))?
            .add_rules(path_beneath_rules(&confinement.read, read))?
            .add_rules(path_beneath_rules(&confinement.write, all))?
            .restrict_self()
    };
    build().map(|_| ()).map_err(|error: landlock::RulesetError| format!("failed to restrict: {error}"))
}

#[cfg(not(target_os = "linux"))]
fn restrict(_confinement: &Confinement) -> Result<(), String> {
    Ok(())
}

/// Which layers of isolation functions have on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isolation {
    /// Limits and the death signal: only through the launcher.
    pub launcher: bool,
    /// The file system is restricted by Landlock.
    pub files: bool,
    /// Signals and abstract sockets are kept inside by Landlock.
    pub signals: bool,
    /// Memory is watched through `/proc`.
    pub memory_watch: bool,
}

impl Isolation {
    /// Looks at what the kernel offers; `launcher` says whether functions are started through one. Restricts nothing.
    pub fn probe(launcher: bool) -> Isolation {
        let (files, signals) = if launcher { landlock_offers() } else { (false, false) };
        Isolation { launcher, files, signals, memory_watch: PathBuf::from("/proc/self/statm").exists() }
    }
}

#[cfg(target_os = "linux")]
fn landlock_offers() -> (bool, bool) {
    use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
    let required = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let files = required().handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create);
    let signals = required().scope(Scope::from_all(ABI::V6)).and_then(Ruleset::create);
    (files.is_ok(), signals.is_ok())
}

#[cfg(not(target_os = "linux"))]
fn landlock_offers() -> (bool, bool) {
    (false, false)
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: bool| if on { "on" } else { "off" };
        write!(
            f,
            "process group on, limits {}, landlock files {}, landlock signals {}, memory watch {}",
            on(self.launcher),
            on(self.files),
            on(self.signals),
            on(self.memory_watch)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_round_trip() {
        let confinement = Confinement {
            opt: Some("/o".into()),
            read: vec!["/a".into(), "/b".into()],
            write: vec!["/c".into()],
            files: Some(1024),
            file_mb: Some(512),
        };
        let mut arguments = confinement.arguments();
        arguments.extend(["node".into(), "--ro".into()]);
        let program = vec![OsString::from("node"), OsString::from("--ro")];
        assert_eq!(Confinement::parse(arguments), Ok((confinement, program)));
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [vec!["--ro"], vec!["--what", "1", "--", "x"], vec!["--"], vec![]] {
            let arguments = arguments.into_iter().map(OsString::from);
            assert!(Confinement::parse(arguments).is_err());
        }
    }
}
