use std::collections::BTreeMap;

use kernel::{Effect, Result, Tx};
use serde_json::json;

use crate::api::{ObjectCannedACL, PutObjectInput, PutObjectOutput};
use crate::body::{BODY_BYTES_MAX, Claims, Draft, Segment, Uploader};
use crate::bucket::{self, Bucket};
use crate::checksum::{Algorithm, ChecksumType};
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::ObjectKey;
use crate::notify::{self, Change, Happening};
use crate::object::{self, Encryption, Headers, Object};
use crate::tags::{self, Tags};
use crate::versions::{self, Place};

/// What an uploaded body becomes.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub bucket: String,
    pub key: String,
    pub about: About,
    pub conditions: Conditions,
    pub draft: Draft,
    /// What is told of it.
    pub happening: Happening,
}

/// What the uploader says of an object besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub headers: Headers,
    pub tags: Tags,
    /// The bucket's default, if none is asked for.
    pub encryption: Option<Encryption>,
}

/// An object that was written.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub object: Object,
    /// Its version's id, if the bucket has versions.
    pub version: Option<String>,
}

/// Writes an object, over what stood there.
pub(crate) async fn place(tx: &mut Tx, placement: Placement) -> Result<Placed> {
    let Placement { bucket, key, about, conditions, draft, happening } = placement;
    let found = bucket::find(tx, &bucket).await?;
    let row = ObjectKey { bucket, key };
    conditions.check_write(versions::current(tx, &row).await?.as_ref())?;
    let Segment { body, parts, bytes, .. } = draft.settle(tx).await?;
    let object = Object {
        body,
        parts,
        bytes,
        etag: draft.etag,
        modified_at: tx.now(),
        checksums: draft.checksums,
        checksum_type: ChecksumType::FullObject,
        segments: 0,
        place: Place::default(),
        tags: about.tags,
        encryption: about.encryption.unwrap_or_else(|| found.default_encryption()),
        headers: about.headers,
    };
    stand(tx, &found, row, object, happening).await
}

/// Makes a finished object the current version, and tells so.
pub(crate) async fn stand(
    tx: &mut Tx,
    bucket: &Bucket,
    row: ObjectKey,
    object: Object,
    happening: Happening,
) -> Result<Placed> {
    let object = versions::place(tx, bucket, row.clone(), object).await?;
    let version = bucket.versioning.map(|_| object.place.id());
    notify::tell(tx, bucket, &Change::of(&row, &object, happening, told(bucket, &object)))?;
    let detail = json!({ "bytes": object.bytes, "etag": object.etag });
    tx.remark("object", &format!("{}/{}", row.bucket, row.key), Some(detail));
    Ok(Placed { object, version })
}

/// The version's id that events tell: none without versioning.
fn told(bucket: &Bucket, object: &Object) -> Option<String> {
    bucket.versioning.map(|_| object.place.id())
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
    let expected = (input.bucket.clone(), input.expected_bucket_owner.clone());
    effect.transact("PutObject", bucket::expect, expected).await?;
    let target = (input.bucket.clone(), input.key.clone());
    effect.transact("PutObject", prepare, target).await?;
    let checksums = given([
        (Algorithm::Crc32, input.checksum_crc32),
        (Algorithm::Crc32c, input.checksum_crc32c),
        (Algorithm::Crc64Nvme, input.checksum_crc64nvme),
        (Algorithm::Sha1, input.checksum_sha1),
        (Algorithm::Sha256, input.checksum_sha256),
    ]);
    let asked = input.checksum_algorithm.map(|algorithm| Algorithm::parse(algorithm.as_str())).transpose()?;
    let claims = Claims { md5: input.content_md5, checksums };
    let algorithms = algorithms(&claims, asked);
    let caller = effect.caller().clone();
    let mut uploader = Uploader::new(effect.kernel(), caller, &algorithms, BODY_BYTES_MAX);
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
    let asked = input.server_side_encryption.map(|encryption| encryption.as_str());
    let encryption = Encryption::asked(asked, input.ssekms_key_id, input.bucket_key_enabled)?;
    let about = About { headers, tags: tags::of_header(input.tagging.as_deref())?, encryption };
    let conditions =
        Conditions { if_match: input.if_match, if_none_match: input.if_none_match, ..Conditions::default() };
    let draft = uploader.finish(&claims)?;
    let (bucket, key, happening) = (input.bucket, input.key, Happening::Put);
    let placement = Placement { bucket, key, about, conditions, draft, happening };
    let Placed { object, version } = effect.transact("PutObject", place, placement).await?;
    let encryption = serde_json::from_value(object.encryption.algorithm().into())?;
    Ok(PutObjectOutput {
        e_tag: Some(format!("\"{}\"", object.etag)),
        version_id: version,
        server_side_encryption: Some(encryption),
        ..PutObjectOutput::default()
    })
}

/// The checksums that are given, by algorithm.
pub(crate) fn given<const N: usize>(
    checksums: [(Algorithm, Option<String>); N],
) -> BTreeMap<Algorithm, String> {
    checksums.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// What is to be computed: what is claimed or asked for, or AWS's default.
pub(crate) fn algorithms(claims: &Claims, asked: Option<Algorithm>) -> Vec<Algorithm> {
    let mut all: Vec<Algorithm> = claims.checksums.keys().copied().chain(asked).collect();
    if all.is_empty() {
        all.push(Algorithm::DEFAULT);
    }
    all.sort();
    all.dedup();
    all
}

fn check(input: &PutObjectInput) -> Result<(), base::Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    check_acl(input.acl, grants.into_iter().any(Option::is_some))?;
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
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("an encryption context", input.ssekms_encryption_context.is_some()),
        ("object lock", locked),
        ("a checksum of this algorithm", other_checksum),
        ("appending to an object", input.write_offset_bytes.is_some()),
        ("Expires in a document", input.expires.is_some()),
    ])
}

/// Refuses an ACL that says more than that the bucket's owner owns the object.
pub(crate) fn check_acl(acl: Option<ObjectCannedACL>, grants: bool) -> Result<(), base::Fault> {
    let harmless =
        matches!(acl, None | Some(ObjectCannedACL::Private | ObjectCannedACL::BucketOwnerFullControl));
    if harmless && !grants { Ok(()) } else { Err(fault::access_control_list_not_supported()) }
}
