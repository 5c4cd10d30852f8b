use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    CORSRule, DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput,
    PutBucketCorsInput, PutBucketCorsOutput,
};
use crate::{bucket, fault};

/// The most rules of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>
const RULES_MAX: usize = 100;

/// Says from which origins browsers may use the bucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>
pub(crate) async fn put_bucket_cors(tx: &mut Tx, input: PutBucketCorsInput) -> Result<PutBucketCorsOutput> {
    let rules = input.cors_configuration.cors_rules;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(fault::malformed_xml().into());
    }
    rules.iter().try_for_each(check)?;
    bucket::change(tx, &input.bucket, |bucket| bucket.cors = Some(rules)).await?;
    Ok(PutBucketCorsOutput {})
}

fn check(rule: &CORSRule) -> Result<(), Fault> {
    if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
        return Err(fault::malformed_xml());
    }
    let known = |method: &str| ["GET", "PUT", "HEAD", "POST", "DELETE"].contains(&method);
    if let Some(method) = rule.allowed_methods.iter().find(|method| !known(method)) {
        let message = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
        return Err(Fault::new("InvalidRequest", message));
    }
    let headers = rule.allowed_headers.iter().flatten();
    let crowded = |text: &&String| text.matches('*').count() > 1;
    if let Some(origin) = rule.allowed_origins.iter().find(crowded) {
        let message = format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.");
        return Err(Fault::new("InvalidRequest", message));
    }
    if let Some(header) = headers.into_iter().find(crowded) {
        let message = format!("AllowedHeader \"{header}\" can not have more than one wildcard.");
        return Err(Fault::new("InvalidRequest", message));
    }
    if let Some(header) = rule.expose_headers.iter().flatten().find(|header| header.contains('*')) {
        let message = format!(
            "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        );
        return Err(Fault::new("InvalidRequest", message));
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html>
pub(crate) async fn get_bucket_cors(tx: &mut Tx, input: GetBucketCorsInput) -> Result<GetBucketCorsOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let absent =
        || Fault::new("NoSuchCORSConfiguration", "The CORS configuration does not exist").with_status(404);
    Ok(GetBucketCorsOutput { cors_rules: Some(found.cors.ok_or_else(absent)?) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html>
pub(crate) async fn delete_bucket_cors(
    tx: &mut Tx,
    input: DeleteBucketCorsInput,
) -> Result<DeleteBucketCorsOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.cors = None).await?;
    Ok(DeleteBucketCorsOutput {})
}
