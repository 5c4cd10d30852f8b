//! Buckets.

use base::Document;
use serde_json::json;

use super::super::{Facet, Known, Life, Naming, Place, Properties, ResourceType, Source, aside, call, fixed};

pub(super) const BUCKET: ResourceType = ResourceType {
    name: "AWS::S3::Bucket",
    service: "s3",
    properties: &[fixed("BucketName").to("Bucket"), aside("WebsiteConfiguration")],
    naming: Some(Naming { lowercase: true, ..Naming::new("BucketName", 63) }),
    create: Some(call(
        "CreateBucket",
        &[("CreateBucketConfiguration.LocationConstraint", Source::Function(location))],
    )),
    delete: Some(call("DeleteBucket", &[("Bucket", Source::Id)])),
    read: Some(call("HeadBucket", &[("Bucket", Source::Name)])),
    attributes: &[
        ("Arn", Source::Text("arn:aws:s3:::{name}")),
        ("DomainName", Source::Text("{name}.s3.amazonaws.com")),
        ("DualStackDomainName", Source::Text("{name}.s3.dualstack.{region}.amazonaws.com")),
        ("RegionalDomainName", Source::Text("{name}.s3.{region}.amazonaws.com")),
        ("WebsiteURL", Source::Text("http://{name}.s3-website.{region}.amazonaws.com")),
    ],
    facets: &[Facet {
        property: "WebsiteConfiguration",
        many: false,
        put: Some(call(
            "PutBucketWebsite",
            &[("Bucket", Source::Id), ("WebsiteConfiguration", Source::Item(""))],
        )),
        remove: Some(call("DeleteBucketWebsite", &[("Bucket", Source::Id)])),
        life: Life::Set,
        ..Facet::BASE
    }],
    shape: Some(website),
    ..ResourceType::BASE
};

/// `us-east-1` is the one region that must not be named.
fn location(known: &Known<'_>) -> Option<Document> {
    let region = known.place.region.as_str();
    (region != "us-east-1").then(|| region.into())
}

/// A template gives documents by name; the operation wants each in an object of its own.
fn website(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let Some(Document::Object(website)) = properties.get_mut("WebsiteConfiguration") else { return Ok(()) };
    for (name, member) in [("IndexDocument", "Suffix"), ("ErrorDocument", "Key")] {
        if let Some(Document::String(document)) = website.get(name) {
            let wrapped = json!({ member: document });
            website.insert(name.to_owned(), wrapped);
        }
    }
    if let Some(Document::Array(rules)) = website.get_mut("RoutingRules") {
        for rule in rules.iter_mut().filter_map(Document::as_object_mut) {
            for (from, to) in [("RedirectRule", "Redirect"), ("RoutingRuleCondition", "Condition")] {
                if let Some(value) = rule.remove(from) {
                    rule.insert(to.to_owned(), value);
                }
            }
        }
    }
    Ok(())
}
