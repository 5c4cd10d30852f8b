//! An event: what a producer gives, and the envelope that it travels in.

use base::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::fault;

/// The largest event and the largest request, in bytes.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>
pub(crate) const BYTES_MAX: usize = 1_048_576;

/// An event on its way to a bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewEvent {
    pub id: Uuid,
    pub source: String,
    pub detail_type: String,
    pub resources: Vec<String>,
    pub time: Timestamp,
    /// JSON text; it travels untouched.
    pub detail: String,
    /// Events of one order reach one target one after the other.
    pub order: Option<String>,
}

impl NewEvent {
    /// The whole event as JSON text, as rules see it and targets get it.
    pub(crate) fn envelope(&self, account: &str, region: &str) -> String {
        let mut text = String::with_capacity(self.detail.len() + 320);
        text.push_str("{\"version\":\"0\"");
        let mut field = |name: &str, value: &str| {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            push_quoted(&mut text, value);
        };
        field("id", &self.id.to_string());
        field("detail-type", &self.detail_type);
        field("source", &self.source);
        field("account", account);
        field("time", &self.time.to_iso_seconds());
        field("region", region);
        text.push_str(",\"resources\":[");
        for (n, resource) in self.resources.iter().enumerate() {
            text.push_str(if n == 0 { "" } else { "," });
            push_quoted(&mut text, resource);
        }
        text.push_str("],\"detail\":");
        text.push_str(&self.detail);
        text.push('}');
        text
    }
}

/// Appends a JSON string.
fn push_quoted(text: &mut String, value: &str) {
    if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        text.push_str(&serde_json::Value::from(value).to_string());
        return;
    }
    text.push('"');
    text.push_str(value);
    text.push('"');
}

/// The members of an envelope that rules of our own need again.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: Uuid,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    resources: Vec<String>,
    time: String,
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// The event in an envelope.
pub(crate) fn open(envelope: &str, now: Timestamp) -> Result<NewEvent, serde_json::Error> {
    let opened: Envelope<'_> = serde_json::from_str(envelope)?;
    Ok(NewEvent {
        id: opened.id,
        source: opened.source,
        detail_type: opened.detail_type,
        resources: opened.resources,
        time: Timestamp::from_iso(&opened.time).unwrap_or(now),
        detail: opened.detail.get().to_owned(),
        order: None,
    })
}

/// The root in an X-Ray trace header, by which the event's chain of causes is found.
pub(crate) fn trace_root(header: &str) -> Option<&str> {
    header.split(';').find_map(|field| field.trim().strip_prefix("Root=")).filter(|root| !root.is_empty())
}

/// The account that an envelope names.
pub(crate) fn account_of(envelope: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Account {
        account: String,
    }
    serde_json::from_str::<Account>(envelope).ok().map(|opened| opened.account)
}

/// The same envelope with the name of the replay that brings it.
pub(crate) fn replayed(envelope: &str, replay: &str) -> String {
    let rest = envelope.trim_end().strip_suffix('}').unwrap_or(envelope);
    format!("{rest},\"replay-name\":{}}}", serde_json::Value::from(replay))
}

/// Whether the event is CloudTrail's report of a call that only reads. Rules do not see such events unless they ask.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
pub(crate) fn only_reads(event: &NewEvent) -> bool {
    #[derive(Deserialize)]
    struct Detail {
        #[serde(rename = "readOnly", default)]
        read_only: bool,
    }
    event.detail_type == "AWS API Call via CloudTrail"
        && event.source.starts_with("aws.")
        && serde_json::from_str::<Detail>(&event.detail).is_ok_and(|detail| detail.read_only)
}

/// The size that counts against the limit.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>
pub(crate) fn size(entry: &crate::api::PutEventsRequestEntry) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let time = if entry.time.is_some() { 14 } else { 0 };
    let resources: usize = entry.resources.iter().flatten().map(String::len).sum();
    time + text(&entry.source) + text(&entry.detail_type) + text(&entry.detail) + resources
}

/// How deep objects and lists may lie in each other in a detail. Whoever reads an event, here and elsewhere, stops at some
/// depth; AWS names none.
const DETAIL_DEPTH_MAX: usize = 100;

/// The detail's text without white space around it, if it is a JSON object.
pub(crate) fn check_detail(detail: &str) -> Result<String, Fault> {
    let malformed = || Fault::new("MalformedDetail", "Detail is malformed.");
    let text: &RawValue = serde_json::from_str(detail).map_err(|_| malformed())?;
    if !text.get().starts_with('{') {
        return Err(malformed());
    }
    if depth(text.get()) > DETAIL_DEPTH_MAX {
        let message = format!("Detail is malformed: it is nested more than {DETAIL_DEPTH_MAX} levels deep.");
        return Err(Fault::new("MalformedDetail", message));
    }
    Ok(text.get().to_owned())
}

/// How deep the objects and lists of a JSON text lie in each other.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut within, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = within,
            b'"' => within = !within,
            b'{' | b'[' if !within => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !within => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Refuses an entry that lacks what every event has, or that only AWS may send.
pub(crate) fn check_entry(entry: &crate::api::PutEventsRequestEntry) -> Result<(), Fault> {
    let required = [("Source", &entry.source), ("DetailType", &entry.detail_type), ("Detail", &entry.detail)];
    for (name, value) in required {
        if value.as_ref().is_none_or(String::is_empty) {
            let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            return Err(Fault::new("InvalidArgument", message));
        }
    }
    if entry.source.as_ref().is_some_and(|source| source.starts_with("aws.")) {
        return Err(Fault::new("NotAuthorizedForSourceException", "Not authorized for the source."));
    }
    if entry.trace_header.as_ref().is_some_and(|header| header.len() > 500) {
        return Err(fault::invalid_parameter("TraceHeader", "It is longer than 500 characters."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_aws_members_in_aws_order() {
        let event = NewEvent {
            id: Uuid::nil(),
            source: "my \"app\"".into(),
            detail_type: "Done".into(),
            resources: vec!["arn:1".into()],
            time: Timestamp::from_millis(1_500),
            detail: r#"{"b": 1.0, "a":"x"}"#.into(),
            order: None,
        };
        assert_eq!(
            event.envelope("000000000000", "eu-central-1"),
            r#"{"version":"0","id":"00000000-0000-0000-0000-000000000000","detail-type":"Done","source":"my \"app\"","account":"000000000000","time":"1970-01-01T00:00:01Z","region":"eu-central-1","resources":["arn:1"],"detail":{"b": 1.0, "a":"x"}}"#
        );
    }

    #[test]
    fn a_detail_is_an_object() {
        assert_eq!(check_detail(" {\"a\" : 1}\n").unwrap(), "{\"a\" : 1}");
        for detail in ["", "[]", "1", "{", "{}{}", "null"] {
            assert_eq!(check_detail(detail).unwrap_err().code, "MalformedDetail", "{detail}");
        }
        let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert_eq!(check_detail(&nested(DETAIL_DEPTH_MAX)).unwrap(), nested(DETAIL_DEPTH_MAX));
        assert_eq!(check_detail(&nested(DETAIL_DEPTH_MAX + 1)).unwrap_err().code, "MalformedDetail");
        let texts = format!(r#"{{"a":"\"{}"}}"#, "[{".repeat(200));
        assert_eq!(check_detail(&texts).unwrap(), texts);
    }
}
