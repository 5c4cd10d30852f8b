//! What buckets tell of their objects: to the default bus, to queues, topics and functions.
//!
//! The tasks that tell it are written by the transaction that changes the object, so that no change goes untold. Knows
//! ARNs and no service behind them.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use base::{Arn, Document};
use kernel::{Call, Delivery, NewTask, PUBLISH, Result, RetryPolicy, ServiceEvent, Tx};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::api::{Event, NotificationConfiguration, NotificationConfigurationFilter};
use crate::bucket::Bucket;
use crate::keys::ObjectKey;
use crate::object::Object;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    Put,
    Copied,
    CompletedUpload,
    Deleted,
    MarkerCreated,
    Expired,
    MarkerByLifecycle,
    TagsPut,
    TagsDeleted,
}

/// A change of an object, as it is told.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub bucket: String,
    pub key: String,
    /// Length and entity tag, if there is still an object.
    pub object: Option<(u64, String)>,
    pub version: Option<String>,
    pub happening: Happening,
}

/// A destination with what it wants to hear.
pub(crate) struct Listener<'c> {
    pub id: &'c str,
    pub arn: &'c str,
    pub events: &'c [Event],
    pub filter: Option<&'c NotificationConfigurationFilter>,
}

impl Happening {
    /// The event's name behind `s3:`.
    fn name(self) -> &'static str {
        match self {
            Happening::Put => "ObjectCreated:Put",
            Happening::Copied => "ObjectCreated:Copy",
            Happening::CompletedUpload => "ObjectCreated:CompleteMultipartUpload",
            Happening::Deleted => "ObjectRemoved:Delete",
            Happening::MarkerCreated => "ObjectRemoved:DeleteMarkerCreated",
            Happening::Expired => "LifecycleExpiration:Delete",
            Happening::MarkerByLifecycle => "LifecycleExpiration:DeleteMarkerCreated",
            Happening::TagsPut => "ObjectTagging:Put",
            Happening::TagsDeleted => "ObjectTagging:Delete",
        }
    }

    /// The version of the record's structure that knows the event.
    fn record_version(self) -> &'static str {
        match self {
            Happening::Put
            | Happening::Copied
            | Happening::CompletedUpload
            | Happening::Deleted
            | Happening::MarkerCreated => "2.1",
            _ => "2.3",
        }
    }

    /// The event's type on the bus.
    fn detail_type(self) -> &'static str {
        match self {
            Happening::Put | Happening::Copied | Happening::CompletedUpload => "Object Created",
            Happening::TagsPut => "Object Tags Added",
            Happening::TagsDeleted => "Object Tags Deleted",
            _ => "Object Deleted",
        }
    }

    fn reason(self) -> Option<&'static str> {
        match self {
            Happening::Put => Some("PutObject"),
            Happening::Copied => Some("CopyObject"),
            Happening::CompletedUpload => Some("CompleteMultipartUpload"),
            Happening::Deleted | Happening::MarkerCreated => Some("DeleteObject"),
            Happening::Expired | Happening::MarkerByLifecycle => Some("Lifecycle Expiration"),
            Happening::TagsPut | Happening::TagsDeleted => None,
        }
    }

    fn deletion_type(self) -> Option<&'static str> {
        match self {
            Happening::Deleted | Happening::Expired => Some("Permanently Deleted"),
            Happening::MarkerCreated | Happening::MarkerByLifecycle => Some("Delete Marker Created"),
            _ => None,
        }
    }

    fn is_by_lifecycle(self) -> bool {
        matches!(self, Happening::Expired | Happening::MarkerByLifecycle)
    }
}

impl Change {
    /// A change of an object that is there.
    pub(crate) fn of(
        key: &ObjectKey,
        object: &Object,
        happening: Happening,
        version: Option<String>,
    ) -> Change {
        let object = Some((object.bytes, object.etag.clone()));
        Change { object, ..Change::without_object(key, happening, version) }
    }

