//! Both ways of listing objects over HTTP.

use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::caller;
use super::convert::{to_checksum_type, to_etag, to_time};
use super::door::Door;
use crate::api;
use crate::listing::{self, Listing};
use crate::ops::list_objects_v2::{self, encode};
use crate::versions_listing;

pub(super) async fn list_v2(
    door: &Door,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let S3Request { input, extensions, .. } = request;
    let encoding = input.encoding_type.filter(|encoding| encoding.as_str() == EncodingType::URL);
    let owner = input.fetch_owner == Some(true);
    let input = api::ListObjectsV2Input {
        bucket: input.bucket,
        continuation_token: input.continuation_token,
        delimiter: input.delimiter,
        encoding_type: encoding.is_some().then_some(api::EncodingType::Url),
        max_keys: input.max_keys,
        prefix: input.prefix,
        start_after: input.start_after,
        ..Default::default()
    };
    let page = door.run(&extensions, "ListObjectsV2", list_objects_v2::list_objects_v2, input).await?;
    let owner = owner.then(|| caller(&extensions, &door.kernel).account.to_string());
    let object = |object: api::Object| Object {
        e_tag: object.e_tag.as_deref().map(|etag| to_etag(etag.trim_matches('"'))),
        key: object.key,
        last_modified: object.last_modified.and_then(to_time),
        owner: owner.clone().map(|id| Owner { display_name: None, id: Some(id) }),
        size: object.size,
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    };
    Ok(S3Response::new(ListObjectsV2Output {
        contents: page.contents.map(|objects| objects.into_iter().map(object).collect()),
        common_prefixes: page
            .common_prefixes
            .map(|all| all.into_iter().map(|one| CommonPrefix { prefix: one.prefix }).collect()),
        continuation_token: page.continuation_token,
        delimiter: page.delimiter,
        encoding_type: encoding,
        is_truncated: page.is_truncated,
        key_count: page.key_count,
        max_keys: page.max_keys,
        name: page.name,
        next_continuation_token: page.next_continuation_token,
        prefix: page.prefix,
        start_after: page.start_after,
        ..ListObjectsV2Output::default()
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
pub(super) async fn list(
    door: &Door,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let S3Request { input, extensions, .. } = request;
    let asked = Listing {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.marker.clone().unwrap_or_default(),
        max: input.max_keys,
    };
    let max_keys = asked.max_keys().map_err(kernel::Error::Fault);
    let max_keys = door.told(&extensions, max_keys)?;
    let page = door.run(&extensions, "ListObjects", listing::list, asked).await?;
    let encoding = input.encoding_type.filter(|encoding| encoding.as_str() == EncodingType::URL);
    let text = |text: &str| if encoding.is_some() { encode(text) } else { text.to_owned() };
    let contents = page.objects.iter().map(|(key, object)| Object {
        e_tag: Some(to_etag(&object.etag)),
        key: Some(text(key)),
        last_modified: to_time(object.modified_at),
        size: i64::try_from(object.bytes).ok(),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    });
    // Without a delimiter the client goes on from the last key, which AWS leaves it to find.
    let next_marker = page.next.as_deref().filter(|_| input.delimiter.is_some()).map(text);
    Ok(S3Response::new(ListObjectsOutput {
        contents: Some(contents.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        common_prefixes: Some(
            page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) }).collect(),
        )
        .filter(|all: &Vec<_>| !all.is_empty()),
        delimiter: input.delimiter.as_deref().map(text),
        encoding_type: encoding.clone(),
        is_truncated: Some(page.next.is_some()),
        marker: Some(text(input.marker.as_deref().unwrap_or_default())),
        max_keys: i32::try_from(max_keys).ok(),
        name: Some(input.bucket),
        next_marker,
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        ..ListObjectsOutput::default()
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
pub(super) async fn versions(
    door: &Door,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let S3Request { input, extensions, .. } = request;
    let asked = Listing {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.key_marker.clone().unwrap_or_default(),
        max: input.max_keys,
    };
    let marker = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    let keyless = marker.is_some() && asked.after.is_empty();
    let checked = if keyless {
        Err(crate::fault::invalid_argument("A version-id marker cannot be specified without a key marker."))
    } else {
        asked.max_keys()
    };
    let max_keys = door.told(&extensions, checked.map_err(kernel::Error::Fault))?;
    let page = door.run(&extensions, "ListObjectVersions", versions_listing::list, (asked, marker)).await?;
    let encoding = input.encoding_type.filter(|encoding| encoding.as_str() == EncodingType::URL);
    let text = |text: &str| if encoding.is_some() { encode(text) } else { text.to_owned() };
    let account = caller(&extensions, &door.kernel).account.to_string();
    let owner = Owner { display_name: None, id: Some(account) };
    let versions = page.objects.iter().map(|(key, object, latest)| ObjectVersion {
        key: Some(text(key)),
        version_id: Some(object.place.id()),
        is_latest: Some(*latest),
        last_modified: to_time(object.modified_at),
        e_tag: Some(to_etag(&object.etag)),
        size: i64::try_from(object.bytes).ok(),
        owner: Some(owner.clone()),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        checksum_algorithm: algorithms(object),
        checksum_type: algorithms(object).map(|_| to_checksum_type(object.checksum_type)),
        ..ObjectVersion::default()
    });
    let markers = page.markers.iter().map(|(key, marker, latest)| DeleteMarkerEntry {
        key: Some(text(key)),
        version_id: Some(marker.place.id()),
        is_latest: Some(*latest),
        last_modified: to_time(marker.modified_at),
        owner: Some(owner.clone()),
    });
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    Ok(S3Response::new(ListObjectVersionsOutput {
        versions: Some(versions.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        delete_markers: Some(markers.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        common_prefixes: Some(prefixes.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        delimiter: input.delimiter.as_deref().map(text),
        encoding_type: encoding.clone(),
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(text(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: i32::try_from(max_keys).ok(),
        name: Some(input.bucket),
        next_key_marker: page.next.as_ref().map(|(key, _)| text(key)),
        next_version_id_marker: page.next.and_then(|(_, version)| version),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        ..ListObjectVersionsOutput::default()
    }))
}

fn algorithms(object: &crate::object::Object) -> Option<Vec<ChecksumAlgorithm>> {
    let names = object.checksums.keys().map(|algorithm| ChecksumAlgorithm::from(algorithm.name().to_owned()));
    Some(names.collect()).filter(|all: &Vec<_>| !all.is_empty())
}
