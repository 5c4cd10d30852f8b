use kernel::{Caller, Effect, Kernel, Result};

use crate::api::{self, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject};
use crate::bucket;
use crate::conditions::Conditions;
use crate::fault;
use crate::object::Target;
use crate::ops::delete_object;
use crate::versions::Removed;

/// The most keys that one request removes.
const DELETE_MAX: usize = 1000;

/// Removes several objects, each by itself: what cannot be removed is told and keeps none of the others.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(crate) async fn delete_objects(
    effect: &Effect,
    input: DeleteObjectsInput,
) -> Result<DeleteObjectsOutput> {
    remove(effect.kernel(), effect.caller(), input).await
}

/// The same for a caller over HTTP.
pub(crate) async fn remove(
    kernel: &Kernel,
    caller: &Caller,
    input: DeleteObjectsInput,
) -> Result<DeleteObjectsOutput> {
    let DeleteObjectsInput { bucket, delete, mfa, bypass_governance_retention, .. } = input;
    if !(1..=DELETE_MAX).contains(&delete.objects.len()) {
        return Err(fault::malformed_xml().into());
    }
    fault::refuse_unsupported(&[
        ("MFA", mfa.is_some()),
        ("bypassing governance retention", bypass_governance_retention == Some(true)),
    ])?;
    let name = "DeleteObjects";
    let expected = (bucket.clone(), input.expected_bucket_owner);
    kernel.transact(crate::NAME, caller.clone(), name, bucket::expect, expected).await?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in delete.objects {
        let target = Target { bucket: bucket.clone(), key: object.key, version: object.version_id };
        let timed = object.last_modified_time.is_some() || object.size.is_some();
        let by = Conditions { if_match: object.e_tag, ..Conditions::default() };
        let run = async {
            fault::refuse_unsupported(&[("a condition by time or size", timed)])?;
            let which = (target.clone(), by);
            kernel.transact(crate::NAME, caller.clone(), name, delete_object::remove, which).await
        };
        match run.await {
            Ok(removed) => deleted.push(told(target, removed)),
            // Without its bucket, none of them is there.
            Err(kernel::Error::Fault(fault)) if fault.code != "NoSuchBucket" => errors.push(api::Error {
                code: Some(fault.code.into_owned()),
                key: Some(target.key),
                message: Some(fault.message),
                version_id: target.version,
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(DeleteObjectsOutput {
        deleted: (delete.quiet != Some(true)).then_some(deleted),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        request_charged: None,
    })
}

fn told(target: Target, removed: Removed) -> DeletedObject {
    DeletedObject {
        key: Some(target.key),
        delete_marker: removed.marker.then_some(true),
        delete_marker_version_id: removed.version.filter(|_| removed.marker),
        version_id: target.version,
    }
}
