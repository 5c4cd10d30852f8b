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

fn system(certificate: &Path) -> anyhow::Result<String> {
    let (directory, program) = if Path::new(DEBIAN).is_dir() {
        (DEBIAN, "update-ca-certificates")
    } else if Path::new(FEDORA).is_dir() {
        (FEDORA, "update-ca-trust")
    } else {
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
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    let database = PathBuf::from(home).join(".pki/nssdb");
    let place = format!("sql:{}", database.display());
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
    Ok(format!("buswork-{}", hex::encode(&Sha256::digest(text)[..4])))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system's stores are changed by the system's programs only"
)]
fn run(program: &str, arguments: &[OsString]) -> anyhow::Result<()> {
    let output = std::process::Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}", said.trim());
    Ok(())
}
