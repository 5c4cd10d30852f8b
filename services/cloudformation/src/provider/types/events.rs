//! Event buses and rules.

use base::Document;

use super::super::{
    Facet, Known, Life, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open, tags,
};

const BUS_ARN: Source = Source::Text("arn:aws:events:{region}:{account}:event-bus/{name}");

pub(super) const EVENT_BUS: ResourceType = ResourceType {
    name: "AWS::Events::EventBus",
    service: "events",
    properties: &[
        fixed("Name"),
        fixed("EventSourceName"),
        open("Description").reset("\"\""),
        open("DeadLetterConfig").reset("{}"),
        open("KmsKeyIdentifier").reset("\"\""),
        open("LogConfig").reset(r#"{"IncludeDetail": "NONE", "Level": "OFF"}"#),
        aside("Policy"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("Name", 256)),
    create: Some(call("CreateEventBus", &[])),
    updates: &[Update { call: call("UpdateEventBus", &[("Name", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteEventBus", &[("Name", Source::Id)])),
    read: Some(call("DescribeEventBus", &[("Name", Source::Name)])),
    attributes: &[("Arn", BUS_ARN), ("Name", Source::Name), ("Policy", Source::Property("Policy"))],
    facets: &[
        Facet {
            property: "Policy",
            many: false,
            put: Some(call("PutPermission", &[("EventBusName", Source::Id), ("Policy", Source::Item(""))])),
            remove: Some(call(
                "RemovePermission",
                &[("EventBusName", Source::Id), ("RemoveAllPermissions", Source::Text("true"))],
            )),
            life: Life::Set,
            ..Facet::BASE
        },
        tags(
            call("TagResource", &[("ResourceARN", BUS_ARN), ("Tags.0", Source::Item(""))]),
            call("UntagResource", &[("ResourceARN", BUS_ARN), ("TagKeys.0", Source::Item("Key"))]),
        ),
    ],
    ..ResourceType::BASE
};

const BUS: Source = Source::Property("EventBusName");
const RULE_ARN: Source = Source::Function(rule_arn);

pub(super) const RULE: ResourceType = ResourceType {
    name: "AWS::Events::Rule",
    service: "events",
    properties: &[
        fixed("Name"),
        fixed("EventBusName"),
        open("Description"),
        open("EventPattern"),
        open("RoleArn"),
        open("ScheduleExpression"),
        open("State"),
        aside("Targets"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("PutRule", &[])),
    updates: &[Update {
        call: call("PutRule", &[("Name", Source::Name), ("EventBusName", BUS)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteRule", &[("Name", Source::Name), ("EventBusName", BUS)])),
    read: Some(call("DescribeRule", &[("Name", Source::Name), ("EventBusName", BUS)])),
    id: Source::Function(rule_id),
    attributes: &[("Arn", RULE_ARN)],
    facets: &[
        Facet {
            property: "Targets",
            key: "Id",
            put: Some(call(
                "PutTargets",
                &[("Rule", Source::Name), ("EventBusName", BUS), ("Targets.0", Source::Item(""))],
            )),
            remove: Some(call(
                "RemoveTargets",
                &[("Rule", Source::Name), ("EventBusName", BUS), ("Ids.0", Source::Item("Id"))],
            )),
            ..Facet::BASE
        },
        Facet {
            property: "Tags",
            key: "Key",
            put: Some(call("TagResource", &[("ResourceARN", RULE_ARN), ("Tags.0", Source::Item(""))])),
            remove: Some(call(
                "UntagResource",
                &[("ResourceARN", RULE_ARN), ("TagKeys.0", Source::Item("Key"))],
            )),
            life: Life::Changes,
            ..Facet::BASE
        },
    ],
    ..ResourceType::BASE
};

/// The bus's name, unless it is the default one. The property may be an ARN.
fn custom_bus<'k>(known: &'k Known<'_>) -> Option<&'k str> {
    let bus = known.properties.get("EventBusName")?.as_str()?;
    let name = bus.rsplit('/').next().unwrap_or(bus);
    (name != "default").then_some(name)
}

/// On a bus of one's own, AWS's physical id is `bus|rule`.
fn rule_id(known: &Known<'_>) -> Option<Document> {
    let name = known.name?;
    Some(custom_bus(known).map_or_else(|| name.to_owned(), |bus| format!("{bus}|{name}")).into())
}

fn rule_arn(known: &Known<'_>) -> Option<Document> {
    let bus = custom_bus(known).map(|bus| format!("{bus}/")).unwrap_or_default();
    let (place, name) = (known.place, known.name?);
    Some(format!("arn:aws:events:{}:{}:rule/{bus}{name}", place.region, place.account).into())
}
