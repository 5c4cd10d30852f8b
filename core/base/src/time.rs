//! Points in time, to the millisecond, as the services store and show them.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A point that no clock of ours reaches.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// The point `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Seconds since the epoch with three decimals: the awsJson form.
    pub fn as_epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// From the awsJson form; `None` if it is no finite number of a sensible size.
    pub fn from_epoch_seconds(seconds: f64) -> Option<Timestamp> {
        let ms = (seconds * 1000.0).round();
        (ms.is_finite() && ms.abs() < 1e15).then_some(Timestamp(ms as i64))
    }

    /// `2026-11-22T10:20:19Z`, as events carry it.
    pub fn to_iso_seconds(self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `2026-11-22T10:20:19.123Z`, as query answers and context objects carry it.
    pub fn to_iso_millis(self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    /// From ISO 8601 text with an offset (`Z` or `+01:00`).
    pub fn from_iso(text: &str) -> Option<Timestamp> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Timestamp(t.as_millisecond()))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    fn strftime(self, format: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX).strftime(format).to_string()
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, by: Duration) -> Timestamp {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(ms)).min(Timestamp::MAX)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_agree() {
        let t = Timestamp::from_iso("2026-11-22T10:20:19.5Z").unwrap();
        assert_eq!(t.to_iso_millis(), "2026-11-22T10:20:19.500Z");
        assert_eq!(t.to_iso_seconds(), "2026-11-22T10:20:19Z");
        assert_eq!(Timestamp::from_epoch_seconds(t.as_epoch_seconds()), Some(t));
        assert_eq!(Timestamp::from_iso("2026-11-22T11:20:19.5+01:00"), Some(t));
        assert_eq!((t + Duration::from_secs(2)).since(t), Duration::from_secs(2));
        assert_eq!(t.since(t + Duration::from_secs(2)), Duration::ZERO);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Timestamp::from_epoch_seconds(f64::NAN), None);
        assert_eq!(Timestamp::from_epoch_seconds(1e300), None);
        assert_eq!(Timestamp::from_iso("tomorrow"), None);
    }
}
