use kernel::{Result, Tx};
use serde_json::json;

use crate::api::{DeleteObjectInput, DeleteObjectOutput};
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::ObjectKey;
use crate::notify::{self, Change, Happening};
use crate::object::Target;
use crate::versions::{self, Removed};

/// Removes an object, or a version of it. One that is not there is removed, too.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
pub(crate) async fn delete_object(tx: &mut Tx, input: DeleteObjectInput) -> Result<DeleteObjectOutput> {
    fault::refuse_unsupported(&[
        ("MFA", input.mfa.is_some()),
        ("If-Match by time or size", {
            input.if_match_last_modified_time.is_some() || input.if_match_size.is_some()
        }),
        ("bypassing governance retention", input.bypass_governance_retention == Some(true)),
    ])?;
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let conditions = Conditions { if_match: input.if_match, ..Conditions::default() };
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let removed = remove(tx, (target, conditions)).await?;
    Ok(DeleteObjectOutput {
        delete_marker: removed.marker.then_some(true),
        version_id: removed.version,
        ..DeleteObjectOutput::default()
    })
}

/// Removes one object or version.
pub(crate) async fn remove(tx: &mut Tx, (target, conditions): (Target, Conditions)) -> Result<Removed> {
    let bucket = bucket::find(tx, &target.bucket).await?;
    let key = ObjectKey { bucket: target.bucket, key: target.key };
    if conditions.if_match.is_some() {
        conditions.check_write(versions::current(tx, &key).await?.as_ref())?;
    }
    let removed = match &target.version {
        None => versions::remove(tx, &bucket, key.clone()).await?,
        Some(version) => versions::remove_version(tx, &bucket, key.clone(), version).await?,
    };
    if removed.found {
        let by_marker = removed.marker && target.version.is_none();
        let happening = if by_marker { Happening::MarkerCreated } else { Happening::Deleted };
        let version = removed.version.clone().filter(|_| bucket.versioning.is_some());
        notify::tell(tx, &bucket, &Change::without_object(&key, happening, version))?;
        let detail = json!({ "deleted": true });
        tx.remark("object", &format!("{}/{}", key.bucket, key.key), Some(detail));
    }
    Ok(removed)
}
