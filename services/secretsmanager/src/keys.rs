//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `SecretKey { name }` | a secret: what is known of it but for its values |
//! | `VersionKey { name, id }` | the value of a version, encrypted |

use std::collections::BTreeMap;

use base::Timestamp;
use base::schema::Blob;
use kernel::{TaskHandle, keys};
use serde::{Deserialize, Serialize};

keys! {
    /// A secret.
    pub(crate) struct SecretKey(1, large) -> Secret { name: String }
    /// A version's value.
    pub(crate) struct VersionKey(2, large) -> Sealed { name: String, id: String }
}

/// A secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// The six characters behind the name in the ARN: they tell a secret from earlier ones of its name.
    pub suffix: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// The day on which a value was last read.
    pub accessed_on: Option<Timestamp>,
    pub description: Option<String>,
    /// The key that encrypts, as it was given.
    pub kms_key: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    pub deletion: Option<Deletion>,
    /// Every version that is kept, by its id.
    pub versions: BTreeMap<String, Version>,
    /// The version that each staging label is attached to.
    pub stages: BTreeMap<String, String>,
}
store::stored!(Secret, format = 1);

/// A version but for its value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub created_at: Timestamp,
    /// The key that encrypts it, as it was given, or AWS's own.
    pub kms_key: String,
}

/// When a secret goes, and by which task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub asked_at: Timestamp,
    pub at: Timestamp,
    pub task: TaskHandle,
}

/// An encrypted value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub ciphertext: Blob,
    /// Whether it came as bytes and not as text.
    pub binary: bool,
}
store::stored!(Sealed, format = 1);
