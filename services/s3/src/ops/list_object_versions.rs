use kernel::{Result, Tx};

use super::list_objects_v2::text_of;
use crate::api::{self, CommonPrefix, ListObjectVersionsInput, ListObjectVersionsOutput};
use crate::bucket;
use crate::checksum::word;
use crate::fault;
use crate::listing::Listing;
use crate::object::Object;
use crate::versions_listing;

/// A page of a bucket's versions and delete markers.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
pub(crate) async fn list_object_versions(
    tx: &mut Tx,
    input: ListObjectVersionsInput,
) -> Result<ListObjectVersionsOutput> {
    let account = tx.caller().account.to_string();
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let asked = Listing {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: input.key_marker.clone().unwrap_or_default(),
        max: input.max_keys,
    };
    let marker = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    if marker.is_some() && asked.after.is_empty() {
        let message = "A version-id marker cannot be specified without a key marker.";
        return Err(fault::invalid_argument(message).into());
    }
    let max_keys = asked.max_keys()?;
    let page = versions_listing::list(tx, (asked, marker)).await?;
    let text = text_of(input.encoding_type);
    let owner = api::Owner { id: Some(account), ..api::Owner::default() };
    let versions = page.objects.iter().map(|(key, object, latest)| {
        let described = version(object)?;
        Ok(api::ObjectVersion {
            key: Some(text(key)),
            is_latest: Some(*latest),
            owner: Some(owner.clone()),
            ..described
        })
    });
    let markers = page.markers.iter().map(|(key, marker, latest)| api::DeleteMarkerEntry {
        key: Some(text(key)),
        version_id: Some(marker.place.id()),
        is_latest: Some(*latest),
        last_modified: Some(marker.modified_at),
        owner: Some(owner.clone()),
    });
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    Ok(ListObjectVersionsOutput {
        versions: Some(versions.collect::<Result<Vec<_>>>()?).filter(|all| !all.is_empty()),
        delete_markers: Some(markers.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        common_prefixes: Some(prefixes.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        delimiter: input.delimiter.as_deref().map(&text),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.next.is_some()),
        key_marker: Some(text(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: i32::try_from(max_keys).ok(),
        name: Some(input.bucket),
        next_key_marker: page.next.as_ref().map(|(key, _)| text(key)),
        next_version_id_marker: page.next.and_then(|(_, version)| version),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        request_charged: None,
    })
}

fn version(object: &Object) -> Result<api::ObjectVersion> {
    let names = object.checksums.keys().map(|algorithm| word(algorithm.name()));
    let algorithms = Some(names.collect::<Result<Vec<_>>>()?).filter(|all| !all.is_empty());
    let checksum_type = algorithms.as_ref().map(|_| word(object.checksum_type.as_str())).transpose()?;
    Ok(api::ObjectVersion {
        version_id: Some(object.place.id()),
        last_modified: Some(object.modified_at),
        e_tag: Some(format!("\"{}\"", object.etag)),
        size: i64::try_from(object.bytes).ok(),
        storage_class: Some(api::ObjectVersionStorageClass::Standard),
        checksum_algorithm: algorithms,
        checksum_type,
        ..api::ObjectVersion::default()
    })
}
