//! An event: what a publisher gives, what is kept of it, and the document in which subscribers see it.

use std::collections::BTreeMap;

use base::{Fault, Timestamp};
use kernel::TraceCx;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::{PutEventsRequestEntry, PutRawEventsRequestEntry};
use crate::keys::Logged;

/// The content type of what `PutEvents` makes.
pub(crate) const EVENT_BRIDGE_JSON: &str = "application/eventbridge+json";

/// The names of what EventBridge says of an event.
pub(crate) mod system {
    pub(crate) const CONTENT_TYPE: &str = "ContentType";
    pub(crate) const GROUP: &str = "EventGroupId";
    pub(crate) const DEDUPLICATION: &str = "DeduplicationId";
    pub(crate) const ID: &str = "aws:EventId";
    pub(crate) const INGESTED: &str = "aws:IngestionTime";
    pub(crate) const SEQUENCE: &str = "aws:SequenceNumber";
    pub(crate) const SOURCE: &str = "aws:Source";
    pub(crate) const DETAIL_TYPE: &str = "aws:DetailType";
    pub(crate) const DELIVERY: &str = "aws:DeliveryType";
}

/// An event on its way to a bus.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub id: Uuid,
    /// `Data` as JSON text.
    pub data: String,
    pub metadata: Option<BTreeMap<String, String>>,
    pub system: BTreeMap<String, String>,
    /// What a publisher's content is known by: two events of one digest are the same.
    pub digest: String,
    /// Whether a second event of the same content is a duplicate.
    pub by_content: bool,
}

impl NewEvent {
    /// What makes another event its duplicate: an id of the publisher's, or the content. `None` if nothing does. It holds
    /// within the event's group.
    pub(crate) fn duplicate_key(&self) -> Option<String> {
        let key = match (self.system.get(system::DEDUPLICATION), self.by_content) {
            (Some(id), _) => format!("id/{id}"),
            (None, true) => format!("content/{}", self.digest),
            (None, false) => return None,
        };
        let group = self.system.get(system::GROUP).map_or("", String::as_str);
        Some(format!("{}:{group}/{key}", group.len()))
    }
}

/// How an event comes to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    Live,
    /// It is older than the subscriber.
    Replay,
}

impl Logged {
    /// The event as filters, expressions and `WITH_METADATA` see it, as JSON text.
    ///
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-addressing.html>
    pub(crate) fn document(&self, how: Delivered) -> String {
        let mut all: BTreeMap<&str, &str> =
            self.system.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.insert(system::DELIVERY, if how == Delivered::Live { "LIVE" } else { "REPLAY" });
        let metadata = self.metadata.as_ref().map(|metadata| format!("\"Metadata\":{},", json!(metadata)));
        let metadata = metadata.unwrap_or_default();
        format!("{{\"Data\":{},{metadata}\"SystemMetadata\":{}}}", self.data, json!(all))
    }

    pub(crate) fn system(&self, name: &str) -> Option<&str> {
        self.system.get(name).map(String::as_str)
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let pairs = |map: &BTreeMap<String, String>| map.iter().map(|(n, v)| n.len() + v.len() + 8).sum();
        self.data.len() + self.metadata.as_ref().map_or(0, pairs) + pairs(&self.system)
    }
}

/// Where the events of a request come from.
pub(crate) struct Origin<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub now: Timestamp,
    pub by_content: bool,
}

