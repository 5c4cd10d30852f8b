//! Checksums of bodies: which there are, how those of parts make that of the whole.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use serde::{Deserialize, Serialize};

/// An answer of which only the checksums are told: `of` says each, by its algorithm.
macro_rules! with_checksums {
    ($answer:path, $of:expr) => {{
        use $crate::checksum::Algorithm;
        let of = $of;
        let mut told = <$answer>::default();
        told.checksum_crc32 = of(Algorithm::Crc32);
        told.checksum_crc32c = of(Algorithm::Crc32c);
        told.checksum_crc64nvme = of(Algorithm::Crc64Nvme);
        told.checksum_sha1 = of(Algorithm::Sha1);
        told.checksum_sha256 = of(Algorithm::Sha256);
        told
    }};
}

/// The checksums that an input claims, by algorithm; those of other algorithms are refused.
macro_rules! claimed_checksums {
    ($input:expr) => {{
        use $crate::checksum::Algorithm;
        let input = &$input;
        let other = input.checksum_sha512.is_some()
            || input.checksum_md5.is_some()
            || input.checksum_xxhash64.is_some()
            || input.checksum_xxhash3.is_some()
            || input.checksum_xxhash128.is_some();
        $crate::fault::refuse_unsupported(&[("a checksum of this algorithm", other)]).map(|()| {
            $crate::ops::put_object::given([
                (Algorithm::Crc32, input.checksum_crc32.clone()),
                (Algorithm::Crc32c, input.checksum_crc32c.clone()),
                (Algorithm::Crc64Nvme, input.checksum_crc64nvme.clone()),
                (Algorithm::Sha1, input.checksum_sha1.clone()),
                (Algorithm::Sha256, input.checksum_sha256.clone()),
            ])
        })
    }};
}

pub(crate) use {claimed_checksums, with_checksums};

/// A word of AWS's as the tables have it.
///
/// # Errors
/// A bug: the word is none of AWS's.
pub(crate) fn word<T: serde::de::DeserializeOwned>(text: &str) -> kernel::Result<T> {
    Ok(serde_json::from_value(text.into())?)
}

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "CRC32")]
    Crc32,
    #[serde(rename = "CRC32C")]
    Crc32c,
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA256")]
    Sha256,
}

/// What the checksum of an object in parts is computed of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChecksumType {
    /// The whole body.
    #[default]
    #[serde(rename = "FULL_OBJECT")]
    FullObject,
    /// The checksums of its parts.
    #[serde(rename = "COMPOSITE")]
    Composite,
}

impl ChecksumType {
    /// In AWS's words.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            ChecksumType::FullObject => "FULL_OBJECT",
            ChecksumType::Composite => "COMPOSITE",
        }
    }

    /// # Errors
    /// `InvalidArgument` if there is no such type.
    pub(crate) fn parse(text: &str) -> Result<ChecksumType, Fault> {
        match text {
            "FULL_OBJECT" => Ok(ChecksumType::FullObject),
            "COMPOSITE" => Ok(ChecksumType::Composite),
            _ => Err(crate::fault::invalid_argument("Checksum type provided is invalid")),
        }
    }
}

impl Algorithm {
    /// All of them.
    pub(crate) const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

    /// What AWS computes if nobody says otherwise.
    pub(crate) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

    /// In AWS's words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// # Errors
    /// `NotImplemented` if it is one that is not served, or none at all.
    pub(crate) fn parse(text: &str) -> Result<Algorithm, Fault> {
        let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| crate::fault::unsupported(&format!("the checksum algorithm {text}")))
    }

    /// How an upload in parts that names this algorithm makes the whole's checksum, if it names no type.
    pub(crate) const fn default_type(self) -> ChecksumType {
        match self {
            Algorithm::Crc64Nvme => ChecksumType::FullObject,
            _ => ChecksumType::Composite,
        }
    }

    const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }

    /// # Errors
    /// `InvalidRequest`: the checksum of a whole cannot be made of hashes, nor a CRC64NVME of parts' checksums.
    pub(crate) fn check_type(self, kind: ChecksumType) -> Result<(), Fault> {
        let possible = match kind {
            ChecksumType::FullObject => self.crc().is_some(),
            ChecksumType::Composite => self != Algorithm::Crc64Nvme,
        };
        if possible {
            return Ok(());
        }
        let (kind, name) = (kind.as_str(), self.name().to_ascii_lowercase());
        let message = format!("The {kind} checksum type cannot be used with the {name} checksum algorithm.");
        Err(Fault::new("InvalidRequest", message))
    }

    /// The checksum of the bytes, in base64.
    fn of(self, bytes: &[u8]) -> String {
        let mut hasher = hasher(&[self]);
        hasher.update(bytes);
        finished(hasher).pop().map(|(_, value)| value).unwrap_or_default()
    }
}

