use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketWebsiteInput, DeleteBucketWebsiteOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput,
    PutBucketWebsiteInput, PutBucketWebsiteOutput, WebsiteConfiguration,
};
use crate::bucket;
use crate::fault;

/// Makes a bucket a website.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html>
pub(crate) async fn put_bucket_website(
    tx: &mut Tx,
    input: PutBucketWebsiteInput,
) -> Result<PutBucketWebsiteOutput> {
    let website = input.website_configuration;
    check(&website)?;
    bucket::change(tx, &input.bucket, |bucket| bucket.website = Some(website)).await?;
    Ok(PutBucketWebsiteOutput {})
}

fn check(website: &WebsiteConfiguration) -> Result<(), Fault> {
    let others = website.index_document.is_some()
        || website.error_document.is_some()
        || website.routing_rules.is_some();
    if website.redirect_all_requests_to.is_some() && others {
        let message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
        return Err(fault::invalid_argument(message));
    }
    match &website.index_document {
        None if website.redirect_all_requests_to.is_none() => Err(fault::invalid_argument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
        )),
        Some(index) if index.suffix.is_empty() || index.suffix.contains('/') => {
            Err(fault::invalid_argument("The IndexDocument Suffix is not well formed"))
        }
        _ => Ok(()),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html>
pub(crate) async fn get_bucket_website(
    tx: &mut Tx,
    input: GetBucketWebsiteInput,
) -> Result<GetBucketWebsiteOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let website = found.website.ok_or_else(no_such_website)?;
    Ok(GetBucketWebsiteOutput {
        redirect_all_requests_to: website.redirect_all_requests_to,
        index_document: website.index_document,
        error_document: website.error_document,
        routing_rules: website.routing_rules,
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketWebsite.html>
pub(crate) async fn delete_bucket_website(
    tx: &mut Tx,
    input: DeleteBucketWebsiteInput,
) -> Result<DeleteBucketWebsiteOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.website = None).await?;
    Ok(DeleteBucketWebsiteOutput {})
}

/// The bucket is no website.
pub(crate) fn no_such_website() -> Fault {
    let message = "The specified bucket does not have a website configuration";
    Fault::new("NoSuchWebsiteConfiguration", message).with_status(404)
}
