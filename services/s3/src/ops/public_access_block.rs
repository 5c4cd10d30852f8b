use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
};
use crate::bucket;

/// Keeps what is to be blocked. Nothing is.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>
pub(crate) async fn put_public_access_block(
    tx: &mut Tx,
    input: PutPublicAccessBlockInput,
) -> Result<PutPublicAccessBlockOutput> {
    let mut block = input.public_access_block_configuration;
    for setting in [
        &mut block.block_public_acls,
        &mut block.ignore_public_acls,
        &mut block.block_public_policy,
        &mut block.restrict_public_buckets,
    ] {
        setting.get_or_insert(false);
    }
    bucket::change(tx, &input.bucket, |bucket| bucket.public_access_block = Some(block)).await?;
    Ok(PutPublicAccessBlockOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>
pub(crate) async fn get_public_access_block(
    tx: &mut Tx,
    input: GetPublicAccessBlockInput,
) -> Result<GetPublicAccessBlockOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let message = "The public access block configuration was not found";
    let absent = || Fault::new("NoSuchPublicAccessBlockConfiguration", message).with_status(404);
    let block = found.public_access_block.ok_or_else(absent)?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html>
pub(crate) async fn delete_public_access_block(
    tx: &mut Tx,
    input: DeletePublicAccessBlockInput,
) -> Result<DeletePublicAccessBlockOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.public_access_block = None).await?;
    Ok(DeletePublicAccessBlockOutput {})
}
