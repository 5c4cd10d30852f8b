//! Queues and their policies.

use super::super::{
    Facet, Known, Life, Naming, Place, Properties, Property, ResourceType, Source, Takes, Update, aside,
    call, fixed, only, open, path,
};
use base::Document;

const fn attribute(name: &'static str, to: &'static str, reset: &'static str) -> Property {
    open(name).to(to).reset(reset)
}

pub(super) const QUEUE: ResourceType = ResourceType {
    name: "AWS::SQS::Queue",
    service: "sqs",
    properties: &[
        fixed("QueueName"),
        fixed("FifoQueue").to("Attributes.FifoQueue"),
        attribute("ContentBasedDeduplication", "Attributes.ContentBasedDeduplication", "\"false\""),
        attribute("DeduplicationScope", "Attributes.DeduplicationScope", "\"queue\""),
        attribute("DelaySeconds", "Attributes.DelaySeconds", "\"0\""),
        attribute("FifoThroughputLimit", "Attributes.FifoThroughputLimit", "\"perQueue\""),
        attribute("KmsDataKeyReusePeriodSeconds", "Attributes.KmsDataKeyReusePeriodSeconds", "\"300\""),
        attribute("KmsMasterKeyId", "Attributes.KmsMasterKeyId", "\"\""),
        attribute("MaximumMessageSize", "Attributes.MaximumMessageSize", "\"1048576\""),
        attribute("MessageRetentionPeriod", "Attributes.MessageRetentionPeriod", "\"345600\""),
        attribute("ReceiveMessageWaitTimeSeconds", "Attributes.ReceiveMessageWaitTimeSeconds", "\"0\""),
        attribute("RedriveAllowPolicy", "Attributes.RedriveAllowPolicy", "\"\""),
        attribute("RedrivePolicy", "Attributes.RedrivePolicy", "\"\""),
        attribute("SqsManagedSseEnabled", "Attributes.SqsManagedSseEnabled", "\"true\""),
        attribute("VisibilityTimeout", "Attributes.VisibilityTimeout", "\"30\""),
        aside("Tags").to("tags"),
    ],
    naming: Some(Naming { suffix: Some(("FifoQueue", ".fifo")), ..Naming::new("QueueName", 80) }),
    create: Some(call("CreateQueue", &[])),
    updates: &[Update { call: call("SetQueueAttributes", &[("QueueUrl", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteQueue", &[("QueueUrl", Source::Id)])),
    read: Some(call("GetQueueUrl", &[("QueueName", Source::Name)])),
    id: Source::Function(url),
    attributes: &[
        ("Arn", Source::Text("arn:aws:sqs:{region}:{account}:{name}")),
        ("QueueName", Source::Name),
        ("QueueUrl", Source::Id),
    ],
    facets: &[Facet {
        property: "Tags",
        key: "Key",
        put: Some(call("TagQueue", &[("QueueUrl", Source::Id), ("Tags.0", Source::Item(""))])),
        remove: Some(call("UntagQueue", &[("QueueUrl", Source::Id), ("TagKeys.0", Source::Item("Key"))])),
        life: Life::Changes,
        ..Facet::BASE
    }],
    shape: Some(well_formed),
    ..ResourceType::BASE
};

/// What the operations would not see.
fn well_formed(properties: &mut Properties, _: &Place) -> Result<(), String> {
    if properties.get("Tags").is_some_and(|tags| !tags.is_array()) {
        return Err("#/Tags: expected type: JSONArray, found: JSONObject".to_owned());
    }
    let policy = properties.get("RedrivePolicy");
    policy
        .map_or(Ok(()), |policy| only(policy, "/RedrivePolicy", &["deadLetterTargetArn", "maxReceiveCount"]))
}

/// From the answer of either operation that tells it.
fn url(known: &Known<'_>) -> Option<Document> {
    let url = path::get(known.created, "QueueUrl").or_else(|| path::get(known.read, "QueueUrl"));
    url.cloned().or_else(|| known.id.map(Document::from))
}

pub(super) const QUEUE_POLICY: ResourceType = ResourceType {
    name: "AWS::SQS::QueuePolicy",
    service: "sqs",
    properties: &[aside("PolicyDocument"), aside("Queues")],
    naming: Some(Naming::new("", 100)),
    attributes: &[("Id", Source::Id)],
    facets: &[Facet {
        property: "Queues",
        put: Some(call("SetQueueAttributes", POLICY)),
        remove: Some(call("SetQueueAttributes", NO_POLICY)),
        also_on: &["PolicyDocument"],
        ..Facet::BASE
    }],
    ..ResourceType::BASE
};

const POLICY: &[(&str, Source)] =
    &[("QueueUrl", Source::Item("")), ("Attributes.Policy", Source::Property("PolicyDocument"))];
const NO_POLICY: &[(&str, Source)] =
    &[("QueueUrl", Source::Item("")), ("Attributes.Policy", Source::Text(""))];
