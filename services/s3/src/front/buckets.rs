//! Buckets and their configurations over HTTP: the operations themselves are those of the router.

use base::Document;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::convert::{from_access_block, from_website, to_access_block, to_owner, to_time, to_website};
use super::door::Door;
use super::{caller, to_error};
use crate::api;
use crate::ops::public_access_block as access;
use crate::ops::{bucket_policy, bucket_website, create_bucket, delete_bucket, head_bucket, list_buckets};

type Answer<O> = S3Result<S3Response<O>>;

pub(super) async fn create(door: &Door, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
    let input = request.input;
    let configuration = input.create_bucket_configuration;
    let configuration = configuration.map(|configuration| {
        let constraint = configuration.location_constraint.map(|constraint| constraint.as_str().to_owned());
        let directory = configuration.bucket.is_some() || configuration.location.is_some();
        let mut document = json!({});
        if let Some(constraint) = constraint.filter(|constraint| !constraint.is_empty()) {
            document["LocationConstraint"] = constraint.into();
        }
        if directory {
            document["Bucket"] = json!({});
        }
        document
    });
    let mut document = json!({ "Bucket": input.bucket });
    let mut set = |name: &str, value: Option<Document>| {
        if let Some(value) = value {
            document[name] = value;
        }
    };
    set("CreateBucketConfiguration", configuration);
    set("ACL", input.acl.map(|acl| acl.as_str().into()));
    set("GrantFullControl", input.grant_full_control.map(Document::from));
    set("GrantRead", input.grant_read.map(Document::from));
    set("GrantReadACP", input.grant_read_acp.map(Document::from));
    set("GrantWrite", input.grant_write.map(Document::from));
    set("ObjectLockEnabledForBucket", input.object_lock_enabled_for_bucket.map(Document::from));
    set("ObjectOwnership", input.object_ownership.map(|ownership| ownership.as_str().into()));
    let input: api::CreateBucketInput = parse(door, &request.extensions, document)?;
    let made = door.run(&request.extensions, "CreateBucket", create_bucket::create_bucket, input).await?;
    Ok(S3Response::new(CreateBucketOutput { location: made.location }))
}

/// Names that AWS does not know are refused as it refuses malformed XML.
fn parse<T: DeserializeOwned>(door: &Door, extensions: &http::Extensions, document: Document) -> S3Result<T> {
    serde_json::from_value(document).map_err(|error| {
        tracing::debug!(%error, "a request has values that are none of AWS's");
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema";
        to_error(base::Fault::new("MalformedXML", message), caller(extensions, &door.kernel).request_id)
    })
}

pub(super) async fn delete(door: &Door, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
    let input = api::DeleteBucketInput { bucket: request.input.bucket, ..Default::default() };
    door.run(&request.extensions, "DeleteBucket", delete_bucket::delete_bucket, input).await?;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

pub(super) async fn head(door: &Door, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
    let region = region(door, &request.extensions, "HeadBucket", request.input.bucket).await?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() }))
}

async fn region(
    door: &Door,
    extensions: &http::Extensions,
    operation: &str,
    bucket: String,
) -> S3Result<String> {
    let input = api::HeadBucketInput { bucket, ..Default::default() };
    let found = door.run(extensions, operation, head_bucket::head_bucket, input).await?;
    Ok(found.bucket_region.unwrap_or_default())
}

pub(super) async fn list(door: &Door, request: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
    let ListBucketsInput { bucket_region, continuation_token, max_buckets, prefix, .. } = request.input;
    let input = api::ListBucketsInput { bucket_region, continuation_token, max_buckets, prefix };
    let page = door.run(&request.extensions, "ListBuckets", list_buckets::list_buckets, input).await?;
    let bucket = |bucket: api::Bucket| Bucket {
        bucket_region: bucket.bucket_region,
        creation_date: bucket.creation_date.and_then(to_time),
        name: bucket.name,
    };
    Ok(S3Response::new(ListBucketsOutput {
        buckets: page.buckets.map(|buckets| buckets.into_iter().map(bucket).collect()),
        continuation_token: page.continuation_token,
        owner: page.owner.map(to_owner),
        prefix: page.prefix,
    }))
}

