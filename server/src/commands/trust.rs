//! `buswork trust`

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::{TrustArgs, complain, say};
use crate::config::{DATA_DIR, TLS_DIR};
use crate::tls::authority::{Authority, CERTIFICATE, Names};
use crate::tls::trust;

/// Says where the local authority of a data directory is, or makes this machine trust it. It is made if no server has run
/// there yet, so that it can be trusted before the first start.
///
/// # Errors
/// The authority cannot be read or made, or no store of this machine could be told.
pub fn trust(args: &TrustArgs) -> anyhow::Result<()> {
    if let Some(named) = &args.data_dir {
        check(named)?;
    }
    let data_dir = args.data_dir.clone().unwrap_or_else(|| DATA_DIR.into());
    let directory = data_dir.join(TLS_DIR);
    let opened = Authority::open(&directory, &Names::default());
    // In another user's directory, what everybody may read is enough.
    if let Err(error) = opened
        && !directory.join(CERTIFICATE).exists()
    {
        return Err(error);
    }
    let certificate = fs::canonicalize(directory.join(CERTIFICATE))
        .with_context(|| format!("there is no local authority in {}", directory.display()))?;
    if args.pem {
        say(fs::read_to_string(&certificate)?.trim_end());
        return Ok(());
    }
    if !args.install {
        say(&certificate.display().to_string());
        return Ok(());
    }
    let mut installed = false;
    for told in trust::install(&certificate) {
        match told.outcome {
            Ok(done) => {
                installed = true;
                say(&format!("{}: {done}", told.store));
            }
            Err(error) => complain(&format!("{}: {error:#}", told.store)),
        }
    }
    if !installed {
        bail!("nothing on this machine trusts {} yet", certificate.display());
    }
    say(&format!("programs with a store of their own: NODE_EXTRA_CA_CERTS={}", certificate.display()));
    Ok(())
}

/// Refuses a directory that is named and is no server's: an authority there would be trusted by somebody and used by nobody. An
/// empty one may become a server's.
fn check(data_dir: &Path) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(data_dir) else {
        bail!(
            "there is no data directory {}; make it first if a server is to be started with it",
            data_dir.display()
        );
    };
    let is_known = [TLS_DIR, "fjall", "redb"].iter().any(|name| data_dir.join(name).exists());
    if entries.count() > 0 && !is_known {
        bail!(
            "{} holds no store; --data-dir names the directory that a server is started with",
            data_dir.display()
        );
    }
    Ok(())
}
