//! The local authority: a key of this data directory's own whose certificates hold for local names and AWS's, and for
//! nothing else.
//!
//! Whoever trusts it must not have to trust this machine's disk for the whole web, so its certificate names the only names
//! that it may vouch for (RFC 5280, 4.2.1.10).

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context;
use kernel::Clock;
use lambda::runtime::Trusted;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The authority's certificate.
pub const CERTIFICATE: &str = "ca.pem";
/// Its key, which nobody else reads.
const KEY: &str = "ca-key.pem";
/// The names that the certificate is limited to besides the local ones, a line each.
const LIMITS: &str = "ca-names";
/// The certificate among those that this machine trusts already.
const BUNDLE: &str = "bundle.pem";

/// How long the authority holds.
const AUTHORITY_DAYS: i64 = 10 * 365;
/// How long a server's certificate holds. Some clients take none that holds for longer than 398 days.
pub(super) const LEAF_DAYS: i64 = 397;

/// Where systems keep what they trust.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The names under which this server is reached besides the local ones and AWS's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Hosts by name, in lower case.
    pub hosts: Vec<String>,
    /// Hosts by address.
    pub addresses: Vec<IpAddr>,
}

impl Names {
    /// The address that is listened on, and the host of the URL under which clients reach the server.
    pub fn new(listening: IpAddr, public_url: Option<&str>) -> Names {
        let mut names = Names::default();
        if !listening.is_loopback() && !listening.is_unspecified() {
            names.addresses.push(listening);
        }
        let host = public_url.and_then(|url| url.parse::<http::Uri>().ok()).and_then(|url| {
            let host = url.host()?;
            Some(host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase())
        });
        match host.as_ref().map(|host| host.parse::<IpAddr>()) {
            Some(Ok(address)) if !address.is_loopback() => names.addresses.push(address),
            Some(Err(_)) => names.hosts.extend(host.filter(|host| !is_ours(host))),
            _ => {}
        }
        names
    }

    fn lines(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.hosts.iter().cloned().chain(addresses).map(|name| format!("{name}\n")).collect()
    }
}

/// Whether a name is one that every local authority vouches for.
pub(super) fn is_ours(host: &str) -> bool {
    let below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == "localhost" || below("localhost") || below("amazonaws.com")
}

/// The authority with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    key_pem: String,
    certificate_pem: String,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// A name that no certificate may hold.
    pub fn make(names: &Names) -> anyhow::Result<Authority> {
        let key = KeyPair::generate()?;
        let params = params(&key, names);
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = key.serialize_pem();
        Ok(Authority { issuer: Issuer::new(params, key), key_pem, certificate_pem })
    }

    /// The authority of a directory, made there if there is none.
    ///
    /// # Errors
    /// The directory or its files cannot be read or written.
    pub fn open(directory: &Path, names: &Names) -> anyhow::Result<Authority> {
        let (key_path, certificate_path) = (directory.join(KEY), directory.join(CERTIFICATE));
        if !key_path.exists() || !certificate_path.exists() {
            let authority = Authority::make(names)?;
            authority
                .keep(directory, names)
                .with_context(|| format!("cannot write to {}", directory.display()))?;
            return Ok(authority);
        }
        let read =
            |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        let (key_pem, certificate_pem) = (read(&key_path)?, read(&certificate_path)?);
        let key =
            KeyPair::from_pem(&key_pem).with_context(|| format!("cannot use {}", key_path.display()))?;
        let limits = read(&directory.join(LIMITS)).unwrap_or_default();
        for name in names.lines().lines().filter(|name| !limits.lines().any(|limit| limit == *name)) {
            tracing::warn!(
                name,
                directory = %directory.display(),
                "the local authority was made without this name, so nobody will accept a certificate for it; remove the \
                 directory to have another authority made, and trust that one"
            );
        }
        let issuer = Issuer::new(params(&key, names), key);
        Ok(Authority { issuer, key_pem, certificate_pem })
    }

    fn keep(&self, directory: &Path, names: &Names) -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        fs::write(directory.join(LIMITS), names.lines())?;
        // The key last but one: what is there without its certificate is made again.
        let key = directory.join(KEY);
        if key.exists() {
            fs::remove_file(&key)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(key)?;
        file.write_all(self.key_pem.as_bytes())?;
        fs::write(directory.join(CERTIFICATE), &self.certificate_pem)
    }

    /// Writes what everybody may read: the certificate, and a bundle of all that is trusted here.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn publish(&self, directory: &Path) -> anyhow::Result<Trusted> {
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            fs::canonicalize(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let system = SYSTEM_BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok());
        let bundle = format!("{}\n{}", system.unwrap_or_default(), self.certificate_pem);
        Ok(Trusted {
            certificate: write(CERTIFICATE, &self.certificate_pem)?,
            bundle: write(BUNDLE, &bundle)?,
        })
    }

    /// A server's certificate with its key, for names and addresses.
    ///
    /// # Errors
    /// A name that no certificate may hold.
    pub fn issue(
        &self,
        hosts: &[String],
        addresses: &[IpAddr],
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(hosts.to_vec())?;
        params.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        params.distinguished_name = named("Buswork");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = validity(LEAF_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((certificate.der().clone(), key.into()))
    }
}

