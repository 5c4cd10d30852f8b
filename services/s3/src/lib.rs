//! Amazon S3: buckets, objects and static websites.
//!
//! Knows buckets, keys and bodies. Knows no other service and no socket. Its API is served twice over the same
//! operations: as documents through the router, for other services, and as HTTP by [`S3Http`], for clients. `wire` has no
//! part in the latter, so the service shows no schema of its own: requests to S3 fall through to whoever holds an
//! [`S3Http`].
//!
//! An object is a row; its body stands in rows of its own, at most [`body::PART_BYTES`] each, below an id that is made
//! for every upload and never used again. A body that does not fit one transaction is written part by part before the
//! object's row points to it, so that no object is ever half there.
//!
//! Access is not checked: policies and public access blocks are kept and given back.

pub mod api;
mod body;
mod bucket;
mod conditions;
mod fault;
mod front;
mod keys;
mod listing;
mod object;
mod ops;
mod website;

use kernel::Service;

pub use front::{Body, BoxError, S3Http, VerifiedCaller, http};
pub use website::{Scheme, is_website_host};

/// The name in credential scopes and in the router.
pub(crate) const NAME: &str = "s3";

/// The service.
pub fn service() -> Service {
    Service::internal_only(NAME)
        .transact::<api::CreateBucket, _>(ops::create_bucket::create_bucket)
        .transact::<api::DeleteBucket, _>(ops::delete_bucket::delete_bucket)
        .transact::<api::HeadBucket, _>(ops::head_bucket::head_bucket)
        .transact::<api::PutBucketWebsite, _>(ops::bucket_website::put_bucket_website)
        .transact::<api::GetBucketWebsite, _>(ops::bucket_website::get_bucket_website)
        .transact::<api::DeleteBucketWebsite, _>(ops::bucket_website::delete_bucket_website)
        .transact::<api::PutBucketPolicy, _>(ops::bucket_policy::put_bucket_policy)
        .transact::<api::GetBucketPolicy, _>(ops::bucket_policy::get_bucket_policy)
        .transact::<api::DeleteBucketPolicy, _>(ops::bucket_policy::delete_bucket_policy)
        .transact::<api::PutPublicAccessBlock, _>(ops::public_access_block::put_public_access_block)
        .transact::<api::GetPublicAccessBlock, _>(ops::public_access_block::get_public_access_block)
        .transact::<api::DeletePublicAccessBlock, _>(ops::public_access_block::delete_public_access_block)
        .effect::<api::GetObject, _>(ops::get_object::get_object)
        .effect::<api::PutObject, _>(ops::put_object::put_object)
        .transact::<api::HeadObject, _>(ops::head_object::head_object)
        .transact::<api::DeleteObject, _>(ops::delete_object::delete_object)
        .transact::<api::ListObjectsV2, _>(ops::list_objects_v2::list_objects_v2)
        .internal(body::ABANDON, body::abandon)
        .internal(body::REMOVE, body::remove)
}
