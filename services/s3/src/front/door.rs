//! The operations that are served over HTTP. Whatever is not here answers NotImplemented.

use kernel::{Kernel, Result, TransactHandler};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::{buckets, caller, lists, objects, to_error};

/// What s3s calls.
pub(super) struct Door {
    pub(super) kernel: Kernel,
}

impl Door {
    /// Runs a transaction in the name of who sent the request.
    pub(super) async fn run<I, O, F>(
        &self,
        extensions: &http::Extensions,
        operation: &str,
        handler: F,
        input: I,
    ) -> S3Result<O>
    where
        I: Clone + Send + Sync,
        O: Send,
        F: for<'a> TransactHandler<'a, I, O>,
    {
        let caller = caller(extensions, &self.kernel);
        let result = self.kernel.transact(crate::NAME, caller, operation, handler, input).await;
        self.told(extensions, result)
    }

    /// What the client learns of an error.
    pub(super) fn told<O>(&self, extensions: &http::Extensions, result: Result<O>) -> S3Result<O> {
        result.map_err(|error| {
            to_error(self.kernel.to_fault(error), caller(extensions, &self.kernel).request_id)
        })
    }
}

macro_rules! serve {
    ($($operation:ident = $handler:path: $input:ty => $output:ty;)*) => {
        #[async_trait::async_trait]
        impl S3 for Door {
            $(
                async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    $handler(self, request).await
                }
            )*
        }
    };
}

serve! {
    create_bucket = buckets::create: CreateBucketInput => CreateBucketOutput;
    delete_bucket = buckets::delete: DeleteBucketInput => DeleteBucketOutput;
    head_bucket = buckets::head: HeadBucketInput => HeadBucketOutput;
    list_buckets = buckets::list: ListBucketsInput => ListBucketsOutput;
    get_bucket_location = buckets::location: GetBucketLocationInput => GetBucketLocationOutput;
    get_bucket_versioning = buckets::versioning: GetBucketVersioningInput => GetBucketVersioningOutput;
    get_bucket_encryption = buckets::encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput;
    put_bucket_website = buckets::put_website: PutBucketWebsiteInput => PutBucketWebsiteOutput;
    get_bucket_website = buckets::get_website: GetBucketWebsiteInput => GetBucketWebsiteOutput;
    delete_bucket_website = buckets::delete_website: DeleteBucketWebsiteInput => DeleteBucketWebsiteOutput;
    put_bucket_policy = buckets::put_policy: PutBucketPolicyInput => PutBucketPolicyOutput;
    get_bucket_policy = buckets::get_policy: GetBucketPolicyInput => GetBucketPolicyOutput;
    delete_bucket_policy = buckets::delete_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput;
    put_public_access_block = buckets::put_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput;
    get_public_access_block = buckets::get_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput;
    delete_public_access_block =
        buckets::delete_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput;
    put_object = objects::put: PutObjectInput => PutObjectOutput;
    get_object = objects::get: GetObjectInput => GetObjectOutput;
    head_object = objects::head: HeadObjectInput => HeadObjectOutput;
    copy_object = objects::copy: CopyObjectInput => CopyObjectOutput;
    delete_object = objects::delete: DeleteObjectInput => DeleteObjectOutput;
    delete_objects = objects::delete_several: DeleteObjectsInput => DeleteObjectsOutput;
    list_objects = lists::list: ListObjectsInput => ListObjectsOutput;
    list_objects_v2 = lists::list_v2: ListObjectsV2Input => ListObjectsV2Output;
}
