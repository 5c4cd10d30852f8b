use base::Region;
use kernel::{Result, Tx};

use crate::api::{BucketCannedACL, CreateBucketInput, CreateBucketOutput, ObjectOwnership};
use crate::bucket::{self, Bucket};
use crate::fault;
use crate::keys::BucketKey;
use crate::ops::bucket_tagging::TAGS_MAX;
use crate::tags;

/// Makes a bucket where its configuration says, else in the caller's region.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub(crate) async fn create_bucket(tx: &mut Tx, input: CreateBucketInput) -> Result<CreateBucketOutput> {
    let grants = [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write];
    if grants.into_iter().any(Option::is_some) || input.acl.is_some_and(|acl| acl != BucketCannedACL::Private)
    {
        return Err(fault::access_control_list_not_supported().into());
    }
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    fault::refuse_unsupported(&[
        ("object lock", input.object_lock_enabled_for_bucket == Some(true)),
        ("a directory bucket", configuration.location.is_some() || configuration.bucket.is_some()),
    ])?;
    let given = configuration.tags.unwrap_or_default();
    tags::check(given.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())), TAGS_MAX)?;
    let tags = Some(given).filter(|tags| !tags.is_empty());
    bucket::check_name(&input.bucket)?;
    let region = match configuration.location_constraint.map(|constraint| constraint.as_str()) {
        None => tx.caller().region.clone(),
        Some("EU") => parse("eu-west-1")?,
        Some(constraint) => parse(constraint)?,
    };
    let owner = tx.caller().account.clone();
    bucket::enter(tx);
    let key = BucketKey { bucket: input.bucket };
    match tx.get(&key).await? {
        Some(existing) if existing.owner != owner => return Err(fault::bucket_already_exists().into()),
        // The first region has always answered so.
        Some(existing) if existing.region.as_str() == "us-east-1" && region == existing.region => {}
        Some(_) => return Err(fault::bucket_already_owned_by_you().into()),
        None => {
            let ownership = input.object_ownership.unwrap_or(ObjectOwnership::BucketOwnerEnforced);
            let made = Bucket::new(owner, region, tx.now());
            tx.put(&key, &Bucket { tags, ownership: Some(ownership), ..made })?;
        }
    }
    Ok(CreateBucketOutput {
        location: Some(format!("/{}", key.bucket)),
        bucket_arn: Some(format!("arn:aws:s3:::{}", key.bucket)),
    })
}

fn parse(region: &str) -> Result<Region, base::Fault> {
    let refused =
        || base::Fault::new("InvalidLocationConstraint", "The specified location-constraint is not valid");
    Region::parse(region).ok_or_else(refused)
}
