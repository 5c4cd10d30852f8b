//! TLS on the port that speaks plain HTTP too: whose certificates are shown, and who is asked to trust them.
//!
//! Knows names, keys and files. Knows nothing of connections or requests.

pub mod authority;
mod certificates;
pub mod stream;
pub mod trust;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::ResolvesServerCert;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};

use authority::{Authority, Names};
use certificates::OnDemand;

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSettings {
    /// A certificate with its chain and its key, both in PEM, as an operator has them from an authority.
    Given {
        /// The certificate, and those of the authorities between it and the root.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// A local authority of our own. With a directory it is kept there; without one it lives as long as the process.
    Local {
        /// Where the authority is kept.
        directory: Option<PathBuf>,
        /// Where what everybody may read goes, if the authority is not kept.
        public: PathBuf,
    },
}

/// What a listener needs for TLS, and what clients have to trust.
pub struct Tls {
    /// The configuration of every connection.
    pub config: Arc<ServerConfig>,
    /// The local authority as others may see it; `None` if the certificate was given.
    pub trusted: Option<lambda::runtime::Trusted>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the certificate that is given, or opens the local authority, which is made at the first start. `names` are
    /// those under which this server is reached.
    ///
    /// # Errors
    /// Files that cannot be read or written, a key that does not belong to its certificate.
    pub fn open(settings: &TlsSettings, names: &Names) -> anyhow::Result<Tls> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let (certificates, trusted): (Arc<dyn ResolvesServerCert>, _) = match settings {
            TlsSettings::Given { cert, key } => (Arc::new(given(&provider, cert, key)?), None),
            TlsSettings::Local { directory, public } => {
                let authority = match directory {
                    Some(directory) => Authority::open(directory, names)?,
                    None => Authority::make(names)?,
                };
                let trusted = authority.publish(directory.as_ref().unwrap_or(public))?;
                (Arc::new(OnDemand::new(authority, names.clone(), &provider)?), Some(trusted))
            }
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), trusted })
    }
}

/// What a client accepts: what this machine trusts, and the bundle that AWS's clients are told by `AWS_CA_BUNDLE`. Nothing is
/// read for a client that needs no TLS.
///
/// # Errors
/// The bundle cannot be read.
pub fn client(is_needed: bool) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if is_needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(bundle) = std::env::var_os("AWS_CA_BUNDLE") {
            roots.add_parsable_certificates(certificates_in(Path::new(&bundle))?);
        }
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn certificates_in(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot use {}", path.display()))
}

/// The operator's own certificate, for whatever name a client asks.
fn given(provider: &CryptoProvider, cert: &Path, key: &Path) -> anyhow::Result<SingleCertAndKey> {
    let chain = certificates_in(cert)?;
    anyhow::ensure!(!chain.is_empty(), "there is no certificate in {}", cert.display());
    let private =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot use {}", key.display()))?;
    let certified = CertifiedKey::from_der(chain, private, provider)
        .with_context(|| format!("{} is not the key of {}", key.display(), cert.display()))?;
    Ok(certified.into())
}