/// The event of an entry of `PutEvents`: an envelope as the classic API makes it.
pub(crate) fn of_entry(
    entry: PutEventsRequestEntry,
    id: Uuid,
    origin: &Origin<'_>,
) -> Result<NewEvent, Fault> {
    if entry.source.starts_with("aws.") {
        return Err(Fault::new("NotAuthorizedForSourceException", "Not authorized for the source."));
    }
    let detail = entry.detail.as_deref().unwrap_or("{}");
    let detail: &RawValue =
        serde_json::from_str(detail).map_err(|_| Fault::new("MalformedDetail", "Detail is malformed."))?;
    let resources = entry.resources.unwrap_or_default();
    let time = entry.time.unwrap_or(origin.now);
    let data = format!(
        "{{\"version\":\"0\",\"id\":\"{id}\",\"detail-type\":{},\"source\":{},\"account\":\"{}\",\"time\":\"{}\",\
         \"region\":\"{}\",\"resources\":{},\"detail\":{}}}",
        Value::from(entry.detail_type.as_str()),
        Value::from(entry.source.as_str()),
        origin.account,
        time.to_iso_seconds(),
        origin.region,
        Value::from(resources.clone()),
        detail.get(),
    );
    let mut system = BTreeMap::from([
        (system::CONTENT_TYPE.to_owned(), EVENT_BRIDGE_JSON.to_owned()),
        (system::SOURCE.to_owned(), entry.source.clone()),
        (system::DETAIL_TYPE.to_owned(), entry.detail_type.clone()),
    ]);
    let asked = entry.system_metadata.unwrap_or_default();
    insert(&mut system, system::GROUP, asked.event_group_id);
    insert(&mut system, system::DEDUPLICATION, asked.deduplication_id);
    let content = json!([entry.source, entry.detail_type, detail.get(), resources]);
    let digest = digest(content.to_string().as_bytes());
    Ok(NewEvent { id, data, metadata: None, system, digest, by_content: origin.by_content })
}

/// The event of an entry of `PutRawEvents`. Only JSON is taken.
pub(crate) fn of_raw_entry(
    entry: PutRawEventsRequestEntry,
    id: Uuid,
    origin: &Origin<'_>,
) -> Result<NewEvent, Fault> {
    let asked = entry.system_metadata;
    if asked.content_type == EVENT_BRIDGE_JSON {
        let message = "ContentType application/eventbridge+json is set by PutEvents only.";
        return Err(Fault::new("InvalidArgument", message));
    }
    if asked.content_type != "application/json" && !asked.content_type.ends_with("+json") {
        let message = format!(
            "ContentType {} is not implemented by Buswork, which takes application/json",
            asked.content_type
        );
        return Err(Fault::new("UnsupportedContentType", message));
    }
    let malformed = || Fault::new("MalformedData", "Data is not valid JSON.");
    let text = std::str::from_utf8(entry.data.as_bytes()).map_err(|_| malformed())?;
    let data: &RawValue = serde_json::from_str(text).map_err(|_| malformed())?;
    let metadata = entry.metadata.unwrap_or_default();
    let digest = digest(format!("{}\n{}", data.get(), json!(metadata)).as_bytes());
    let mut system = BTreeMap::from([(system::CONTENT_TYPE.to_owned(), asked.content_type)]);
    insert(&mut system, system::GROUP, asked.event_group_id);
    insert(&mut system, system::DEDUPLICATION, asked.deduplication_id);
    let data = data.get().to_owned();
    Ok(NewEvent { id, data, metadata: Some(metadata), system, digest, by_content: origin.by_content })
}

/// An event that comes from the default bus, by the rule of an event source: it stays as it is.
pub(crate) fn of_envelope(envelope: String, id: Uuid) -> Result<NewEvent, Fault> {
    #[derive(serde::Deserialize)]
    struct Opened {
        id: Uuid,
        source: String,
        #[serde(rename = "detail-type")]
        detail_type: String,
    }
    let opened: Opened = serde_json::from_str(&envelope)
        .map_err(|_| Fault::new("MalformedData", "It is no event of a classic event bus."))?;
    let system = BTreeMap::from([
        (system::CONTENT_TYPE.to_owned(), EVENT_BRIDGE_JSON.to_owned()),
        (system::SOURCE.to_owned(), opened.source),
        (system::DETAIL_TYPE.to_owned(), opened.detail_type),
    ]);
    let digest = digest(opened.id.as_bytes());
    Ok(NewEvent { id, data: envelope, metadata: None, system, digest, by_content: false })
}

fn insert(system: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        system.insert(name.to_owned(), value);
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What is kept of an event that comes now.
pub(crate) fn logged(event: NewEvent, now: Timestamp, sequence: Option<String>, trace: TraceCx) -> Logged {
    let NewEvent { id, data, metadata, mut system, .. } = event;
    system.insert(system::ID.to_owned(), id.to_string());
    system.insert(system::INGESTED.to_owned(), now.to_iso_seconds());
    insert(&mut system, system::SEQUENCE, sequence);
    Logged { data, metadata, system, trace }
}
