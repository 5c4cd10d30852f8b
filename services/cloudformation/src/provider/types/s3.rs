//! Buckets.

use base::Document;
use serde_json::json;

use super::super::{Call, Facet, Known, Life, Naming, ResourceType, Source, aside, call, fixed};
use super::bucket;

pub(super) const BUCKET: ResourceType = ResourceType {
    name: "AWS::S3::Bucket",
    service: "s3",
    properties: &[
        fixed("BucketName").to("Bucket"),
        aside("AccessControl"),
        aside("BucketEncryption"),
        aside("CorsConfiguration"),
        aside("LifecycleConfiguration"),
        aside("NotificationConfiguration"),
        aside("OwnershipControls"),
        aside("PublicAccessBlockConfiguration"),
        aside("Tags"),
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
        configuration("OwnershipControls", SET_OWNERSHIP, "DeleteBucketOwnershipControls"),
        configuration("BucketEncryption", SET_ENCRYPTION, "DeleteBucketEncryption"),
        configuration("VersioningConfiguration", SET_VERSIONING, ""),
        configuration("LifecycleConfiguration", SET_LIFECYCLE, "DeleteBucketLifecycle"),
        configuration("CorsConfiguration", SET_CORS, "DeleteBucketCors"),
        Facet {
            remove: Some(NO_NOTIFICATION),
            ..configuration("NotificationConfiguration", SET_NOTIFICATION, "")
        },
        configuration("Tags", SET_TAGS, "DeleteBucketTagging"),
    ],
    shape: Some(bucket::configurations),
    ..ResourceType::BASE
};

const BUCKET_ID: (&str, Source) = ("Bucket", Source::Id);
const ITEM: Source = Source::Item("");
const SET_WEBSITE: Call = call("PutBucketWebsite", &[BUCKET_ID, ("WebsiteConfiguration", ITEM)]);
const SET_PUBLIC_ACCESS: Call =
    call("PutPublicAccessBlock", &[BUCKET_ID, ("PublicAccessBlockConfiguration", ITEM)]);
const SET_OWNERSHIP: Call = call("PutBucketOwnershipControls", &[BUCKET_ID, ("OwnershipControls", ITEM)]);
const SET_ENCRYPTION: Call =
    call("PutBucketEncryption", &[BUCKET_ID, ("ServerSideEncryptionConfiguration", ITEM)]);
const SET_VERSIONING: Call = call("PutBucketVersioning", &[BUCKET_ID, ("VersioningConfiguration", ITEM)]);
const SET_LIFECYCLE: Call =
    call("PutBucketLifecycleConfiguration", &[BUCKET_ID, ("LifecycleConfiguration", ITEM)]);
const SET_CORS: Call = call("PutBucketCors", &[BUCKET_ID, ("CORSConfiguration", ITEM)]);
const SET_NOTIFICATION: Call =
    call("PutBucketNotificationConfiguration", &[BUCKET_ID, ("NotificationConfiguration", ITEM)]);
const NO_NOTIFICATION: Call = call(
    "PutBucketNotificationConfiguration",
    &[BUCKET_ID, ("NotificationConfiguration", Source::Function(|_| Some(json!({}))))],
);
const SET_TAGS: Call = call("PutBucketTagging", &[BUCKET_ID, ("Tagging.TagSet", ITEM)]);

/// A configuration that goes with its bucket. An empty name: nothing takes it away.
const fn configuration(property: &'static str, put: Call, remove: &'static str) -> Facet {
    let remove = if remove.is_empty() { None } else { Some(call(remove, &[BUCKET_ID])) };
    Facet { property, many: false, put: Some(put), remove, life: Life::Set, ..Facet::BASE }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Place, Properties};

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
}
