//! Makes this machine trust the local authority: its system's store, and the one that browsers on Linux read.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

/// Where Debian and its like take further authorities from.
const DEBIAN: &str = "/usr/local/share/ca-certificates";
/// Where Fedora and its like do.
const FEDORA: &str = "/etc/pki/ca-trust/source/anchors";
/// How the names of our authorities begin in a store.
const PREFIX: &str = "buswork-";
/// So much of the certificate's digest follows.
const DIGEST_BYTES: usize = 4;

/// What came of one store.
pub struct Told {
    /// Which store.
    pub store: &'static str,
    /// What was done, or why it could not be.
    pub outcome: anyhow::Result<String>,
}

/// Installs the certificate wherever this machine keeps what it trusts.
pub fn install(certificate: &Path) -> Vec<Told> {
    vec![
        Told { store: "system", outcome: system(certificate) },
        Told { store: "browsers (NSS)", outcome: browsers(certificate) },
    ]
}

/// Which authorities are to be removed.
pub enum Which<'a> {
    /// The one of this certificate.
    Of(&'a Path),
    /// Every one that `install` has put there.
    All,
}

impl Which<'_> {
    /// Their names, of those that a store has.
    fn among(&self, known: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
        let only = match self {
            Which::Of(certificate) => Some(name(certificate)?),
            Which::All => None,
        };
        Ok(known.filter(|known| only.as_ref().map_or_else(|| is_name(known), |only| only == known)).collect())
    }
}

/// Removes what `install` puts there. A store that has none is left alone.
pub fn uninstall(which: &Which<'_>) -> Vec<Told> {
    vec![
        Told { store: "system", outcome: out_of_system(which) },
        Told { store: "browsers (NSS)", outcome: out_of_browsers(which) },
    ]
}

fn out_of_system(which: &Which<'_>) -> anyhow::Result<String> {
    let Some((directory, program)) = system_store() else {
        return Ok("nothing was installed".to_owned());
    };
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {directory}"))?;
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let names = which.among(files.filter_map(|file| file.strip_suffix(".crt").map(str::to_owned)))?;
    if names.is_empty() {
        return Ok("nothing was installed".to_owned());
    }
    let targets: Vec<PathBuf> =
        names.iter().map(|name| Path::new(directory).join(format!("{name}.crt"))).collect();
    let shown = targets.iter().map(|target| target.display().to_string()).collect::<Vec<_>>().join(" ");
    // Debian's program leaves links to what is gone unless it begins afresh.
    let arguments: &[&str] = if directory == DEBIAN { &["--fresh"] } else { &[] };
    let by_hand = || {
        format!("not permitted; as an administrator run: rm -f {shown} && {program} {}", arguments.join(" "))
    };
    for target in &targets {
        fs::remove_file(target).with_context(by_hand)?;
    }
    run(program, &arguments.iter().map(OsString::from).collect::<Vec<_>>()).with_context(by_hand)?;
    Ok(format!("{shown} removed"))
}

fn out_of_browsers(which: &Which<'_>) -> anyhow::Result<String> {
    let (database, place) = browsers_store()?;
    if !database.join("cert9.db").exists() {
        return Ok("nothing was installed".to_owned());
    }
    let missing = "`certutil` is needed (Debian: apt install libnss3-tools)";
    let list = run("certutil", &["-d".into(), place.clone().into(), "-L".into()]).context(missing)?;
    // A line ends with what the certificate is trusted for.
    let known = list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    let names = which.among(known)?;
    for name in &names {
        run("certutil", &["-d", &place, "-D", "-n", name].map(OsString::from)).context(missing)?;
    }
    match names.is_empty() {
        true => Ok("nothing was installed".to_owned()),
        false => Ok(format!("{} removed from {}", names.join(" "), database.display())),
    }
}

/// Where this system takes further authorities from, and the program that must be run then.
fn system_store() -> Option<(&'static str, &'static str)> {
    let stores = [(DEBIAN, "update-ca-certificates"), (FEDORA, "update-ca-trust")];
    stores.into_iter().find(|(directory, _)| Path::new(directory).is_dir())
}

/// The directory of the NSS database of this user's browsers, and what `certutil` calls it.
fn browsers_store() -> anyhow::Result<(PathBuf, String)> {
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    let database = PathBuf::from(home).join(".pki/nssdb");
    let place = format!("sql:{}", database.display());
    Ok((database, place))
}

fn system(certificate: &Path) -> anyhow::Result<String> {
    let Some((directory, program)) = system_store() else {
        bail!(
            "neither {DEBIAN} nor {FEDORA} is here; add {} by this system's own means",
            certificate.display()
        );
    };
    let target = Path::new(directory).join(format!("{}.crt", name(certificate)?));
    let by_hand = || {
        format!(
            "not permitted; as an administrator run: cp {} {} && {program}",
            certificate.display(),
            target.display()
        )
    };
    fs::copy(certificate, &target).with_context(by_hand)?;
    run(program, &[]).with_context(by_hand)?;
    Ok(format!("{} is installed", target.display()))
}

/// Chromium reads its user's NSS database, and nothing of the system's store.
fn browsers(certificate: &Path) -> anyhow::Result<String> {
    let (database, place) = browsers_store()?;
    let name = name(certificate)?;
    let missing = "`certutil` is needed (Debian: apt install libnss3-tools)";
    if !database.join("cert9.db").exists() {
        fs::create_dir_all(&database).with_context(|| format!("cannot make {}", database.display()))?;
        run("certutil", &["-d".into(), place.clone().into(), "-N".into(), "--empty-password".into()])
            .context(missing)?;
    }
    let arguments = ["-d", &place, "-A", "-t", "C,,", "-n", &name, "-i"].map(OsString::from);
    let arguments: Vec<OsString> = arguments.into_iter().chain([certificate.into()]).collect();
    run("certutil", &arguments).context(missing)?;
    Ok(format!("{name} is in {}", database.display()))
}

/// What the certificate is called in a store: two authorities of one machine get two names.
fn name(certificate: &Path) -> anyhow::Result<String> {
    let text = fs::read(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
    Ok(format!("{PREFIX}{}", hex::encode(&Sha256::digest(text)[..DIGEST_BYTES])))
}

/// Whether a name is one that `name` gives.
fn is_name(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == 2 * DIGEST_BYTES && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system's stores are changed by the system's programs only"
)]
fn run(program: &str, arguments: &[OsString]) -> anyhow::Result<String> {
    let output = std::process::Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_installed_from_here_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let certificate = home.path().join("ca.pem");
        fs::write(&certificate, "one").unwrap();
        let own = name(&certificate).unwrap();
        let known =
            || [own.as_str(), "buswork-00aa11bb", "buswork-notes", "mkcert-00aa11bb"].map(str::to_owned);
        assert_eq!(Which::Of(&certificate).among(known().into_iter()).unwrap(), [own.as_str()]);
        assert_eq!(Which::All.among(known().into_iter()).unwrap(), [own.as_str(), "buswork-00aa11bb"]);
        assert!(Which::Of(&home.path().join("none")).among(known().into_iter()).is_err());
    }
}