pub(super) async fn location(
    door: &Door,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    let region = region(door, &request.extensions, "GetBucketLocation", request.input.bucket).await?;
    // The first region has no name here.
    let constraint = Some(region).filter(|region| region != "us-east-1");
    let location_constraint = constraint.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub(super) async fn put_website(
    door: &Door,
    request: S3Request<PutBucketWebsiteInput>,
) -> Answer<PutBucketWebsiteOutput> {
    let input = api::PutBucketWebsiteInput {
        bucket: request.input.bucket,
        website_configuration: from_website(request.input.website_configuration),
        ..Default::default()
    };
    door.run(&request.extensions, "PutBucketWebsite", bucket_website::put_bucket_website, input).await?;
    Ok(S3Response::new(PutBucketWebsiteOutput::default()))
}

pub(super) async fn get_website(
    door: &Door,
    request: S3Request<GetBucketWebsiteInput>,
) -> Answer<GetBucketWebsiteOutput> {
    let input = api::GetBucketWebsiteInput { bucket: request.input.bucket, ..Default::default() };
    let found = door.run(&request.extensions, "GetBucketWebsite", bucket_website::get_bucket_website, input);
    Ok(S3Response::new(to_website(found.await?)))
}

pub(super) async fn delete_website(
    door: &Door,
    request: S3Request<DeleteBucketWebsiteInput>,
) -> Answer<DeleteBucketWebsiteOutput> {
    let input = api::DeleteBucketWebsiteInput { bucket: request.input.bucket, ..Default::default() };
    let handler = bucket_website::delete_bucket_website;
    door.run(&request.extensions, "DeleteBucketWebsite", handler, input).await?;
    Ok(S3Response::new(DeleteBucketWebsiteOutput::default()))
}

pub(super) async fn put_policy(
    door: &Door,
    request: S3Request<PutBucketPolicyInput>,
) -> Answer<PutBucketPolicyOutput> {
    let (bucket, policy) = (request.input.bucket, request.input.policy);
    let input = api::PutBucketPolicyInput { bucket, policy, ..Default::default() };
    door.run(&request.extensions, "PutBucketPolicy", bucket_policy::put_bucket_policy, input).await?;
    Ok(S3Response::with_status(PutBucketPolicyOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn get_policy(
    door: &Door,
    request: S3Request<GetBucketPolicyInput>,
) -> Answer<GetBucketPolicyOutput> {
    let input = api::GetBucketPolicyInput { bucket: request.input.bucket, ..Default::default() };
    let found = door.run(&request.extensions, "GetBucketPolicy", bucket_policy::get_bucket_policy, input);
    Ok(S3Response::new(GetBucketPolicyOutput { policy: found.await?.policy }))
}

pub(super) async fn delete_policy(
    door: &Door,
    request: S3Request<DeleteBucketPolicyInput>,
) -> Answer<DeleteBucketPolicyOutput> {
    let input = api::DeleteBucketPolicyInput { bucket: request.input.bucket, ..Default::default() };
    let handler = bucket_policy::delete_bucket_policy;
    door.run(&request.extensions, "DeleteBucketPolicy", handler, input).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

pub(super) async fn put_block(
    door: &Door,
    request: S3Request<PutPublicAccessBlockInput>,
) -> Answer<PutPublicAccessBlockOutput> {
    let input = api::PutPublicAccessBlockInput {
        bucket: request.input.bucket,
        public_access_block_configuration: from_access_block(request.input.public_access_block_configuration),
        ..Default::default()
    };
    door.run(&request.extensions, "PutPublicAccessBlock", access::put_public_access_block, input).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn get_block(
    door: &Door,
    request: S3Request<GetPublicAccessBlockInput>,
) -> Answer<GetPublicAccessBlockOutput> {
    let input = api::GetPublicAccessBlockInput { bucket: request.input.bucket, ..Default::default() };
    let handler = access::get_public_access_block;
    let found = door.run(&request.extensions, "GetPublicAccessBlock", handler, input).await?;
    let configuration = found.public_access_block_configuration.map(to_access_block);
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: configuration }))
}

pub(super) async fn delete_block(
    door: &Door,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> Answer<DeletePublicAccessBlockOutput> {
    let input = api::DeletePublicAccessBlockInput { bucket: request.input.bucket, ..Default::default() };
    let handler = access::delete_public_access_block;
    door.run(&request.extensions, "DeletePublicAccessBlock", handler, input).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}
