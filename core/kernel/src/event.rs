//! Events that services themselves send to the default bus.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The internal operation of `events` that takes a [`ServiceEvent`].
pub const PUBLISH: &str = "PublishServiceEvent";

/// What a handler emits; the transaction adds id and time.
#[derive(Clone, Debug)]
pub struct Event {
    /// `aws.states`, `aws.cloudformation`, …
    pub source: String,
    /// The `detail-type`.
    pub detail_type: String,
    /// ARNs of what the event is about.
    pub resources: Vec<String>,
    /// The `detail` object as JSON text; it travels untouched.
    pub detail: String,
    /// Events of one order reach one target one after the other, as they were emitted.
    pub order: Option<String>,
    /// Whether it is of the first transaction that emits events of its order, so that none of them can be waiting.
    pub begins_order: bool,
}

/// An emitted event on its way to the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// The event's id.
    pub id: Uuid,
    /// See [`Event::source`].
    pub source: String,
    /// See [`Event::detail_type`].
    pub detail_type: String,
    /// See [`Event::resources`].
    pub resources: Vec<String>,
    /// Milliseconds since the epoch.
    pub time: base::Timestamp,
    /// See [`Event::detail`].
    #[serde(with = "json_text")]
    pub detail: String,
    /// See [`Event::order`].
    pub order: Option<String>,
}

/// JSON text within a document as what it says, so that nothing of it is escaped and read back.
mod json_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
    use serde_json::value::RawValue;

    pub(super) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(text).map_err(ser::Error::custom)?;
        raw.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        // Earlier versions wrote the text as a string, in tasks that may still be waiting.
        if raw.get().starts_with('"') {
            return serde_json::from_str(raw.get()).map_err(de::Error::custom);
        }
        Ok(Box::<str>::from(raw).into_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_travels_untouched_and_is_read_as_it_was_written_before() {
        let event = ServiceEvent {
            id: Uuid::nil(),
            source: "aws.test".into(),
            detail_type: "T".into(),
            resources: Vec::new(),
            time: base::Timestamp::from_millis(0),
            detail: r#"{"amount": 250.10, "text":"a \"b\""}"#.into(),
            order: None,
        };
        let written = serde_json::to_string(&event).unwrap();
        assert!(written.contains(&format!(r#""detail":{}"#, event.detail)), "{written}");
        assert_eq!(serde_json::from_str::<ServiceEvent>(&written).unwrap(), event);
        let before = written.replace(&event.detail, &serde_json::to_string(&event.detail).unwrap());
        assert_eq!(serde_json::from_str::<ServiceEvent>(&before).unwrap(), event);
    }
}