/// The certificate of the authority whose key this is. Its name comes from the key, so that two authorities in one store
/// are told apart.
fn params(key: &KeyPair, names: &Names) -> CertificateParams {
    let digest = hex::encode(&Sha256::digest(key.public_key_raw())[..4]);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Buswork local authority {digest}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted(names), excluded_subtrees: Vec::new() });
    (params.not_before, params.not_after) = validity(AUTHORITY_DAYS);
    params
}

fn permitted(names: &Names) -> Vec<GeneralSubtree> {
    let hosts = ["localhost", "amazonaws.com"].map(str::to_owned).into_iter().chain(names.hosts.clone());
    let exactly =
        |address: &IpAddr| CidrSubnet::from_addr_prefix(*address, if address.is_ipv4() { 32 } else { 128 });
    let loopback = [
        CidrSubnet::from_addr_prefix(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
        CidrSubnet::from_addr_prefix(Ipv6Addr::LOCALHOST.into(), 128),
    ];
    let addresses = loopback.into_iter().chain(names.addresses.iter().map(exactly));
    hosts.map(GeneralSubtree::DnsName).chain(addresses.map(GeneralSubtree::IpAddress)).collect()
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// From yesterday on, for clocks that are late.
fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let seconds = Clock::real().now().as_millis() / 1000;
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (now - Duration::days(1), now + Duration::days(days - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_clients_use() {
        let names = |ip: &str, url| Names::new(ip.parse().unwrap(), url);
        assert_eq!(names("127.0.0.1", None), Names::default());
        assert_eq!(names("0.0.0.0", Some("http://localhost:4566")), Names::default());
        assert_eq!(names("127.0.0.1", Some("https://Events.Example.org:8443")).hosts, ["events.example.org"]);
        let far = names("10.1.2.3", Some("https://[2001:db8::1]:1"));
        assert_eq!(far.lines(), "10.1.2.3\n2001:db8::1\n");
        assert!(is_ours("a.b.localhost") && is_ours("s3.eu-central-1.amazonaws.com"));
        assert!(!is_ours("notlocalhost") && !is_ours("amazonaws.com.evil.example"));
    }

    #[test]
    fn an_authority_stays_and_keeps_its_key_to_itself() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tls");
        let first = Authority::open(&directory, &Names::default()).unwrap();
        let again = Authority::open(&directory, &Names::default()).unwrap();
        assert_eq!(first.certificate_pem, again.certificate_pem);
        let mode = |name: &str| fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(KEY), 0o600);
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        // What was cut off between key and certificate is made again.
        fs::remove_file(directory.join(CERTIFICATE)).unwrap();
        let other = Authority::open(&directory, &Names::default()).unwrap();
        assert_ne!(first.certificate_pem, other.certificate_pem);
    }

    #[test]
    fn the_bundle_ends_with_the_authority() {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::make(&Names::default()).unwrap();
        let trusted = authority.publish(home.path()).unwrap();
        let bundle = fs::read_to_string(trusted.bundle).unwrap();
        assert!(bundle.ends_with(&fs::read_to_string(trusted.certificate).unwrap()));
        assert!(!home.path().join(KEY).exists());
    }
}
