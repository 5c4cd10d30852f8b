//! What a process sees at `/opt`: the function's layers over what the machine has there, as AWS puts them.
//!
//! Knows mounts and name spaces, nothing of functions. Runs in the launcher, whose only thread this is, before it restricts
//! itself. The machine itself sees none of it: the mount is in a name space of the process's own, and goes with it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html>

use std::path::Path;

/// Where AWS puts layers.
pub(super) const OPT: &str = "/opt";

/// Lays the files of `layers` over the machine's `/opt`, for this process and what it becomes. All of it is read-only.
///
/// # Errors
/// The kernel or its settings do not allow it: overlays or name spaces are not there, or `/opt` is not.
#[cfg(target_os = "linux")]
pub(super) fn lay_over_opt(layers: &Path) -> Result<(), String> {
    use nix::mount::{MsFlags, mount};
    if mounts_below_opt()? {
        return Err("file systems are mounted below /opt, and an overlay would hide them".to_owned());
    }
    own_name_space().map_err(|error| format!("no name space of its own: {error}"))?;
    let inherited = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount::<str, str, str, str>(None, "/", None, inherited, None)
        .map_err(|error| format!("mounts cannot be kept private: {error}"))?;
    let options = format!("lowerdir={}:{OPT}", escaped(layers)?);
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("overlay"), OPT, Some("overlay"), flags, Some(options.as_str()))
        .map_err(|error| format!("no overlay at {OPT}: {error}"))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lay_over_opt(_layers: &Path) -> Result<(), String> {
    Err("this system has no mounts of a process's own".to_owned())
}

/// Mounts of the process's own: at once where it may, otherwise as a user of a name space of its own who is the same one
/// outside.
#[cfg(target_os = "linux")]
fn own_name_space() -> std::io::Result<()> {
    use nix::errno::Errno;
    use nix::sched::{CloneFlags, unshare};
    match unshare(CloneFlags::CLONE_NEWNS) {
        Err(Errno::EPERM) => {}
        other => return Ok(other?),
    }
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1", user = user.as_raw()))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1", group = group.as_raw()))
}

/// The path in an overlay's options, which commas, colons and backslashes end or split.
#[cfg(target_os = "linux")]
fn escaped(path: &Path) -> Result<String, String> {
    let text = path.to_str().ok_or("the data directory's path is not UTF-8")?;
    Ok(text.replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,"))
}

/// Whether a file system is mounted at or below an entry of `/opt`.
#[cfg(target_os = "linux")]
fn mounts_below_opt() -> Result<bool, String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| format!("mounts cannot be read: {error}"))?;
    let below = |line: &str| line.split(' ').nth(4).is_some_and(|point| point.starts_with("/opt/"));
    Ok(mounts.lines().any(below))
}
