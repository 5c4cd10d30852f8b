use kernel::{Result, Tx};
use serde_json::json;

use crate::api::{DeleteObjectInput, DeleteObjectOutput};
use crate::body;
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::keys::ObjectKey;
use crate::object;

/// Removes an object. One that is not there is removed, too.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
pub(crate) async fn delete_object(tx: &mut Tx, input: DeleteObjectInput) -> Result<DeleteObjectOutput> {
    fault::refuse_unsupported(&[
        ("MFA", input.mfa.is_some()),
        ("If-Match by time or size", {
            input.if_match_last_modified_time.is_some() || input.if_match_size.is_some()
        }),
    ])?;
    object::check_version(input.version_id.as_deref())?;
    bucket::find(tx, &input.bucket).await?;
    let conditions = Conditions { if_match: input.if_match, ..Conditions::default() };
    remove(tx, ObjectKey { bucket: input.bucket, key: input.key }, &conditions).await?;
    Ok(DeleteObjectOutput::default())
}

/// Removes several objects at once, which is all or nothing.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(crate) async fn delete_objects(tx: &mut Tx, (bucket, keys): (String, Vec<String>)) -> Result<()> {
    bucket::find(tx, &bucket).await?;
    for key in keys {
        remove(tx, ObjectKey { bucket: bucket.clone(), key }, &Conditions::default()).await?;
    }
    Ok(())
}

async fn remove(tx: &mut Tx, key: ObjectKey, conditions: &Conditions) -> Result<()> {
    let before = tx.get(&key).await?;
    conditions.check_write(before.as_ref())?;
    let Some(before) = before else { return Ok(()) };
    body::discard(tx, &before)?;
    tx.delete(&key);
    tx.remark("object", &format!("{}/{}", key.bucket, key.key), Some(json!({ "deleted": true })));
    Ok(())
}
