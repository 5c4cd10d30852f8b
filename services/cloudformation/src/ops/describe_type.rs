//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeType.html>

use std::collections::BTreeSet;

use base::{Document, Fault};
use kernel::{Result, Tx};
use serde_json::{Map, json};

use crate::api::{
    DeprecatedStatus, DescribeTypeInput, DescribeTypeOutput, ProvisioningType, RegistryType, Visibility,
    error,
};
use crate::provider::{Change, ResourceType, Source, Special};
use crate::stack::invalid;

/// What a resource type accepts, and what a change of it means. `cdk deploy --hotswap` asks before it changes a resource by
/// Cloud Control.
pub(crate) async fn describe_type(tx: &mut Tx, input: DescribeTypeInput) -> Result<DescribeTypeOutput> {
    let kind = asked_for(&input)?;
    let region = &tx.caller().region;
    let arn = format!("arn:aws:cloudformation:{region}::{RESOURCE}{}", kind.name.replace("::", "-"));
    Ok(DescribeTypeOutput {
        arn: Some(arn),
        r#type: Some(RegistryType::Resource),
        type_name: Some(kind.name.to_owned()),
        is_default_version: Some(true),
        description: Some(description(kind)),
        schema: Some(schema(kind).to_string()),
        provisioning_type: Some(provisioning(kind)),
        deprecated_status: Some(DeprecatedStatus::Live),
        visibility: Some(Visibility::Public),
        ..DescribeTypeOutput::default()
    })
}

/// How an ARN's last part begins.
const RESOURCE: &str = "type/resource/";

fn asked_for(input: &DescribeTypeInput) -> Result<&'static ResourceType, Fault> {
    let (wanted, name) = match input {
        DescribeTypeInput { arn: Some(arn), .. } => {
            let name = arn.split_once(RESOURCE).map(|(_, name)| name.replace('-', "::"));
            (arn, name)
        }
        DescribeTypeInput { r#type: Some(kind), type_name: Some(name), .. } => {
            (name, Some(name.clone()).filter(|_| *kind == RegistryType::Resource))
        }
        _ => return Err(invalid("You must specify either TypeName and Type, or Arn.")),
    };
    // All types are AWS's own, in the one version that stands in this binary.
    let versions = [&input.version_id, &input.publisher_id, &input.public_version_number];
    let own = versions.iter().all(|version| version.is_none());
    let known =
        name.filter(|name| own && name.starts_with("AWS::")).and_then(|name| ResourceType::find(&name));
    known.ok_or_else(|| error::type_not_found_exception(format!("The type '{wanted}' cannot be found.")))
}

fn description(kind: &ResourceType) -> String {
    format!("Resource Type definition for {}", kind.name)
}

/// In the form of the [registry's schemas], without the values' types: those are of the operations, which check them.
///
/// [registry's schemas]: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
fn schema(kind: &ResourceType) -> Document {
    let settable: BTreeSet<_> = kind.properties.iter().map(|property| property.name).collect();
    let told: BTreeSet<_> = kind.attributes.iter().map(|(name, _)| *name).collect();
    let identifier = identifier(kind);
    let read_only: BTreeSet<_> =
        told.into_iter().chain([identifier]).filter(|name| !settable.contains(name)).collect();
    let of_any_type = |name: &&str| ((*name).to_owned(), json!({}));
    let mut schema = json!({
        "typeName": kind.name,
        "description": description(kind),
        "properties": settable.iter().chain(&read_only).map(of_any_type).collect::<Map<_, _>>(),
        "additionalProperties": kind.open,
        "primaryIdentifier": [pointer(identifier)],
    });
    let replaced = kind.properties.iter().filter(|property| property.change == Change::Replace);
    let lists = [
        ("createOnlyProperties", replaced.map(|property| pointer(property.name)).collect::<Vec<_>>()),
        ("readOnlyProperties", read_only.into_iter().map(pointer).collect()),
    ];
    for (name, pointers) in lists.into_iter().filter(|(_, pointers)| !pointers.is_empty()) {
        schema[name] = json!(pointers);
    }
    schema
}

fn pointer(property: &str) -> String {
    format!("/properties/{property}")
}

/// The property that holds the physical id, by which Cloud Control knows a resource.
fn identifier(kind: &ResourceType) -> &'static str {
    let told = kind.attributes.iter().find(|(_, source)| matches!(source, Source::Id));
    let named = kind.name_property().filter(|_| matches!(kind.id, Source::Name));
    told.map(|(name, _)| *name).or(named).unwrap_or("Id")
}

fn provisioning(kind: &ResourceType) -> ProvisioningType {
    if kind.special != Special::None || kind.service.is_empty() {
        ProvisioningType::NonProvisionable
    } else if kind.properties.iter().all(|property| property.change == Change::Replace) {
        ProvisioningType::Immutable
    } else {
        ProvisioningType::FullyMutable
    }
}
