//! `AWS::Serverless::SimpleTable` and `AWS::Serverless::LayerVersion`.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html> and
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html>

use base::Document;
use serde_json::json;

use super::{Declared, Made, package, tag_list};
use crate::template::error::TemplateError;

/// A table with one key.
pub(super) fn table(declared: &Declared, made: &mut Made) -> Result<(), TemplateError> {
    declared.check(&[
        "PointInTimeRecoverySpecification",
        "PrimaryKey",
        "ProvisionedThroughput",
        "SSESpecification",
        "TableName",
        "Tags",
    ])?;
    let text = |name: &str| declared.get("PrimaryKey").and_then(|key| key.get(name)?.as_str());
    let name = text("Name").unwrap_or("id");
    let kind = match text("Type") {
        None | Some("String") => "S",
        Some("Number") => "N",
        Some("Binary") => "B",
        Some(other) => return Err(declared.invalid(&format!("Invalid 'PrimaryKey' type {other}."))),
    };
    let mut properties = declared.copied(&[
        ("PointInTimeRecoverySpecification", "PointInTimeRecoverySpecification"),
        ("ProvisionedThroughput", "ProvisionedThroughput"),
        ("SSESpecification", "SSESpecification"),
        ("TableName", "TableName"),
    ]);
    if !properties.contains_key("ProvisionedThroughput") {
        properties.insert("BillingMode".to_owned(), "PAY_PER_REQUEST".into());
    }
    properties
        .insert("AttributeDefinitions".to_owned(), json!([{ "AttributeName": name, "AttributeType": kind }]));
    properties.insert("KeySchema".to_owned(), json!([{ "AttributeName": name, "KeyType": "HASH" }]));
    if let Some(tags) = declared.get("Tags") {
        properties.insert("Tags".to_owned(), tag_list(tags));
    }
    made.put(declared.logical_id.clone(), declared.itself("AWS::DynamoDB::Table", properties));
    Ok(())
}

/// A layer, whose older versions stay unless the template says otherwise.
pub(super) fn layer(declared: &Declared, made: &mut Made) -> Result<(), TemplateError> {
    declared.check(&[
        "CompatibleArchitectures",
        "CompatibleRuntimes",
        "ContentUri",
        "Description",
        "LayerName",
        "LicenseInfo",
        "RetentionPolicy",
    ])?;
    let mut properties = declared.copied(&[
        ("CompatibleArchitectures", "CompatibleArchitectures"),
        ("CompatibleRuntimes", "CompatibleRuntimes"),
        ("Description", "Description"),
        ("LayerName", "LayerName"),
        ("LicenseInfo", "LicenseInfo"),
    ]);
    let content = package(declared, "ContentUri")?;
    properties
        .insert("Content".to_owned(), content.ok_or_else(|| declared.invalid("'ContentUri' must be set."))?);
    properties.entry("LayerName").or_insert_with(|| declared.logical_id.as_str().into());
    let mut resource = declared.itself("AWS::Lambda::LayerVersion", properties);
    let policy = match declared.get("RetentionPolicy").and_then(Document::as_str) {
        Some("Delete") => "Delete",
        _ => "Retain",
    };
    resource["DeletionPolicy"] = policy.into();
    resource["UpdateReplacePolicy"] = policy.into();
    made.put(declared.logical_id.clone(), resource);
    Ok(())
}
