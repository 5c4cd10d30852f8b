//! Every row of the service. All of them stand in one scope of their own: names of buckets are unique among all accounts.
//!
//! | key | value |
//! |---|---|
//! | `BucketKey { bucket }` | whose it is, where, and its configurations |
//! | `ObjectKey { bucket, key }` | the current version, if it is no delete marker: what is known of it, and where its body is |
//! | `VersionKey { bucket, key, age }` | every other version, delete markers included, the newest first |
//! | `HeadKey { bucket, key }` | how versions of this key are counted: written by whoever changes them |
//! | `AddedKey { bucket }` | written by whoever adds an object, so that a bucket is not removed meanwhile |
//! | `PartKey { body, part }` | a piece of a body |
//! | `UploadKey { body }` | a body that no object points to yet |
//! | `SegmentsKey { id }` | of which bodies an object consists that was uploaded in parts |
//! | `MultipartKey { bucket, key, upload }` | an upload in parts that is under way |
//! | `UploadedKey { upload, number }` | a part of it |

use kernel::{TaskHandle, keys};
use serde::{Deserialize, Serialize};
use store::bytes::Bytes;
use uuid::Uuid;

use crate::body::Segments;
use crate::bucket::Bucket;
use crate::multipart::{Multipart, Uploaded};
use crate::object::Object;
use crate::versions::{Head, Version};

keys! {
    /// A bucket.
    pub(crate) struct BucketKey(1, large) -> Bucket { bucket: String }
    /// A current object, in the order of keys.
    pub(crate) struct ObjectKey(2, sharded) -> Object { bucket: String, key: String }
    /// The guard of "the bucket is empty".
    pub(crate) struct AddedKey(3) -> () { bucket: String }
    /// A piece of a body.
    pub(crate) struct PartKey(4, sharded, large) -> Bytes { body: Uuid, part: u32 }
    /// A body in the making.
    pub(crate) struct UploadKey(5) -> Upload { body: Uuid }
    /// A version that is not the current object; `age` falls with the version's number.
    pub(crate) struct VersionKey(6, sharded) -> Version { bucket: String, key: String, age: u64 }
    /// The count of a key's versions, and the guard of their order.
    pub(crate) struct HeadKey(7, sharded) -> Head { bucket: String, key: String }
    /// The bodies of an object in parts.
    pub(crate) struct SegmentsKey(8, sharded, large) -> Segments { id: Uuid }
    /// An upload in parts.
    pub(crate) struct MultipartKey(9, sharded) -> Multipart { bucket: String, key: String, upload: Uuid }
    /// A part that was uploaded.
    pub(crate) struct UploadedKey(10, sharded) -> Uploaded { upload: Uuid, number: u32 }
}

/// A body that no object points to yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    /// Parts that may be there.
    pub parts: u32,
    /// The task that removes them if no object ever points to them.
    pub sweep: TaskHandle,
}
store::stored!(Upload, format = 1);
