//! Amazon S3: buckets, objects and static websites.
//!
//! Knows buckets, keys and bodies. Knows no other service and no socket. Its API is served twice over the same
//! operations: as documents through the router, for other services, and as HTTP by [`S3Http`], for clients. `wire` has no
//! part in the latter, so the service shows no schema of its own: requests to S3 fall through to whoever holds an
//! [`S3Http`].
//!
//! An object is a row; its body stands in rows of its own, at most [`body::PART_BYTES`] each, below an id that is made
//! for every upload and never used again. A body that does not fit one transaction is written while it comes, before the
//! object's row points to it, so that no object is ever half there. Nothing of the size of a body is ever in memory.
//!
//! What a bucket tells of its objects, and when they go by themselves, are tasks of the transactions that change them.
//!
//! Access is not checked: policies, public access blocks and ownership controls are kept and given back; ACLs are refused.

pub mod api;
mod body;
mod bucket;
mod checksum;
mod conditions;
mod fault;
mod front;
mod keys;
mod lifecycle;
mod listing;
mod multipart;
mod notify;
mod object;
mod ops;
mod tags;
mod versions;
mod versions_listing;
mod website;

use kernel::Service;

pub use front::{Body, BoxError, ClaimedCaller, S3Http, UnprovenBody, VerifiedCaller, http};
pub use website::{Scheme, is_website_host};

/// The name in credential scopes and in the router.
pub(crate) const NAME: &str = "s3";

/// The service.
pub fn service() -> Service {
    let service = uploads(objects(defaults(configurations(buckets(Service::internal_only(NAME))))));
    service
        .internal(body::ABANDON, body::abandon)
        .internal(body::REMOVE, body::remove)
        .internal(multipart::SWEEP, multipart::sweep)
        .internal(lifecycle::PASS, lifecycle::pass)
        .internal("ListOwnBuckets", ops::resource_tags::list_own_buckets)
        .internal("TagBucket", ops::resource_tags::tag_bucket)
        .internal("UntagBucket", ops::resource_tags::untag_bucket)
}

fn buckets(service: Service) -> Service {
    service
        .transact::<api::CreateBucket, _>(ops::create_bucket::create_bucket)
        .transact::<api::DeleteBucket, _>(ops::delete_bucket::delete_bucket)
        .transact::<api::ListBuckets, _>(ops::list_buckets::list_buckets)
        .transact::<api::HeadBucket, _>(ops::head_bucket::head_bucket)
        .transact::<api::PutBucketWebsite, _>(ops::bucket_website::put_bucket_website)
        .transact::<api::GetBucketWebsite, _>(ops::bucket_website::get_bucket_website)
        .transact::<api::DeleteBucketWebsite, _>(ops::bucket_website::delete_bucket_website)
        .transact::<api::PutBucketPolicy, _>(ops::bucket_policy::put_bucket_policy)
        .transact::<api::GetBucketPolicy, _>(ops::bucket_policy::get_bucket_policy)
        .transact::<api::DeleteBucketPolicy, _>(ops::bucket_policy::delete_bucket_policy)
        .transact::<api::GetBucketPolicyStatus, _>(ops::bucket_policy::get_bucket_policy_status)
        .transact::<api::PutPublicAccessBlock, _>(ops::public_access_block::put_public_access_block)
        .transact::<api::GetPublicAccessBlock, _>(ops::public_access_block::get_public_access_block)
        .transact::<api::DeletePublicAccessBlock, _>(ops::public_access_block::delete_public_access_block)
        .transact::<api::PutBucketAcl, _>(ops::acl::put_bucket_acl)
        .transact::<api::GetBucketAcl, _>(ops::acl::get_bucket_acl)
}

