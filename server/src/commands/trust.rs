//! `buswork trust`

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::cli::{TrustArgs, complain, say};
use crate::config::{DATA_DIR, TLS_DIR};
use crate::tls::authority::CERTIFICATE;
use crate::tls::trust::{self, Told, Which};

/// Says where the local authority of a data directory is, or makes this machine trust it, or trust it no more. None is made
/// here: who trusted one that no server uses would have gained nothing.
///
/// # Errors
/// There is no authority or it cannot be read, or no store of this machine could be told.
pub fn trust(args: &TrustArgs) -> anyhow::Result<()> {
    if args.uninstall && args.all {
        return uninstall(&Which::All);
    }
    let certificate = find(args.data_dir.as_deref().unwrap_or_else(|| Path::new(DATA_DIR)))?;
    if args.uninstall {
        return uninstall(&Which::Of(&certificate));
    }
    if args.pem {
        let pem = fs::read_to_string(&certificate);
        say(pem.with_context(|| format!("cannot read {}", certificate.display()))?.trim_end());
        return Ok(());
    }
    if !args.install {
        say(&certificate.display().to_string());
        return Ok(());
    }
    if !tell(trust::install(&certificate)).any {
        bail!("nothing on this machine trusts {} yet", certificate.display());
    }
    say(&format!("programs with a store of their own: NODE_EXTRA_CA_CERTS={}", certificate.display()));
    Ok(())
}

fn uninstall(which: &Which<'_>) -> anyhow::Result<()> {
    match tell(trust::uninstall(which)).all {
        true => Ok(()),
        false => bail!("this machine may trust it still"),
    }
}

/// Of the stores that were told, whether any and whether all did it.
struct Done {
    any: bool,
    all: bool,
}

fn tell(stores: Vec<Told>) -> Done {
    let mut done = Done { any: false, all: true };
    for told in stores {
        match told.outcome {
            Ok(text) => {
                done.any = true;
                say(&format!("{}: {text}", told.store));
            }
            Err(error) => {
                done.all = false;
                complain(&format!("{}: {error:#}", told.store));
            }
        }
    }
    done
}

/// The authority's certificate. Its directory, where the key is, too, is closed to other users.
fn find(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let directory = data_dir.join(TLS_DIR);
    let certificate = directory.join(CERTIFICATE);
    fs::canonicalize(&certificate).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            "there is no local authority in {}: a server makes it at its first start, unless it is given a certificate, and \
             says where (`authority=…` in its log); name the directory that the server is started with: --data-dir DIRECTORY \
             or BUSWORK_DATA_DIR",
            std::path::absolute(&directory).unwrap_or(directory).display()
        ),
        ErrorKind::PermissionDenied => anyhow!(error).context(format!(
            "cannot read {}; ask as the user who runs the server",
            certificate.display()
        )),
        _ => anyhow!(error).context(format!("cannot read {}", certificate.display())),
    })
}
