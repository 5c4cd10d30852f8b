//! The ways of listing objects over HTTP: the operations themselves are those of the router.

use s3s::dto::{
    ChecksumAlgorithm, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectVersion,
    Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::caller;
use super::convert::{from_encoding, quoted, to_owner, to_prefixes, to_time, to_word};
use super::door::Door;
use crate::api;
use crate::ops::{list_object_versions, list_objects, list_objects_v2};

pub(super) async fn list_v2(
    door: &Door,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let S3Request { input, extensions, .. } = request;
    let owner = input.fetch_owner == Some(true);
    let input = api::ListObjectsV2Input {
        bucket: input.bucket,
        continuation_token: input.continuation_token,
        delimiter: input.delimiter,
        encoding_type: from_encoding(input.encoding_type.as_ref()),
        max_keys: input.max_keys,
        prefix: input.prefix,
        start_after: input.start_after,
        ..Default::default()
    };
    let page = door.run(&extensions, "ListObjectsV2", list_objects_v2::list_objects_v2, input).await?;
    let owner = owner.then(|| caller(&extensions, &door.kernel).account.to_string());
    let object = |object| to_object(object, owner.as_deref());
    Ok(S3Response::new(ListObjectsV2Output {
        contents: page.contents.map(|objects| objects.into_iter().map(object).collect()),
        common_prefixes: to_prefixes(page.common_prefixes),
        continuation_token: page.continuation_token,
        delimiter: page.delimiter,
        encoding_type: to_word!(page.encoding_type),
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

pub(super) async fn list(
    door: &Door,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let S3Request { input, extensions, .. } = request;
    let input = api::ListObjectsInput {
        bucket: input.bucket,
        delimiter: input.delimiter,
        encoding_type: from_encoding(input.encoding_type.as_ref()),
        marker: input.marker,
        max_keys: input.max_keys,
        prefix: input.prefix,
        ..Default::default()
    };
    let page = door.run(&extensions, "ListObjects", list_objects::list_objects, input).await?;
    Ok(S3Response::new(ListObjectsOutput {
        contents: page
            .contents
            .map(|objects| objects.into_iter().map(|object| to_object(object, None)).collect()),
        common_prefixes: to_prefixes(page.common_prefixes),
        delimiter: page.delimiter,
        encoding_type: to_word!(page.encoding_type),
        is_truncated: page.is_truncated,
        marker: page.marker,
        max_keys: page.max_keys,
        name: page.name,
        next_marker: page.next_marker,
        prefix: page.prefix,
        ..ListObjectsOutput::default()
    }))
}

fn to_object(object: api::Object, owner: Option<&str>) -> Object {
    Object {
        e_tag: quoted(object.e_tag.as_deref()),
        key: object.key,
        last_modified: object.last_modified.and_then(to_time),
        owner: owner.map(|id| Owner { display_name: None, id: Some(id.to_owned()) }),
        size: object.size,
        storage_class: to_word!(object.storage_class),
        ..Object::default()
    }
}

pub(super) async fn versions(
    door: &Door,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let S3Request { input, extensions, .. } = request;
    let input = api::ListObjectVersionsInput {
        bucket: input.bucket,
        delimiter: input.delimiter,
        encoding_type: from_encoding(input.encoding_type.as_ref()),
        key_marker: input.key_marker,
        max_keys: input.max_keys,
        prefix: input.prefix,
        version_id_marker: input.version_id_marker,
        ..Default::default()
    };
    let handler = list_object_versions::list_object_versions;
    let page = door.run(&extensions, "ListObjectVersions", handler, input).await?;
    let marker = |marker: api::DeleteMarkerEntry| DeleteMarkerEntry {
        key: marker.key,
        version_id: marker.version_id,
        is_latest: marker.is_latest,
        last_modified: marker.last_modified.and_then(to_time),
        owner: marker.owner.map(to_owner),
    };
    Ok(S3Response::new(ListObjectVersionsOutput {
        versions: page.versions.map(|versions| versions.into_iter().map(to_version).collect()),
        delete_markers: page.delete_markers.map(|markers| markers.into_iter().map(marker).collect()),
        common_prefixes: to_prefixes(page.common_prefixes),
        delimiter: page.delimiter,
        encoding_type: to_word!(page.encoding_type),
        is_truncated: page.is_truncated,
        key_marker: page.key_marker,
        version_id_marker: page.version_id_marker,
        max_keys: page.max_keys,
        name: page.name,
        next_key_marker: page.next_key_marker,
        next_version_id_marker: page.next_version_id_marker,
        prefix: page.prefix,
        ..ListObjectVersionsOutput::default()
    }))
}

fn to_version(version: api::ObjectVersion) -> ObjectVersion {
    let algorithms = version
        .checksum_algorithm
        .map(|all| all.into_iter().map(|one| ChecksumAlgorithm::from(one.as_str().to_owned())).collect());
    ObjectVersion {
        key: version.key,
        version_id: version.version_id,
        is_latest: version.is_latest,
        last_modified: version.last_modified.and_then(to_time),
        e_tag: quoted(version.e_tag.as_deref()),
        size: version.size,
        owner: version.owner.map(to_owner),
        storage_class: to_word!(version.storage_class),
        checksum_algorithm: algorithms,
        checksum_type: to_word!(version.checksum_type),
        ..ObjectVersion::default()
    }
}
