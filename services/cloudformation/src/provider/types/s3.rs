//! Buckets.

use base::Document;
use serde_json::json;

use super::super::{
    Call, Facet, Known, Life, Naming, Place, Properties, ResourceType, Source, aside, call, fixed,
};

pub(super) const BUCKET: ResourceType = ResourceType {
    name: "AWS::S3::Bucket",
    service: "s3",
    properties: &[
        fixed("BucketName").to("Bucket"),
        aside("PublicAccessBlockConfiguration"),
        aside("VersioningConfiguration"),
        aside("WebsiteConfiguration"),
    ],
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
        ("WebsiteURL", Source::Function(website_url)),
    ],
    facets: &[
        configuration("WebsiteConfiguration", SET_WEBSITE, "DeleteBucketWebsite"),
        configuration("PublicAccessBlockConfiguration", SET_PUBLIC_ACCESS, "DeletePublicAccessBlock"),
        Facet {
            property: "VersioningConfiguration",
            many: false,
            put: Some(call(
                "PutBucketVersioning",
                &[("Bucket", Source::Id), ("VersioningConfiguration", Source::Item(""))],
            )),
            life: Life::Set,
            ..Facet::BASE
        },
    ],
    shape: Some(configurations),
    ..ResourceType::BASE
};

const SET_WEBSITE: Call =
    call("PutBucketWebsite", &[("Bucket", Source::Id), ("WebsiteConfiguration", Source::Item(""))]);
const SET_PUBLIC_ACCESS: Call = call(
    "PutPublicAccessBlock",
    &[("Bucket", Source::Id), ("PublicAccessBlockConfiguration", Source::Item(""))],
);

const fn configuration(property: &'static str, put: Call, remove: &'static str) -> Facet {
    let remove = call(remove, &[("Bucket", Source::Id)]);
    Facet { property, many: false, put: Some(put), remove: Some(remove), life: Life::Set, ..Facet::BASE }
}

/// A policy has no existence of its own: it is put onto its bucket.
pub(super) const BUCKET_POLICY: ResourceType = ResourceType {
    name: "AWS::S3::BucketPolicy",
    service: "s3",
    properties: &[fixed("Bucket").to(""), aside("PolicyDocument")],
    naming: Some(Naming::new("", 100)),
    facets: &[Facet {
        property: "PolicyDocument",
        many: false,
        put: Some(call(
            "PutBucketPolicy",
            &[("Bucket", Source::Property("Bucket")), ("Policy", Source::Function(policy_text))],
        )),
        remove: Some(call("DeleteBucketPolicy", &[("Bucket", Source::Property("Bucket"))])),
        ..Facet::BASE
    }],
    ..ResourceType::BASE
};

fn policy_text(known: &Known<'_>) -> Option<Document> {
    match known.item {
        Document::String(_) => Some(known.item.clone()),
        document => Some(document.to_string().into()),
    }
}

/// A URL that can be used as it is: sites are served under the host `<bucket>.s3-website.<server>`. An address of
/// digits cannot bear names, but `localhost` and all below it is this machine.
fn website_url(known: &Known<'_>) -> Option<Document> {
    let (scheme, host) = known.place.endpoint.split_once("://")?;
    let (name, port) =
        host.rsplit_once(':').map_or((host, String::new()), |(name, port)| (name, format!(":{port}")));
    let is_address = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
    let name = if is_address { "localhost" } else { name };
    Some(format!("{scheme}://{}.s3-website.{name}{port}", known.name?).into())
}

/// `us-east-1` is the one region that must not be named.
fn location(known: &Known<'_>) -> Option<Document> {
    let region = known.place.region.as_str();
    (region != "us-east-1").then(|| region.into())
}

fn configurations(properties: &mut Properties, _: &Place) -> Result<(), String> {
    if let Some(Document::Object(website)) = properties.get_mut("WebsiteConfiguration") {
        website_of(website);
    }
    if let Some(Document::Object(access)) = properties.get_mut("PublicAccessBlockConfiguration") {
        for switch in access.values_mut() {
            match switch.as_str() {
                Some("true") => *switch = true.into(),
                Some("false") => *switch = false.into(),
                _ => {}
            }
        }
    }
    Ok(())
}

/// A template gives documents by name; the operation wants each in an object of its own.
fn website_of(website: &mut Properties) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_have_urls_that_can_be_used() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4566", "http://b.s3-website.localhost:4566"),
            ("https://[::1]:4566", "https://b.s3-website.localhost:4566"),
            ("http://cloud.example", "http://b.s3-website.cloud.example"),
        ] {
            let place = Place { account: "1".into(), region: "r".into(), endpoint: endpoint.into() };
            let properties = Properties::new();
            let (created, read, item) = (Document::Null, Document::Null, Document::Null);
            let known = Known {
                id: None,
                name: Some("b"),
                properties: &properties,
                created: &created,
                read: &read,
                item: &item,
                place: &place,
            };
            assert_eq!(website_url(&known), Some(expected.into()));
        }
    }

    #[test]
    fn configurations_take_the_operations_form() {
        let place = Place { account: "1".into(), region: "r".into(), endpoint: String::new() };
        let given = json!({"WebsiteConfiguration": {
            "IndexDocument": "i.html", "ErrorDocument": "e.html",
            "RoutingRules": [{"RedirectRule": {"HostName": "h"}, "RoutingRuleCondition": {"KeyPrefixEquals": "k"}}]
        }, "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "IgnorePublicAcls": false}});
        let mut properties = given.as_object().unwrap().clone();
        configurations(&mut properties, &place).unwrap();
        let expected = json!({"WebsiteConfiguration": {
            "IndexDocument": {"Suffix": "i.html"}, "ErrorDocument": {"Key": "e.html"},
            "RoutingRules": [{"Redirect": {"HostName": "h"}, "Condition": {"KeyPrefixEquals": "k"}}]
        }, "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": false}});
        assert_eq!(Document::Object(properties), expected);
    }
}
