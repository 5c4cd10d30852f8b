//! Keys and their aliases.

use base::Document;
use serde_json::json;

use super::super::{
    Facet, Known, Life, Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed,
    open, path, tags,
};

const KEY_ID: (&str, Source) = ("KeyId", Source::Id);

pub(super) const KEY: ResourceType = ResourceType {
    name: "AWS::KMS::Key",
    service: "kms",
    properties: &[
        fixed("KeySpec"),
        fixed("KeyUsage"),
        fixed("MultiRegion"),
        fixed("Origin"),
        open("Description").reset("\"\""),
        open("KeyPolicy").to("Policy").by(1),
        aside("BypassPolicyLockoutSafetyCheck").to("BypassPolicyLockoutSafetyCheck"),
        aside("Enabled"),
        aside("EnableKeyRotation"),
        aside("PendingWindowInDays"),
        aside("RotationPeriodInDays"),
        aside("Tags").to("Tags"),
    ],
    create: Some(call("CreateKey", &[])),
    updates: &[
        Update { call: call("UpdateKeyDescription", &[KEY_ID]), takes: Takes::All },
        Update {
            call: call("PutKeyPolicy", &[KEY_ID, ("PolicyName", Source::Text("default"))]),
            takes: Takes::All,
        },
    ],
    delete: Some(call(
        "ScheduleKeyDeletion",
        &[KEY_ID, ("PendingWindowInDays", Source::Property("PendingWindowInDays"))],
    )),
    id: Source::Function(key_id),
    attributes: &[("Arn", Source::Text("arn:aws:kms:{region}:{account}:key/{id}")), ("KeyId", Source::Id)],
    facets: &[
        // Both are there only where they differ from what a new key is: see `switches`. The rotation of a key changes only while
        // the key is enabled.
        Facet {
            property: "Enabled",
            many: false,
            remove: Some(call("EnableKey", &[KEY_ID])),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "EnableKeyRotation",
            many: false,
            put: Some(call(
                "EnableKeyRotation",
                &[KEY_ID, ("RotationPeriodInDays", Source::Property("RotationPeriodInDays"))],
            )),
            remove: Some(call("DisableKeyRotation", &[KEY_ID])),
            also_on: &["RotationPeriodInDays"],
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "Enabled",
            many: false,
            put: Some(call("DisableKey", &[KEY_ID])),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            key: "TagKey",
            ..tags(
                call("TagResource", &[KEY_ID, ("Tags.0", Source::Item(""))]),
                call("UntagResource", &[KEY_ID, ("TagKeys.0", Source::Item("TagKey"))]),
            )
        },
    ],
    shape: Some(switches),
    ..ResourceType::BASE
};

fn key_id(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "KeyMetadata.KeyId").cloned().or_else(|| known.id.map(Document::from))
}

/// A switch that stands as on a new key is left out; tags have names of their own.
fn switches(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let is = |value: Option<&Document>, truth: bool| {
        let text = if truth { "true" } else { "false" };
        value.is_some_and(|value| *value == truth || *value == *text)
    };
    if !is(properties.get("Enabled"), false) {
        properties.remove("Enabled");
    }
    if !is(properties.get("EnableKeyRotation"), true) {
        properties.remove("EnableKeyRotation");
    }
    if let Some(Document::Array(tags)) = properties.get_mut("Tags") {
        for tag in tags {
            *tag = json!({ "TagKey": tag["Key"], "TagValue": tag["Value"] });
        }
    }
    Ok(())
}

pub(super) const ALIAS: ResourceType = ResourceType {
    name: "AWS::KMS::Alias",
    service: "kms",
    properties: &[fixed("AliasName"), open("TargetKeyId")],
    naming: Some(Naming::new("AliasName", 256)),
    create: Some(call("CreateAlias", &[])),
    updates: &[Update { call: call("UpdateAlias", &[("AliasName", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteAlias", &[("AliasName", Source::Id)])),
    read: Some(call("DescribeKey", &[("KeyId", Source::Name)])),
    ..ResourceType::BASE
};
