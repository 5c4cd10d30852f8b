//! Between s3s's shapes and those of the operations.

use base::Timestamp;
use s3s::dto;
use s3s::dto::TimestampFormat;

use crate::api;
use crate::checksum::ChecksumType;
use crate::conditions::Conditions;
use crate::object::Headers;
use crate::website::Scheme;

/// A time of ours as s3s has it; none if it is out of all bounds.
pub(super) fn to_time(time: Timestamp) -> Option<dto::Timestamp> {
    dto::Timestamp::parse(TimestampFormat::DateTime, &time.to_iso_millis()).ok()
}

/// A time of s3s's as we have it.
pub(crate) fn from_time(time: &dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    time.format(TimestampFormat::DateTime, &mut text).ok()?;
    Timestamp::from_iso(std::str::from_utf8(&text).ok()?)
}

/// A time as HTTP writes it.
pub(crate) fn to_http_date(time: Timestamp) -> Option<String> {
    let mut text = Vec::new();
    to_time(time)?.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// The tag of an answer's document, which stands in quotation marks there.
pub(super) fn quoted(etag: Option<&str>) -> Option<dto::ETag> {
    etag.map(|etag| to_etag(etag.trim_matches('"')))
}

/// A word of the tables as s3s has it.
macro_rules! to_word {
    ($word:expr) => {
        $word.map(|word| word.as_str().to_owned().into())
    };
}

/// An answer of s3s's of which only the checksums are told: those of the document.
macro_rules! same_checksums {
    ($answer:path, $document:expr) => {{
        let mut told = <$answer>::default();
        told.checksum_crc32 = $document.checksum_crc32;
        told.checksum_crc32c = $document.checksum_crc32c;
        told.checksum_crc64nvme = $document.checksum_crc64nvme;
        told.checksum_sha1 = $document.checksum_sha1;
        told.checksum_sha256 = $document.checksum_sha256;
        told
    }};
}

pub(super) use {same_checksums, to_word};

/// Whose something is.
pub(super) fn to_owner(owner: api::Owner) -> dto::Owner {
    dto::Owner { display_name: owner.display_name, id: owner.id }
}

/// Beginnings that keys have in common.
pub(super) fn to_prefixes(prefixes: Option<Vec<api::CommonPrefix>>) -> Option<dto::CommonPrefixList> {
    let prefixes = prefixes?.into_iter();
    Some(prefixes.map(|one| dto::CommonPrefix { prefix: one.prefix }).collect())
}

/// How a list is to write keys, as the tables have it.
pub(super) fn from_encoding(encoding: Option<&dto::EncodingType>) -> Option<api::EncodingType> {
    encoding.filter(|encoding| encoding.as_str() == dto::EncodingType::URL).map(|_| api::EncodingType::Url)
}

pub(super) fn to_etag(etag: &str) -> dto::ETag {
    dto::ETag::Strong(etag.to_owned())
}

pub(super) fn to_checksum_type(kind: ChecksumType) -> dto::ChecksumType {
    dto::ChecksumType::from(kind.as_str().to_owned())
}

pub(super) fn conditions(
    if_match: Option<&dto::ETagCondition>,
    if_none_match: Option<&dto::ETagCondition>,
    if_modified_since: Option<&dto::Timestamp>,
    if_unmodified_since: Option<&dto::Timestamp>,
) -> Conditions {
    Conditions {
        if_match: if_match.map(tag),
        if_none_match: if_none_match.map(tag),
        if_modified_since: if_modified_since.and_then(from_time),
        if_unmodified_since: if_unmodified_since.and_then(from_time),
    }
}

fn tag(condition: &dto::ETagCondition) -> String {
    condition.as_etag().map_or_else(|| "*".to_owned(), |etag| etag.value().to_owned())
}

pub(super) fn put_headers(input: &mut dto::PutObjectInput) -> Headers {
    Headers {
        content_type: input.content_type.take(),
        cache_control: input.cache_control.take(),
        content_disposition: input.content_disposition.take(),
        content_encoding: input.content_encoding.take(),
        content_language: input.content_language.take(),
        expires: input.expires.as_ref().and_then(from_time),
        website_redirect_location: input.website_redirect_location.take(),
        storage_class: input.storage_class.take().map(|class| class.as_str().to_owned()),
        metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
    }
}

pub(super) fn copy_headers(input: &mut dto::CopyObjectInput) -> Headers {
    Headers {
        content_type: input.content_type.take(),
        cache_control: input.cache_control.take(),
        content_disposition: input.content_disposition.take(),
        content_encoding: input.content_encoding.take(),
        content_language: input.content_language.take(),
        expires: input.expires.as_ref().and_then(from_time),
        website_redirect_location: input.website_redirect_location.take(),
        storage_class: input.storage_class.take().map(|class| class.as_str().to_owned()),
        metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
    }
}

pub(super) fn multipart_headers(input: &mut dto::CreateMultipartUploadInput) -> Headers {
    Headers {
        content_type: input.content_type.take(),
        cache_control: input.cache_control.take(),
        content_disposition: input.content_disposition.take(),
        content_encoding: input.content_encoding.take(),
        content_language: input.content_language.take(),
        expires: input.expires.as_ref().and_then(from_time),
        website_redirect_location: input.website_redirect_location.take(),
        storage_class: input.storage_class.take().map(|class| class.as_str().to_owned()),
        metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
    }
}

pub(super) fn to_access_block(
    block: api::PublicAccessBlockConfiguration,
) -> dto::PublicAccessBlockConfiguration {
    dto::PublicAccessBlockConfiguration {
        block_public_acls: block.block_public_acls,
        block_public_policy: block.block_public_policy,
        ignore_public_acls: block.ignore_public_acls,
        restrict_public_buckets: block.restrict_public_buckets,
    }
}

pub(super) fn from_access_block(
    block: dto::PublicAccessBlockConfiguration,
) -> api::PublicAccessBlockConfiguration {
    api::PublicAccessBlockConfiguration {
        block_public_acls: block.block_public_acls,
        block_public_policy: block.block_public_policy,
        ignore_public_acls: block.ignore_public_acls,
        restrict_public_buckets: block.restrict_public_buckets,
    }
}

pub(super) fn from_website(website: dto::WebsiteConfiguration) -> api::WebsiteConfiguration {
    api::WebsiteConfiguration {
        error_document: website.error_document.map(|document| api::ErrorDocument { key: document.key }),
        index_document: website.index_document.map(|document| api::IndexDocument { suffix: document.suffix }),
        redirect_all_requests_to: website.redirect_all_requests_to.map(|to| api::RedirectAllRequestsTo {
            host_name: to.host_name,
            protocol: to.protocol.and_then(|protocol| from_protocol(&protocol)),
        }),
        routing_rules: website.routing_rules.map(|rules| rules.into_iter().map(from_rule).collect()),
    }
}

fn from_rule(rule: dto::RoutingRule) -> api::RoutingRule {
    api::RoutingRule {
        condition: rule.condition.map(|condition| api::Condition {
            http_error_code_returned_equals: condition.http_error_code_returned_equals,
            key_prefix_equals: condition.key_prefix_equals,
        }),
        redirect: api::Redirect {
            host_name: rule.redirect.host_name,
            http_redirect_code: rule.redirect.http_redirect_code,
            protocol: rule.redirect.protocol.and_then(|protocol| from_protocol(&protocol)),
            replace_key_prefix_with: rule.redirect.replace_key_prefix_with,
            replace_key_with: rule.redirect.replace_key_with,
        },
    }
}

fn from_protocol(protocol: &dto::Protocol) -> Option<Scheme> {
    match protocol.as_str() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

fn to_protocol(protocol: Scheme) -> dto::Protocol {
    dto::Protocol::from(protocol.as_str().to_owned())
}

pub(super) fn to_website(website: api::GetBucketWebsiteOutput) -> dto::GetBucketWebsiteOutput {
    dto::GetBucketWebsiteOutput {
        error_document: website.error_document.map(|document| dto::ErrorDocument { key: document.key }),
        index_document: website.index_document.map(|document| dto::IndexDocument { suffix: document.suffix }),
        redirect_all_requests_to: website.redirect_all_requests_to.map(|to| dto::RedirectAllRequestsTo {
            host_name: to.host_name,
            protocol: to.protocol.map(to_protocol),
        }),
        routing_rules: website.routing_rules.map(|rules| rules.into_iter().map(to_rule).collect()),
    }
}

fn to_rule(rule: api::RoutingRule) -> dto::RoutingRule {
    dto::RoutingRule {
        condition: rule.condition.map(|condition| dto::Condition {
            http_error_code_returned_equals: condition.http_error_code_returned_equals,
            key_prefix_equals: condition.key_prefix_equals,
        }),
        redirect: dto::Redirect {
            host_name: rule.redirect.host_name,
            http_redirect_code: rule.redirect.http_redirect_code,
            protocol: rule.redirect.protocol.map(to_protocol),
            replace_key_prefix_with: rule.redirect.replace_key_prefix_with,
            replace_key_with: rule.redirect.replace_key_with,
        },
    }
}
