//! Every row of the service. All of them stand in one scope of their own: names of buckets are unique among all accounts.
//!
//! | key | value |
//! |---|---|
//! | `BucketKey { bucket }` | whose it is, where, and its configurations |
//! | `ObjectKey { bucket, key }` | what is known of an object, and where its body is |
//! | `AddedKey { bucket }` | written by whoever adds an object, so that a bucket is not removed meanwhile |
//! | `PartKey { body, part }` | a piece of a body |
//! | `UploadKey { body }` | a body that no object points to yet |

use kernel::{TaskHandle, keys};
use serde::{Deserialize, Serialize};
use store::bytes::Bytes;
use uuid::Uuid;

use crate::bucket::Bucket;
use crate::object::Object;

keys! {
    /// A bucket.
    pub(crate) struct BucketKey(1, large) -> Bucket { bucket: String }
    /// An object, in the order of keys.
    pub(crate) struct ObjectKey(2, sharded) -> Object { bucket: String, key: String }
    /// The guard of "the bucket is empty".
    pub(crate) struct AddedKey(3) -> () { bucket: String }
    /// A piece of a body.
    pub(crate) struct PartKey(4, sharded, large) -> Bytes { body: Uuid, part: u32 }
    /// A body in the making.
    pub(crate) struct UploadKey(5) -> Upload { body: Uuid }
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
