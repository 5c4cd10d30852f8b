use std::collections::BTreeMap;

use kernel::{Effect, Result, Tx};
use serde_json::json;

use crate::api::{ObjectCannedACL, PutObjectInput, PutObjectOutput, ServerSideEncryption};
use crate::body::{self, Claims, Draft, Uploader};
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::{AddedKey, ObjectKey};
use crate::object::{self, Headers, Object};

/// What an uploaded body becomes.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub bucket: String,
    pub key: String,
    pub headers: Headers,
    pub conditions: Conditions,
    pub draft: Draft,
}

/// Writes an object, over what stood there.
pub(crate) async fn place(tx: &mut Tx, placement: Placement) -> Result<Object> {
    let Placement { bucket, key, headers, conditions, draft } = placement;
    bucket::find(tx, &bucket).await?;
    let row = ObjectKey { bucket, key };
    let before = tx.get(&row).await?;
    conditions.check_write(before.as_ref())?;
    match &before {
        Some(before) => body::discard(tx, before)?,
        // Nobody reads this but who removes the bucket, so that uploads do not wait for each other.
        None => tx.put(&AddedKey { bucket: row.bucket.clone() }, &())?,
    }
    let object = draft.settle(tx, headers).await?;
    tx.put(&row, &object)?;
    let detail = json!({ "bytes": object.bytes, "etag": object.etag });
    tx.remark("object", &format!("{}/{}", row.bucket, row.key), Some(detail));
    Ok(object)
}

/// That a bucket is there and a key may be used: asked before a body is taken in.
pub(crate) async fn prepare(tx: &mut Tx, (bucket, key): (String, String)) -> Result<()> {
    object::check_key(&key)?;
    bucket::look_at(tx, &bucket).await.map(|_| ())
}

/// Writes an object whose body is in the document.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(crate) async fn put_object(effect: &Effect, input: PutObjectInput) -> Result<PutObjectOutput> {
    check(&input)?;
    let target = (input.bucket.clone(), input.key.clone());
    effect.transact("PutObject", prepare, target).await?;
    let checksums = [
        ("CRC32", input.checksum_crc32),
        ("CRC32C", input.checksum_crc32c),
        ("CRC64NVME", input.checksum_crc64nvme),
        ("SHA1", input.checksum_sha1),
        ("SHA256", input.checksum_sha256),
    ];
    let claims = Claims { md5: input.content_md5, checksums: given(checksums) };
    let mut uploader = Uploader::new(effect.kernel(), effect.caller().clone(), claims);
    uploader.push(input.body.unwrap_or_default().as_bytes()).await?;
    let headers = Headers {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        expires: None,
        website_redirect_location: input.website_redirect_location,
        storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
        metadata: input.metadata.unwrap_or_default(),
    };
    headers.check()?;
    let conditions =
        Conditions { if_match: input.if_match, if_none_match: input.if_none_match, ..Conditions::default() };
    let draft = uploader.finish()?;
    let placement = Placement { bucket: input.bucket, key: input.key, headers, conditions, draft };
    let object = effect.transact("PutObject", place, placement).await?;
    Ok(PutObjectOutput {
        e_tag: Some(format!("\"{}\"", object.etag)),
        server_side_encryption: Some(ServerSideEncryption::Aes256),
        ..PutObjectOutput::default()
    })
}

/// The checksums that are given, by algorithm.
pub(crate) fn given<const N: usize>(checksums: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    checksums.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn check(input: &PutObjectInput) -> Result<(), base::Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    let harmless =
        matches!(input.acl, None | Some(ObjectCannedACL::Private | ObjectCannedACL::BucketOwnerFullControl));
    if !harmless || grants.into_iter().any(Option::is_some) {
        return Err(fault::access_control_list_not_supported());
    }
    let encrypted = !matches!(input.server_side_encryption, None | Some(ServerSideEncryption::Aes256));
    let other_checksum = input.checksum_sha512.is_some()
        || input.checksum_md5.is_some()
        || input.checksum_xxhash64.is_some()
        || input.checksum_xxhash3.is_some()
        || input.checksum_xxhash128.is_some();
    let locked = input.object_lock_mode.is_some()
        || input.object_lock_retain_until_date.is_some()
        || input.object_lock_legal_hold_status.is_some()
        || input.object_lock_event_hold.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a key of KMS", encrypted),
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("object lock", locked),
        ("a checksum of this algorithm", other_checksum),
        ("appending to an object", input.write_offset_bytes.is_some()),
        ("tags of an object", input.tagging.as_ref().is_some_and(|tags| !tags.is_empty())),
        ("Expires in a document", input.expires.is_some()),
    ])
}
