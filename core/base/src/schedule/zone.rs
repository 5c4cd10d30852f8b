//! Time zones: where a wall clock time stands on the time line.

use jiff::civil::DateTime;
use jiff::tz::{Disambiguation, TimeZone};

use crate::Timestamp;

/// A time zone of the IANA database that is built in.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// The zone called `name`, such as `Europe/Berlin`; `None` if there is none.
    pub fn parse(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    /// What clocks show at `at`.
    pub(crate) fn local(&self, at: Timestamp) -> Option<DateTime> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(self.0.to_datetime(at))
    }

    /// When clocks show `local`, the first time if twice; `None` if never.
    pub(crate) fn first(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
            return None;
        }
        ambiguous.earlier().ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
    }

    /// When clocks show `local`, the first time if twice; if never, when they would show it had they not been set.
    pub(crate) fn nearest(&self, local: DateTime) -> Option<Timestamp> {
        let at = self.0.to_ambiguous_timestamp(local).disambiguate(Disambiguation::Compatible);
        at.ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
    }
}
