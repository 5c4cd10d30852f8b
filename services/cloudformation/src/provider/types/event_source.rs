//! Queues and streams that functions read from.

use base::Document;

use super::super::{Known, ResourceType, Source, Takes, Update, aside, call, fixed, open, path, tags};

const ARN: Source = Source::Text("arn:aws:lambda:{region}:{account}:event-source-mapping:{id}");

pub(super) const EVENT_SOURCE_MAPPING: ResourceType = ResourceType {
    name: "AWS::Lambda::EventSourceMapping",
    service: "lambda",
    properties: &[
        fixed("EventSourceArn"),
        fixed("StartingPosition"),
        fixed("StartingPositionTimestamp"),
        open("BatchSize"),
        open("BisectBatchOnFunctionError").reset("false"),
        open("DestinationConfig").reset("{}"),
        open("Enabled").reset("true"),
        open("FilterCriteria").reset("{}"),
        open("FunctionName"),
        open("FunctionResponseTypes").reset("[]"),
        open("KmsKeyArn").to("KMSKeyArn").reset("\"\""),
        open("LoggingConfig"),
        open("MaximumBatchingWindowInSeconds").reset("0"),
        open("MaximumRecordAgeInSeconds").reset("-1"),
        open("MaximumRetryAttempts").reset("-1"),
        open("MetricsConfig"),
        open("ParallelizationFactor").reset("1"),
        open("ProvisionedPollerConfig"),
        open("ScalingConfig").reset("{}"),
        open("TumblingWindowInSeconds").reset("0"),
        aside("Tags").to("Tags"),
    ],
    create: Some(call("CreateEventSourceMapping", &[])),
    updates: &[Update { call: call("UpdateEventSourceMapping", &[("UUID", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteEventSourceMapping", &[("UUID", Source::Id)])),
    read: Some(call("GetEventSourceMapping", &[("UUID", Source::Id)])),
    id: Source::Function(uuid),
    attributes: &[("EventSourceMappingArn", ARN), ("Id", Source::Id)],
    facets: &[tags(
        call("TagResource", &[("Resource", ARN), ("Tags.0", Source::Item(""))]),
        call("UntagResource", &[("Resource", ARN), ("TagKeys.0", Source::Item("Key"))]),
    )],
    ready: Some(("State", &["Enabled", "Disabled"])),
    slow_delete: true,
    ..ResourceType::BASE
};

fn uuid(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "UUID").cloned().or_else(|| known.id.map(Document::from))
}
