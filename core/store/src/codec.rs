//! Values as bytes: one format byte, then MessagePack with field names.
//!
//! Field names keep old rows readable when a struct gains a field with a default; a change that a default cannot
//! express raises the type's format. A value of a newer format is refused, never guessed at.

use std::cell::Cell;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a value cannot be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A row without its format byte.
    #[error("a stored {0} is empty")]
    Empty(&'static str),
    /// A row of a Buswork newer than this.
    #[error("a stored {name} has format {found}; this Buswork reads up to {known}")]
    Newer {
        /// The type.
        name: &'static str,
        /// The row's format.
        found: u8,
        /// The newest format that this code knows.
        known: u8,
    },
    /// The bytes are no such value.
    #[error("a stored {name} cannot be read: {why}")]
    Malformed {
        /// The type.
        name: &'static str,
        /// What the decoder met.
        why: String,
    },
    /// The value has no encoding.
    #[error("a {name} cannot be stored: {why}")]
    Unencodable {
        /// The type.
        name: &'static str,
        /// What the encoder met.
        why: String,
    },
}

/// A value that a row can hold.
pub trait Stored: Sized {
    /// The row's bytes.
    fn to_bytes(&self) -> Result<Bytes, CodecError>;
    /// The value of a row.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError>;
}

/// Implements [`Stored`] for serde types: `stored!(Queue, format = 1);`
#[macro_export]
macro_rules! stored {
    ($type:ty, format = $format:literal) => {
        impl $crate::codec::Stored for $type {
            fn to_bytes(&self) -> ::std::result::Result<$crate::bytes::Bytes, $crate::codec::CodecError> {
                $crate::codec::encode(stringify!($type), $format, self)
            }

            fn from_bytes(bytes: &[u8]) -> ::std::result::Result<Self, $crate::codec::CodecError> {
                $crate::codec::decode(stringify!($type), $format, bytes)
            }
        }
    };
}

/// `value` behind its format byte; `name` is its type for error texts.
pub fn encode<T: Serialize>(name: &'static str, format: u8, value: &T) -> Result<Bytes, CodecError> {
    let mut bytes = SCRATCH.take();
    bytes.clear();
    bytes.push(format);
    let encoded = rmp_serde::encode::write_named(&mut bytes, value);
    encoded.map_err(|e| CodecError::Unencodable { name, why: e.to_string() })?;
    if bytes.len() > SCRATCH_BYTES_MAX {
        return Ok(bytes.into());
    }
    let exact = Bytes::copy_from_slice(&bytes);
    SCRATCH.set(bytes);
    Ok(exact)
}

/// Rows that are larger are not worth a copy.
const SCRATCH_BYTES_MAX: usize = 16 << 10;

thread_local! {
    /// Where rows are written before their size is known: what is kept has no room to spare, and nothing is moved while it grows.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The value behind a format byte of at most `known`.
pub fn decode<T: DeserializeOwned>(name: &'static str, known: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let (&found, body) = bytes.split_first().ok_or(CodecError::Empty(name))?;
    if found > known {
        return Err(CodecError::Newer { name, found, known });
    }
    rmp_serde::from_slice(body).map_err(|e| CodecError::Malformed { name, why: e.to_string() })
}

/// As it is.
impl Stored for Bytes {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        Ok(self.clone())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

/// As UTF-8.
impl Stored for String {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(self.as_bytes()))
    }

    fn from_bytes(bytes: &[u8]) -> Result<String, CodecError> {
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned).map_err(|e| CodecError::Malformed { name: "String", why: e.to_string() })
    }
}

/// A row whose presence says everything.
impl Stored for () {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        Ok(Bytes::new())
    }

    fn from_bytes(bytes: &[u8]) -> Result<(), CodecError> {
        match bytes {
            [] => Ok(()),
            _ => Err(CodecError::Malformed { name: "()", why: "it is not empty".to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        name: String,
        #[serde(default)]
        count: Option<u32>,
    }

    stored!(Old, format = 1);
    stored!(New, format = 2);

    #[test]
    fn an_older_format_is_read_and_a_newer_one_refused() {
        let old = Old { name: "a".into() }.to_bytes().unwrap();
        let new = New { name: "a".into(), count: Some(1) }.to_bytes().unwrap();
        assert_eq!(Old::from_bytes(&old), Ok(Old { name: "a".into() }));
        assert_eq!(New::from_bytes(&old), Ok(New { name: "a".into(), count: None }));
        assert_eq!(New::from_bytes(&new), Ok(New { name: "a".into(), count: Some(1) }));
        assert_eq!(
            Old::from_bytes(&new).unwrap_err().to_string(),
            "a stored Old has format 2; this Buswork reads up to 1"
        );
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert_eq!(Old::from_bytes(b""), Err(CodecError::Empty("Old")));
        assert!(matches!(Old::from_bytes(b"\x01\xC1"), Err(CodecError::Malformed { name: "Old", .. })));
        assert!(String::from_bytes(b"\xFF").is_err());
        assert!(<()>::from_bytes(b"1").is_err());
    }

    #[test]
    fn raw_values_are_their_bytes() {
        assert_eq!(&*Bytes::from_static(b"\x00a").to_bytes().unwrap(), b"\x00a");
        assert_eq!(&*"ä".to_owned().to_bytes().unwrap(), "ä".as_bytes());
        assert_eq!(<()>::from_bytes(&().to_bytes().unwrap()), Ok(()));
    }
}