    /// A change that leaves nothing.
    pub(crate) fn without_object(key: &ObjectKey, happening: Happening, version: Option<String>) -> Change {
        let (bucket, key) = (key.bucket.clone(), key.key.clone());
        Change { bucket, key, object: None, version, happening }
    }

    /// For the bus.
    fn detail(&self, tx: &Tx) -> Document {
        let mut object = json!({ "key": self.key });
        if let Some((bytes, etag)) = &self.object {
            if self.happening.detail_type() == "Object Created" {
                object["size"] = json!(bytes);
            }
            object["etag"] = json!(etag);
        }
        if let Some(version) = &self.version {
            object["version-id"] = json!(version);
        }
        if self.happening.reason().is_some() {
            object["sequencer"] = json!(sequencer(tx));
        }
        let by_lifecycle = self.happening.is_by_lifecycle();
        let account = tx.caller().account.to_string();
        let mut detail = json!({
            "version": "0",
            "bucket": { "name": self.bucket },
            "object": object,
            "request-id": tx.caller().request_id.simple().to_string(),
            "requester": if by_lifecycle { "s3.amazonaws.com" } else { account.as_str() },
        });
        if !by_lifecycle {
            detail["source-ip-address"] = json!("127.0.0.1");
        }
        for (name, value) in
            [("reason", self.happening.reason()), ("deletion-type", self.happening.deletion_type())]
        {
            if let Some(value) = value {
                detail[name] = json!(value);
            }
        }
        detail
    }

    /// For queues, topics and functions.
    fn records(&self, tx: &Tx, bucket: &Bucket, configuration: &str) -> Document {
        let mut object = json!({ "key": encode(&self.key) });
        if let Some((bytes, etag)) = &self.object {
            object["size"] = json!(bytes);
            object["eTag"] = json!(etag);
        }
        if let Some(version) = &self.version {
            object["versionId"] = json!(version);
        }
        object["sequencer"] = json!(sequencer(tx));
        let request = tx.caller().request_id.simple().to_string();
        let by_lifecycle = self.happening.is_by_lifecycle();
        let principal = if by_lifecycle { "s3.amazonaws.com" } else { tx.caller().principal.as_str() };
        json!({ "Records": [{
            "eventVersion": self.happening.record_version(),
            "eventSource": "aws:s3",
            "awsRegion": bucket.region.as_str(),
            "eventTime": tx.now().to_iso_millis(),
            "eventName": self.happening.name(),
            "userIdentity": { "principalId": principal },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": { "x-amz-request-id": request, "x-amz-id-2": request },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": bucket.owner.to_string() },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }] })
    }
}

impl Listener<'_> {
    /// What a key has to begin or end with; empty if the filter does not say.
    pub(crate) fn rule(&self, named: &str) -> &str {
        let rules = self.filter.and_then(|filter| filter.key.as_ref()?.filter_rules.as_deref());
        let rule = rules
            .unwrap_or_default()
            .iter()
            .find(|rule| rule.name.is_some_and(|name| name.as_str().eq_ignore_ascii_case(named)));
        rule.and_then(|rule| rule.value.as_deref()).unwrap_or_default()
    }

    fn hears(&self, change: &Change) -> bool {
        let name = change.happening.name();
        let wanted = |event: &Event| {
            let wanted = event.as_str().strip_prefix("s3:").unwrap_or_default();
            match wanted.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == wanted,
            }
        };
        let rules = self.filter.and_then(|filter| filter.key.as_ref()?.filter_rules.as_deref());
        let passes = rules.unwrap_or_default().iter().all(|rule| {
            let value = rule.value.as_deref().unwrap_or_default();
            match rule.name.map(|name| name.as_str()) {
                Some("suffix") => change.key.ends_with(value),
                _ => change.key.starts_with(value),
            }
        });
        passes && self.events.iter().any(wanted)
    }
}

