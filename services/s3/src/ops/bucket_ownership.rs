use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};
use crate::{bucket, fault};

/// Keeps whose new objects are. ACLs are refused whatever it says, so that it decides nothing.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html>
pub(crate) async fn put_bucket_ownership_controls(
    tx: &mut Tx,
    input: PutBucketOwnershipControlsInput,
) -> Result<PutBucketOwnershipControlsOutput> {
    let [rule] = input.ownership_controls.rules.as_slice() else {
        return Err(fault::malformed_xml().into());
    };
    let ownership = Some(rule.object_ownership);
    bucket::change(tx, &input.bucket, |bucket| bucket.ownership = ownership).await?;
    Ok(PutBucketOwnershipControlsOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>
pub(crate) async fn get_bucket_ownership_controls(
    tx: &mut Tx,
    input: GetBucketOwnershipControlsInput,
) -> Result<GetBucketOwnershipControlsOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let absent = || {
        let message = "The bucket ownership controls were not found";
        Fault::new("OwnershipControlsNotFoundError", message).with_status(404)
    };
    let rule = OwnershipControlsRule { object_ownership: found.ownership.ok_or_else(absent)? };
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html>
pub(crate) async fn delete_bucket_ownership_controls(
    tx: &mut Tx,
    input: DeleteBucketOwnershipControlsInput,
) -> Result<DeleteBucketOwnershipControlsOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.ownership = None).await?;
    Ok(DeleteBucketOwnershipControlsOutput {})
}