/// What is kept of a bucket and acted upon.
fn configurations(service: Service) -> Service {
    use ops::{bucket_cors, bucket_encryption, bucket_lifecycle, bucket_notification, bucket_ownership};
    use ops::{bucket_tagging, bucket_versioning};
    service
        .transact::<api::PutBucketEncryption, _>(bucket_encryption::put_bucket_encryption)
        .transact::<api::GetBucketEncryption, _>(bucket_encryption::get_bucket_encryption)
        .transact::<api::DeleteBucketEncryption, _>(bucket_encryption::delete_bucket_encryption)
        .transact::<api::PutBucketVersioning, _>(bucket_versioning::put_bucket_versioning)
        .transact::<api::GetBucketVersioning, _>(bucket_versioning::get_bucket_versioning)
        .transact::<api::PutBucketTagging, _>(bucket_tagging::put_bucket_tagging)
        .transact::<api::GetBucketTagging, _>(bucket_tagging::get_bucket_tagging)
        .transact::<api::DeleteBucketTagging, _>(bucket_tagging::delete_bucket_tagging)
        .transact::<api::PutBucketLifecycleConfiguration, _>(
            bucket_lifecycle::put_bucket_lifecycle_configuration,
        )
        .transact::<api::GetBucketLifecycleConfiguration, _>(
            bucket_lifecycle::get_bucket_lifecycle_configuration,
        )
        .transact::<api::DeleteBucketLifecycle, _>(bucket_lifecycle::delete_bucket_lifecycle)
        .transact::<api::PutBucketCors, _>(bucket_cors::put_bucket_cors)
        .transact::<api::GetBucketCors, _>(bucket_cors::get_bucket_cors)
        .transact::<api::DeleteBucketCors, _>(bucket_cors::delete_bucket_cors)
        .transact::<api::PutBucketOwnershipControls, _>(bucket_ownership::put_bucket_ownership_controls)
        .transact::<api::GetBucketOwnershipControls, _>(bucket_ownership::get_bucket_ownership_controls)
        .transact::<api::DeleteBucketOwnershipControls, _>(bucket_ownership::delete_bucket_ownership_controls)
        .effect::<api::PutBucketNotificationConfiguration, _>(
            bucket_notification::put_bucket_notification_configuration,
        )
        .transact::<api::GetBucketNotificationConfiguration, _>(
            bucket_notification::get_bucket_notification_configuration,
        )
}

/// What has one value here.
fn defaults(service: Service) -> Service {
    use ops::bucket_defaults as defaults;
    service
        .transact::<api::GetBucketLocation, _>(defaults::get_bucket_location)
        .transact::<api::PutBucketLogging, _>(defaults::put_bucket_logging)
        .transact::<api::GetBucketLogging, _>(defaults::get_bucket_logging)
        .transact::<api::PutBucketAccelerateConfiguration, _>(defaults::put_bucket_accelerate_configuration)
        .transact::<api::GetBucketAccelerateConfiguration, _>(defaults::get_bucket_accelerate_configuration)
        .transact::<api::PutBucketRequestPayment, _>(defaults::put_bucket_request_payment)
        .transact::<api::GetBucketRequestPayment, _>(defaults::get_bucket_request_payment)
        .transact::<api::GetBucketReplication, _>(defaults::get_bucket_replication)
        .transact::<api::GetObjectLockConfiguration, _>(defaults::get_object_lock_configuration)
}

fn objects(service: Service) -> Service {
    service
        .effect::<api::GetObject, _>(ops::get_object::get_object)
        .effect::<api::PutObject, _>(ops::put_object::put_object)
        .transact::<api::HeadObject, _>(ops::head_object::head_object)
        .transact::<api::DeleteObject, _>(ops::delete_object::delete_object)
        .effect::<api::DeleteObjects, _>(ops::delete_objects::delete_objects)
        .effect::<api::CopyObject, _>(ops::copy_object::copy_object)
        .transact::<api::GetObjectAttributes, _>(ops::get_object_attributes::get_object_attributes)
        .transact::<api::ListObjects, _>(ops::list_objects::list_objects)
        .transact::<api::ListObjectsV2, _>(ops::list_objects_v2::list_objects_v2)
        .transact::<api::ListObjectVersions, _>(ops::list_object_versions::list_object_versions)
        .transact::<api::PutObjectTagging, _>(ops::object_tagging::put_object_tagging)
        .transact::<api::GetObjectTagging, _>(ops::object_tagging::get_object_tagging)
        .transact::<api::DeleteObjectTagging, _>(ops::object_tagging::delete_object_tagging)
        .transact::<api::PutObjectAcl, _>(ops::acl::put_object_acl)
        .transact::<api::GetObjectAcl, _>(ops::acl::get_object_acl)
}

/// Uploads in parts.
fn uploads(service: Service) -> Service {
    use ops::{complete_multipart_upload as complete, create_multipart_upload as create};
    service
        .transact::<api::CreateMultipartUpload, _>(create::create_multipart_upload)
        .effect::<api::UploadPart, _>(ops::upload_part::upload_part)
        .effect::<api::UploadPartCopy, _>(ops::upload_part_copy::upload_part_copy)
        .transact::<api::CompleteMultipartUpload, _>(complete::complete_multipart_upload)
        .transact::<api::AbortMultipartUpload, _>(ops::abort_multipart_upload::abort_multipart_upload)
        .transact::<api::ListParts, _>(ops::list_parts::list_parts)
        .transact::<api::ListMultipartUploads, _>(ops::list_multipart_uploads::list_multipart_uploads)
}
