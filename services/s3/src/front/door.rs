//! The operations that are served over HTTP. Whatever is not here answers NotImplemented.

use kernel::{Kernel, Result, TransactHandler};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::{buckets, caller, configurations as documents, lists, objects, parts, to_error};

/// What s3s calls.
pub(super) struct Door {
    pub(super) kernel: Kernel,
    /// The longest body of one request.
    pub(super) body_bytes_max: u64,
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
    put_bucket_versioning =
        documents::put_versioning: PutBucketVersioningInput => PutBucketVersioningOutput;
    get_bucket_versioning =
        documents::get_versioning: GetBucketVersioningInput => GetBucketVersioningOutput;
    put_bucket_encryption =
        documents::put_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput;
    get_bucket_encryption =
        documents::get_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput;
    delete_bucket_encryption =
        documents::delete_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput;
    put_bucket_tagging = documents::put_tagging: PutBucketTaggingInput => PutBucketTaggingOutput;
    get_bucket_tagging = documents::get_tagging: GetBucketTaggingInput => GetBucketTaggingOutput;
    delete_bucket_tagging =
        documents::delete_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput;
    put_bucket_lifecycle_configuration =
        documents::put_lifecycle: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput;
    get_bucket_lifecycle_configuration =
        documents::get_lifecycle: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput;
    delete_bucket_lifecycle =
        documents::delete_lifecycle: DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput;
    put_bucket_cors = documents::put_cors: PutBucketCorsInput => PutBucketCorsOutput;
    get_bucket_cors = documents::get_cors: GetBucketCorsInput => GetBucketCorsOutput;
    delete_bucket_cors = documents::delete_cors: DeleteBucketCorsInput => DeleteBucketCorsOutput;
    put_bucket_ownership_controls =
        documents::put_ownership: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput;
    get_bucket_ownership_controls =
        documents::get_ownership: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput;
    delete_bucket_ownership_controls =
        documents::delete_ownership: DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput;
    put_bucket_notification_configuration =
        documents::put_notification: PutBucketNotificationConfigurationInput => PutBucketNotificationConfigurationOutput;
    get_bucket_notification_configuration =
        documents::get_notification: GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput;
    put_bucket_logging = documents::put_logging: PutBucketLoggingInput => PutBucketLoggingOutput;
    get_bucket_logging = documents::get_logging: GetBucketLoggingInput => GetBucketLoggingOutput;
    put_bucket_accelerate_configuration =
        documents::put_accelerate: PutBucketAccelerateConfigurationInput => PutBucketAccelerateConfigurationOutput;
    get_bucket_accelerate_configuration =
        documents::get_accelerate: GetBucketAccelerateConfigurationInput => GetBucketAccelerateConfigurationOutput;
    put_bucket_request_payment =
        documents::put_payment: PutBucketRequestPaymentInput => PutBucketRequestPaymentOutput;
    get_bucket_request_payment =
        documents::get_payment: GetBucketRequestPaymentInput => GetBucketRequestPaymentOutput;
    get_bucket_replication =
        documents::get_replication: GetBucketReplicationInput => GetBucketReplicationOutput;
    get_object_lock_configuration =
        documents::get_lock: GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput;
    get_bucket_policy_status =
        documents::get_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput;
    put_bucket_acl = documents::put_acl: PutBucketAclInput => PutBucketAclOutput;
    get_bucket_acl = documents::get_acl: GetBucketAclInput => GetBucketAclOutput;
    put_object_tagging =
        documents::put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput;
    get_object_tagging =
        documents::get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput;
    delete_object_tagging =
        documents::delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput;
    put_object_acl = documents::put_object_acl: PutObjectAclInput => PutObjectAclOutput;
    get_object_acl = documents::get_object_acl: GetObjectAclInput => GetObjectAclOutput;
    create_multipart_upload = parts::create: CreateMultipartUploadInput => CreateMultipartUploadOutput;
    upload_part = parts::upload: UploadPartInput => UploadPartOutput;
    upload_part_copy = parts::upload_copy: UploadPartCopyInput => UploadPartCopyOutput;
    complete_multipart_upload =
        parts::complete: CompleteMultipartUploadInput => CompleteMultipartUploadOutput;
    abort_multipart_upload = parts::abort: AbortMultipartUploadInput => AbortMultipartUploadOutput;
    list_parts = parts::list: ListPartsInput => ListPartsOutput;
    list_multipart_uploads = parts::list_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput;
    get_object_attributes = objects::attributes: GetObjectAttributesInput => GetObjectAttributesOutput;
    list_object_versions = lists::versions: ListObjectVersionsInput => ListObjectVersionsOutput;
    put_object = objects::put: PutObjectInput => PutObjectOutput;
    get_object = objects::get: GetObjectInput => GetObjectOutput;
    head_object = objects::head: HeadObjectInput => HeadObjectOutput;
    copy_object = objects::copy: CopyObjectInput => CopyObjectOutput;
    delete_object = objects::delete: DeleteObjectInput => DeleteObjectOutput;
    delete_objects = objects::delete_several: DeleteObjectsInput => DeleteObjectsOutput;
    list_objects = lists::list: ListObjectsInput => ListObjectsOutput;
    list_objects_v2 = lists::list_v2: ListObjectsV2Input => ListObjectsV2Output;
}
