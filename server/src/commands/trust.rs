//! `buswork trust`

use std::fs;

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
