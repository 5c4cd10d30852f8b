//! Certificates as clients ask for them by name, made when the first one asks.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use kernel::Clock;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::authority::{Authority, LEAF_DAYS, Names, is_ours};

/// How many names are remembered. A client that asks for more of them than anybody needs costs their making, no memory.
const NAMES_MAX: usize = 1024;
/// A certificate that is older than half its time is made anew.
const RENEW_AFTER_MS: i64 = LEAF_DAYS / 2 * 86_400_000;

/// The name under which the certificate for everything else stands.
const EVERYTHING_ELSE: &str = "";

/// Certificates of the local authority.
pub(super) struct OnDemand {
    authority: Authority,
    provider: Arc<CryptoProvider>,
    names: Names,
    made: Mutex<HashMap<String, Made>>,
}

#[derive(Clone)]
struct Made {
    at: Timestamp,
    certified: Arc<CertifiedKey>,
}

impl fmt::Debug for OnDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDemand").field("names", &self.names).finish_non_exhaustive()
    }
}

impl OnDemand {
    /// Certificates of `authority` for a server that is reached under `names` and the local ones.
    ///
    /// # Errors
    /// A name that no certificate may hold.
    pub(super) fn new(
        authority: Authority,
        names: Names,
        provider: &Arc<CryptoProvider>,
    ) -> anyhow::Result<OnDemand> {
        let this = OnDemand { authority, provider: Arc::clone(provider), names, made: Mutex::default() };
        this.made_now(EVERYTHING_ELSE)?;
        Ok(this)
    }

    /// The certificate for a name that was asked for. Who names nothing connects to an address.
    fn certificate(&self, asked: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let asked = asked.map(str::to_ascii_lowercase).filter(|name| is_ours(name));
        let name = asked.as_deref().filter(|name| *name != "localhost").unwrap_or(EVERYTHING_ELSE);
        let fresh = Clock::real().now().as_millis() - RENEW_AFTER_MS;
        if let Some(made) = self.lock().get(name).filter(|made| made.at.as_millis() > fresh) {
            return Some(Arc::clone(&made.certified));
        }
        match self.made_now(name) {
            Ok(certified) => Some(certified),
            Err(error) => {
                tracing::debug!(name, %error, "no certificate can be made for this name");
                None
            }
        }
    }

    fn made_now(&self, name: &str) -> anyhow::Result<Arc<CertifiedKey>> {
        let (hosts, addresses) = match name {
            EVERYTHING_ELSE => self.everything_else(),
            name => (vec![name.to_owned()], Vec::new()),
        };
        let (certificate, key) = self.authority.issue(&hosts, &addresses)?;
        let certified = Arc::new(CertifiedKey::from_der(vec![certificate], key, &self.provider)?);
        let mut made = self.lock();
        if made.len() >= NAMES_MAX {
            made.clear();
        }
        made.insert(name.to_owned(), Made { at: Clock::real().now(), certified: Arc::clone(&certified) });
        Ok(certified)
    }

    fn everything_else(&self) -> (Vec<String>, Vec<IpAddr>) {
        // No wildcard: verifiers take none directly below a top. Each name below `localhost` gets its own certificate.
        let hosts = [String::from("localhost")].into_iter().chain(self.names.hosts.clone());
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let addresses = loopback.into_iter().chain(self.names.addresses.iter().copied());
        (hosts.collect(), addresses.collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for OnDemand {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate(hello.server_name())
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    #[test]
    fn names_are_made_once_and_forgotten_when_they_are_too_many() {
        let names = Names { hosts: vec!["events.example.org".to_owned()], addresses: Vec::new() };
        let authority = Authority::make(&names).unwrap();
        let certificates = OnDemand::new(authority, names, &Arc::new(default_provider())).unwrap();
        let of = |name| certificates.certificate(name).unwrap();
        assert!(Arc::ptr_eq(&of(Some("a.localhost")), &of(Some("A.localhost"))));
        assert!(!Arc::ptr_eq(&of(Some("a.localhost")), &of(Some("b.localhost"))));
        for same in [Some("localhost"), Some("events.example.org"), Some("elsewhere.example")] {
            assert!(Arc::ptr_eq(&of(None), &of(same)), "{same:?}");
        }
        let made = Made { at: Clock::real().now(), certified: of(None) };
        for n in 0..NAMES_MAX {
            certificates.lock().insert(format!("{n}.localhost"), made.clone());
        }
        of(Some("another.localhost"));
        assert_eq!(certificates.lock().len(), 1);
    }
}
