//! One operation a file.

pub(crate) mod bucket_policy;
pub(crate) mod bucket_website;
pub(crate) mod copy_object;
pub(crate) mod create_bucket;
pub(crate) mod delete_bucket;
pub(crate) mod delete_object;
pub(crate) mod get_object;
pub(crate) mod head_bucket;
pub(crate) mod head_object;
pub(crate) mod list_buckets;
pub(crate) mod list_objects_v2;
pub(crate) mod public_access_block;
pub(crate) mod put_object;
