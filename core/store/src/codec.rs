//! How values are written: one format byte, then MessagePack with the members' names, so that members can be added.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value is not what was written, or was written by a newer Buswork.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CodecError(String);

impl CodecError {
    /// An error with its reason.
    pub fn new(why: impl Into<String>) -> CodecError {
        CodecError(why.into())
    }
}

/// What can stand as a value. Implemented by [`stored!`](crate::stored) for structs.
pub trait Stored: Sized {
    /// The value's bytes.
    fn to_bytes(&self) -> Result<Bytes, CodecError>;
    /// The value again.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError>;
}

impl Stored for Bytes {
    fn to_bytes(&self) -> Result<Bytes, CodecError> {
        Ok(self.clone())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

/// Writes a value behind its format byte.
pub fn encode<T: Serialize>(format: u8, value: &T) -> Result<Bytes, CodecError> {
    let mut bytes = BytesMut::with_capacity(256).writer();
    bytes.get_mut().put_u8(format);
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    value.serialize(&mut serializer).map_err(|error| CodecError::new(error.to_string()))?;
    Ok(bytes.into_inner().freeze())
}

/// Reads a value of format `format` or an older one.
pub fn decode<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let name = std::any::type_name::<T>();
    match bytes.split_first() {
        Some((found, _)) if *found > format => Err(CodecError::new(format!(
            "a {name} has format {found}, this Buswork reads up to {format}: it was written by a newer one"
        ))),
        Some((_, rest)) => {
            rmp_serde::from_slice(rest).map_err(|error| CodecError::new(format!("a {name} cannot be read: {error}")))
        }
        None => Err(CodecError::new(format!("a {name} is empty"))),
    }
}

/// Makes a serde type a stored one: `stored!(Queue, format = 1)`.
#[macro_export]
macro_rules! stored {
    ($type:ty, format = $format:literal) => {
        impl $crate::codec::Stored for $type {
            fn to_bytes(&self) -> Result<$crate::__bytes::Bytes, $crate::codec::CodecError> {
                $crate::codec::encode($format, self)
            }

            fn from_bytes(bytes: &[u8]) -> Result<Self, $crate::codec::CodecError> {
                $crate::codec::decode($format, bytes)
            }
        }
    };
}

stored!(String, format = 1);
stored!(bool, format = 1);
stored!(u64, format = 1);
stored!(uuid::Uuid, format = 1);

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
    }
    stored!(Old, format = 1);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        name: String,
        #[serde(default)]
        delay_s: u32,
    }
    stored!(New, format = 2);

    #[test]
    fn older_formats_are_read_and_newer_ones_refused() {
        let old = Old { name: "q".into() };
        let new = New { name: "q".into(), delay_s: 0 };
        assert_eq!(New::from_bytes(&old.to_bytes().unwrap()).unwrap(), new);
        let refused = Old::from_bytes(&new.to_bytes().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("format 2") && refused.contains("newer"), "{refused}");
        assert!(Old::from_bytes(&[]).is_err());
        assert!(Old::from_bytes(&[1, 0xc1]).is_err());
    }
}
