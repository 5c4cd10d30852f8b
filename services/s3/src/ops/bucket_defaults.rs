//! Settings that have one value here, AWS's default: it is told, and setting it changes nothing.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    BucketAccelerateStatus, GetBucketAccelerateConfigurationInput, GetBucketAccelerateConfigurationOutput,
    GetBucketLocationInput, GetBucketLocationOutput, GetBucketLoggingInput, GetBucketLoggingOutput,
    GetBucketReplicationInput, GetBucketReplicationOutput, GetBucketRequestPaymentInput,
    GetBucketRequestPaymentOutput, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, Payer,
    PutBucketAccelerateConfigurationInput, PutBucketAccelerateConfigurationOutput, PutBucketLoggingInput,
    PutBucketLoggingOutput, PutBucketRequestPaymentInput, PutBucketRequestPaymentOutput,
};
use crate::{bucket, fault};

/// Where a bucket is. The first region has no name here.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
pub(crate) async fn get_bucket_location(
    tx: &mut Tx,
    input: GetBucketLocationInput,
) -> Result<GetBucketLocationOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let region = Some(found.region.as_str()).filter(|region| *region != "us-east-1");
    let constraint = region.map(|region| serde_json::from_value(region.into())).transpose();
    // A region that the model does not name is told to those who ask over HTTP, where names are text.
    Ok(GetBucketLocationOutput { location_constraint: constraint.unwrap_or_default() })
}

/// Logs of access are not written.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html>
pub(crate) async fn put_bucket_logging(
    tx: &mut Tx,
    input: PutBucketLoggingInput,
) -> Result<PutBucketLoggingOutput> {
    let asked = input.bucket_logging_status.logging_enabled.is_some();
    fault::refuse_unsupported(&[("server access logging", asked)])?;
    bucket::look_at(tx, &input.bucket).await?;
    Ok(PutBucketLoggingOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html>
pub(crate) async fn get_bucket_logging(
    tx: &mut Tx,
    input: GetBucketLoggingInput,
) -> Result<GetBucketLoggingOutput> {
    bucket::look_at(tx, &input.bucket).await?;
    Ok(GetBucketLoggingOutput::default())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAccelerateConfiguration.html>
pub(crate) async fn put_bucket_accelerate_configuration(
    tx: &mut Tx,
    input: PutBucketAccelerateConfigurationInput,
) -> Result<PutBucketAccelerateConfigurationOutput> {
    let asked = input.accelerate_configuration.status == Some(BucketAccelerateStatus::Enabled);
    fault::refuse_unsupported(&[("transfer acceleration", asked)])?;
    bucket::look_at(tx, &input.bucket).await?;
    Ok(PutBucketAccelerateConfigurationOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html>
pub(crate) async fn get_bucket_accelerate_configuration(
    tx: &mut Tx,
    input: GetBucketAccelerateConfigurationInput,
) -> Result<GetBucketAccelerateConfigurationOutput> {
    bucket::look_at(tx, &input.bucket).await?;
    Ok(GetBucketAccelerateConfigurationOutput::default())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html>
pub(crate) async fn put_bucket_request_payment(
    tx: &mut Tx,
    input: PutBucketRequestPaymentInput,
) -> Result<PutBucketRequestPaymentOutput> {
    let asked = input.request_payment_configuration.payer == Payer::Requester;
    fault::refuse_unsupported(&[("Requester Pays", asked)])?;
    bucket::look_at(tx, &input.bucket).await?;
    Ok(PutBucketRequestPaymentOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html>
pub(crate) async fn get_bucket_request_payment(
    tx: &mut Tx,
    input: GetBucketRequestPaymentInput,
) -> Result<GetBucketRequestPaymentOutput> {
    bucket::look_at(tx, &input.bucket).await?;
    Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::BucketOwner) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>
pub(crate) async fn get_bucket_replication(
    tx: &mut Tx,
    input: GetBucketReplicationInput,
) -> Result<GetBucketReplicationOutput> {
    bucket::look_at(tx, &input.bucket).await?;
    let message = "The replication configuration was not found";
    Err(Fault::new("ReplicationConfigurationNotFoundError", message).with_status(404).into())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
pub(crate) async fn get_object_lock_configuration(
    tx: &mut Tx,
    input: GetObjectLockConfigurationInput,
) -> Result<GetObjectLockConfigurationOutput> {
    bucket::look_at(tx, &input.bucket).await?;
    let message = "Object Lock configuration does not exist for this bucket";
    Err(Fault::new("ObjectLockConfigurationNotFoundError", message).with_status(404).into())
}
