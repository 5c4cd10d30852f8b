//! Time stamps in canonical documents: `#[serde(with = "base::schema::epoch")]` writes epoch seconds.
//!
//! Reads ISO 8601 text as well, which Step Functions passes on where a state's input holds a time as text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Timestamp;

/// Writes seconds, with decimals only where there are any.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    if timestamp.as_millis() % 1000 == 0 {
        serializer.serialize_i64(timestamp.as_secs())
    } else {
        serializer.serialize_f64(timestamp.as_epoch_seconds())
    }
}

/// Reads seconds or ISO 8601 text.
///
/// # Errors
/// If it is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_any(Moment)
}

struct Moment;

impl de::Visitor<'_> for Moment {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("epoch seconds")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Timestamp::from_epoch_seconds(seconds).ok_or_else(|| E::custom("time stamp out of range"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        Timestamp::from_iso(text).ok_or_else(|| E::custom("invalid time stamp"))
    }
}

/// The same for members that may be absent.
pub mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    /// Writes seconds, or null.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(timestamp: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        struct Seconds(Timestamp);
        impl Serialize for Seconds {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                super::serialize(&self.0, serializer)
            }
        }
        timestamp.map(Seconds).serialize(serializer)
    }

    /// Reads seconds, ISO 8601 text or null.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        struct Seconds(Timestamp);
        impl<'de> Deserialize<'de> for Seconds {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
                super::deserialize(deserializer).map(Seconds)
            }
        }
        Ok(Option::<Seconds>::deserialize(deserializer)?.map(|seconds| seconds.0))
    }
}
