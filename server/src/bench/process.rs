//! What the system says about a process.

use anyhow::Context;

/// Linux tells times of processes in hundredths of a second, whatever its own timer does (`proc_pid_stat(5)`).
const MICROS_PER_TICK: u64 = 10_000;

/// The CPU time that a process has used, user and system, in microseconds.
///
/// # Errors
/// There is no such process, or this is not Linux.
pub(crate) fn cpu_micros(pid: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("cannot read the CPU time of process {pid}"))?;
    ticks(&stat).map(|ticks| ticks * MICROS_PER_TICK).context("/proc/<pid>/stat is not as expected")
}

/// The memory of a process that is resident, in MiB.
///
/// # Errors
/// There is no such process, or this is not Linux.
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("cannot read the memory of process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// `utime` and `stime`, fields 14 and 15. The second field, in parentheses, may contain anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_does_not_move_the_fields() {
        assert_eq!(ticks("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20"), Some(42));
        assert_eq!(ticks("7 (a"), None);
    }
}