/// All destinations of a configuration besides the bus.
pub(crate) fn listeners(configuration: &NotificationConfiguration) -> Vec<Listener<'_>> {
    let queues = configuration.queue_configurations.iter().flatten().map(|to| Listener {
        id: to.id.as_deref().unwrap_or_default(),
        arn: &to.queue_arn,
        events: &to.events,
        filter: to.filter.as_ref(),
    });
    let topics = configuration.topic_configurations.iter().flatten().map(|to| Listener {
        id: to.id.as_deref().unwrap_or_default(),
        arn: &to.topic_arn,
        events: &to.events,
        filter: to.filter.as_ref(),
    });
    let functions = configuration.lambda_function_configurations.iter().flatten().map(|to| Listener {
        id: to.id.as_deref().unwrap_or_default(),
        arn: &to.lambda_function_arn,
        events: &to.events,
        filter: to.filter.as_ref(),
    });
    queues.chain(topics).chain(functions).collect()
}

/// Enqueues what the bucket tells of a change.
pub(crate) fn tell(tx: &mut Tx, bucket: &Bucket, change: &Change) -> Result<()> {
    let Some(configuration) = &bucket.notification else { return Ok(()) };
    if configuration.event_bridge_configuration.is_some() {
        publish(tx, bucket, change)?;
    }
    for listener in listeners(configuration) {
        if listener.hears(change) {
            let payload = change.records(tx, bucket, listener.id).to_string();
            deliver(tx, bucket, &listener, payload)?;
        }
    }
    Ok(())
}

fn publish(tx: &mut Tx, bucket: &Bucket, change: &Change) -> Result<()> {
    let event = ServiceEvent {
        id: tx.id(),
        source: "aws.s3".to_owned(),
        detail_type: change.happening.detail_type().to_owned(),
        resources: vec![format!("arn:aws:s3:::{}", change.bucket)],
        time: tx.now(),
        detail: change.detail(tx).to_string(),
        order: None,
    };
    let call = Call::new("events", PUBLISH, &event)?;
    let (caller, note) = (Some(bucket.acting(tx.caller())), Some(event.detail_type));
    tx.enqueue(tx.now(), NewTask { caller, note, ..NewTask::new(call) })?;
    Ok(())
}

fn deliver(tx: &mut Tx, bucket: &Bucket, listener: &Listener<'_>, payload: String) -> Result<()> {
    let idempotency_key = tx.id().to_string();
    let call = match call_to(tx.targets(), listener.arn, payload, idempotency_key) {
        Ok(call) => call,
        // It was checked when it was configured; what served it then is not here any more.
        Err(fault) => {
            let detail = json!({ "error": fault.message });
            tx.fact("notification", listener.arn, Some(detail));
            return Ok(());
        }
    };
    let task = NewTask {
        caller: Some(bucket.acting(tx.caller())),
        note: Some(format!("notification {}", listener.id)),
        lane: Some(listener.arn.to_owned()),
        retry: RetryPolicy::event_bridge(),
        ..NewTask::new(call)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}

/// The call that delivers `payload` to a destination.
///
/// # Errors
/// `InvalidArgument` if nothing serves the ARN.
pub(crate) fn call_to(
    targets: &kernel::Targets,
    arn: &str,
    payload: String,
    idempotency_key: String,
) -> Result<Call, base::Fault> {
    let parsed = arn.parse::<Arn>().ok();
    let kind = parsed.as_ref().and_then(|arn| Some((arn, targets.find(arn)?)));
    let Some((arn, kind)) = kind else {
        return Err(crate::fault::invalid_argument("The ARN could not be parsed, or nothing here serves it"));
    };
    let parameters = json!({ "Subject": "Amazon S3 Notification" });
    (kind.call)(arn, Delivery { payload, parameters, idempotency_key, ..Delivery::default() })
}

/// Orders the events of one object: the greater comes later.
fn sequencer(tx: &Tx) -> String {
    format!("00{:016X}", tx.seq())
}

/// A key as forms have it.
fn encode(key: &str) -> String {
    utf8_percent_encode(key, KEPT).to_string().replace("%20", "+")
}

/// What forms do not escape, and the slash.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');