/// Computes the checksums of these algorithms.
pub(crate) fn hasher(algorithms: &[Algorithm]) -> ChecksumHasher {
    let wanted = |algorithm| algorithms.contains(&algorithm);
    ChecksumHasher {
        crc32: wanted(Algorithm::Crc32).then(Crc32::new),
        crc32c: wanted(Algorithm::Crc32c).then(Crc32c::new),
        sha1: wanted(Algorithm::Sha1).then(Sha1::new),
        sha256: wanted(Algorithm::Sha256).then(Sha256::new),
        crc64nvme: wanted(Algorithm::Crc64Nvme).then(Crc64Nvme::new),
    }
}

/// What a hasher found, in base64.
pub(crate) fn finished(hasher: ChecksumHasher) -> Vec<(Algorithm, String)> {
    let found = hasher.finalize();
    let all = [
        (Algorithm::Crc32, found.checksum_crc32),
        (Algorithm::Crc32c, found.checksum_crc32c),
        (Algorithm::Crc64Nvme, found.checksum_crc64nvme),
        (Algorithm::Sha1, found.checksum_sha1),
        (Algorithm::Sha256, found.checksum_sha256),
    ];
    all.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?))).collect()
}

/// The checksum of a body whose parts have these checksums (base64) and lengths; `None` if one of them is malformed.
pub(crate) fn of_parts(algorithm: Algorithm, kind: ChecksumType, parts: &[(&str, u64)]) -> Option<String> {
    let decoded: Option<Vec<Vec<u8>>> = parts.iter().map(|(value, _)| STANDARD.decode(value).ok()).collect();
    let decoded = decoded?;
    match (kind, algorithm.crc()) {
        (ChecksumType::Composite, _) => Some(format!("{}-{}", algorithm.of(&decoded.concat()), parts.len())),
        (ChecksumType::FullObject, None) => None,
        (ChecksumType::FullObject, Some(crc)) => {
            let number = |bytes: &Vec<u8>| bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
            let width = decoded.first()?.len();
            let mut rest = decoded.iter().zip(parts);
            let first = rest.next().map(|(bytes, _)| number(bytes))?;
            let whole = rest.fold(first, |whole, (bytes, (_, length))| {
                crc_fast::checksum_combine(crc, whole, number(bytes), *length)
            });
            Some(STANDARD.encode(whole.to_be_bytes().get(8_usize.checked_sub(width)?..)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_parts_make_that_of_the_whole() {
        let (one, other) = (b"a part that comes first, ".as_slice(), b"and another".as_slice());
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let (first, second) = (algorithm.of(one), algorithm.of(other));
            let parts = [(first.as_str(), one.len() as u64), (second.as_str(), other.len() as u64)];
            let whole = of_parts(algorithm, ChecksumType::FullObject, &parts);
            assert_eq!(whole, Some(algorithm.of(&[one, other].concat())), "{algorithm:?}");
        }
        assert_eq!(of_parts(Algorithm::Sha256, ChecksumType::FullObject, &[("aaaa", 1)]), None);
    }

    #[test]
    fn a_composite_checksum_is_that_of_checksums() {
        let part = Algorithm::Sha256.of(b"hello");
        let raw = STANDARD.decode(&part).unwrap();
        let expected = format!("{}-2", Algorithm::Sha256.of(&[raw.clone(), raw].concat()));
        let parts = [(part.as_str(), 5), (part.as_str(), 5)];
        assert_eq!(of_parts(Algorithm::Sha256, ChecksumType::Composite, &parts), Some(expected));
        assert!(Algorithm::Crc64Nvme.check_type(ChecksumType::Composite).is_err());
        assert!(Algorithm::Sha1.check_type(ChecksumType::FullObject).is_err());
    }
}
