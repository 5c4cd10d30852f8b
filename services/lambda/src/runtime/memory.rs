//! The resident memory of a process and its descendants, read from `/proc`. Zero where there is no `/proc`.

use std::fs;

use super::descendants;

/// The peak resident size of the process itself, in MiB, rounded up.
pub(super) fn peak_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field_kb(&status, "VmHWM:").div_ceil(1024)
}

/// A field of `/proc/<pid>/status` in kB; zero if it is not there.
fn field_kb(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// The resident size, now, of the process and all its descendants, in MiB.
pub(super) fn resident_mb(pid: u32) -> u64 {
    let kb: u64 = descendants::family(pid).into_iter().map(own_kb).sum();
    kb / 1024
}

/// Resident memory that is no file's: what the process needs of its own where libraries are shared.
fn own_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field_kb(&status, "RssAnon:") + field_kb(&status, "RssShmem:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status_text() {
        assert_eq!(field_kb("Name:\tnode\nVmPeak:\t  10 kB\nVmHWM:\t   2049 kB\n", "VmHWM:"), 2049);
        assert_eq!(field_kb("", "VmHWM:"), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        assert!(peak_mb(std::process::id()) > 0);
        assert_eq!(resident_mb(u32::MAX), 0);
    }
}
