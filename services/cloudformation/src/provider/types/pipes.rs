//! Pipes.

use base::Document;

use super::super::{
    Facet, Known, Life, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open,
};

const ARN: Source = Source::Text("arn:aws:pipes:{region}:{account}:pipe/{name}");

pub(super) const PIPE: ResourceType = ResourceType {
    name: "AWS::Pipes::Pipe",
    service: "pipes",
    properties: &[
        fixed("Name"),
        fixed("Source"),
        open("Description").reset("\"\""),
        open("DesiredState").reset("\"RUNNING\""),
        open("Enrichment").reset("\"\""),
        open("EnrichmentParameters").reset("{}"),
        open("KmsKeyIdentifier").reset("\"\""),
        open("LogConfiguration").reset(r#"{"Level": "OFF"}"#),
        open("RoleArn"),
        open("SourceParameters"),
        open("Target"),
        open("TargetParameters").reset("{}"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("CreatePipe", &[])),
    updates: &[Update {
        call: call(
            "UpdatePipe",
            &[("Name", Source::Id), ("SourceParameters", Source::Function(changeable_source_parameters))],
        ),
        takes: Takes::All,
    }],
    delete: Some(call("DeletePipe", &[("Name", Source::Id)])),
    read: Some(call("DescribePipe", &[("Name", Source::Name)])),
    attributes: &[
        ("Arn", ARN),
        ("CreationTime", Source::Read("CreationTime")),
        ("CurrentState", Source::Read("CurrentState")),
        ("LastModifiedTime", Source::Read("LastModifiedTime")),
        ("StateReason", Source::Read("StateReason")),
    ],
    // The operation takes tags as an object, the template gives one, too.
    facets: &[Facet {
        property: "Tags",
        many: false,
        put: Some(call("TagResource", &[("resourceArn", ARN), ("tags", Source::Item(""))])),
        remove: Some(call("UntagResource", &[("resourceArn", ARN), ("tagKeys", Source::Function(tag_keys))])),
        life: Life::Changes,
        ..Facet::BASE
    }],
    ready: Some(("CurrentState", &["RUNNING", "STOPPED"])),
    slow_delete: true,
    ..ResourceType::BASE
};

fn tag_keys(known: &Known<'_>) -> Option<Document> {
    Some(known.item.as_object()?.keys().map(|key| Document::from(key.as_str())).collect())
}

/// Where a stream begins to be read cannot be changed, and the operation does not take it.
/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipeSourceParameters.html>
fn changeable_source_parameters(known: &Known<'_>) -> Option<Document> {
    let mut parameters = known.properties.get("SourceParameters")?.clone();
    for source in parameters.as_object_mut()?.values_mut().filter_map(Document::as_object_mut) {
        source.retain(|name, _| !matches!(name.as_str(), "StartingPosition" | "StartingPositionTimestamp"));
    }
    Some(parameters)
}
