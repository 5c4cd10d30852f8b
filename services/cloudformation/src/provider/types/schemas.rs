//! Schema registries, schemas and discoverers.

use base::Document;

use super::super::{
    Call, Facet, Known, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open, path, tags,
};

const REGISTRY_ARN: &str = "arn:aws:schemas:{region}:{account}:registry/{name}";

const TAG: Call = call("TagResource", &[("ResourceArn", ARN), ("Tags.0", Source::Item(""))]);
const UNTAG: Call = call("UntagResource", &[("ResourceArn", ARN), ("TagKeys.0", Source::Item("Key"))]);
const ARN: Source = Source::Function(arn);

/// A discoverer's physical id is no ARN; the other two types' is.
fn arn(known: &Known<'_>) -> Option<Document> {
    let id = known.id?;
    if id.starts_with("arn:") {
        return Some(id.into());
    }
    let place = known.place;
    Some(format!("arn:aws:schemas:{}:{}:discoverer/{id}", place.region, place.account).into())
}

pub(super) const REGISTRY: ResourceType = ResourceType {
    name: "AWS::EventSchemas::Registry",
    service: "schemas",
    properties: &[fixed("RegistryName"), open("Description").reset("\"\""), aside("Tags").to("Tags")],
    naming: Some(Naming::new("RegistryName", 64)),
    create: Some(call("CreateRegistry", &[])),
    updates: &[Update { call: call("UpdateRegistry", &[("RegistryName", Source::Name)]), takes: Takes::All }],
    delete: Some(call("DeleteRegistry", &[("RegistryName", Source::Name)])),
    read: Some(call("DescribeRegistry", &[("RegistryName", Source::Name)])),
    id: Source::Text(REGISTRY_ARN),
    attributes: &[("RegistryArn", Source::Id), ("RegistryName", Source::Name)],
    facets: &[tags(TAG, UNTAG)],
    ..ResourceType::BASE
};

const IN_REGISTRY: &[(&str, Source)] =
    &[("RegistryName", Source::Property("RegistryName")), ("SchemaName", Source::Name)];

pub(super) const SCHEMA: ResourceType = ResourceType {
    name: "AWS::EventSchemas::Schema",
    service: "schemas",
    properties: &[
        fixed("RegistryName"),
        fixed("SchemaName"),
        open("Type"),
        open("Content"),
        open("Description").reset("\"\""),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("SchemaName", 385)),
    create: Some(call("CreateSchema", &[])),
    updates: &[Update { call: call("UpdateSchema", IN_REGISTRY), takes: Takes::All }],
    delete: Some(call("DeleteSchema", IN_REGISTRY)),
    read: Some(call("DescribeSchema", IN_REGISTRY)),
    id: Source::Text("arn:aws:schemas:{region}:{account}:schema/{.RegistryName}/{name}"),
    attributes: &[
        ("SchemaArn", Source::Id),
        ("SchemaName", Source::Name),
        ("SchemaVersion", Source::Read("SchemaVersion")),
        ("LastModified", Source::Read("LastModified")),
        ("VersionCreatedDate", Source::Read("VersionCreatedDate")),
    ],
    facets: &[tags(TAG, UNTAG)],
    ..ResourceType::BASE
};

pub(super) const DISCOVERER: ResourceType = ResourceType {
    name: "AWS::EventSchemas::Discoverer",
    service: "schemas",
    properties: &[
        fixed("SourceArn"),
        open("CrossAccount").reset("true"),
        open("Description").reset("\"\""),
        aside("Tags").to("Tags"),
    ],
    create: Some(call("CreateDiscoverer", &[])),
    updates: &[Update { call: call("UpdateDiscoverer", &[("DiscovererId", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteDiscoverer", &[("DiscovererId", Source::Id)])),
    read: Some(call("DescribeDiscoverer", &[("DiscovererId", Source::Id)])),
    id: Source::Function(discoverer_id),
    attributes: &[
        ("CrossAccount", Source::Read("CrossAccount")),
        ("DiscovererArn", ARN),
        ("DiscovererId", Source::Id),
        ("State", Source::Read("State")),
    ],
    facets: &[tags(TAG, UNTAG)],
    ..ResourceType::BASE
};

fn discoverer_id(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "DiscovererId").cloned().or_else(|| known.id.map(Document::from))
}

/// A policy has no existence of its own: it is put onto its registry.
pub(super) const REGISTRY_POLICY: ResourceType = ResourceType {
    name: "AWS::EventSchemas::RegistryPolicy",
    service: "schemas",
    properties: &[fixed("RegistryName").to(""), aside("Policy"), aside("RevisionId")],
    naming: Some(Naming::new("", 100)),
    attributes: &[("Id", Source::Id)],
    facets: &[Facet {
        property: "Policy",
        many: false,
        put: Some(call(
            "PutResourcePolicy",
            &[
                ("RegistryName", Source::Property("RegistryName")),
                ("Policy", Source::Item("")),
                ("RevisionId", Source::Property("RevisionId")),
            ],
        )),
        remove: Some(call("DeleteResourcePolicy", &[("RegistryName", Source::Property("RegistryName"))])),
        also_on: &["RevisionId"],
        ..Facet::BASE
    }],
    ..ResourceType::BASE
};
