//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `MasterKeyKey { id }` | a KMS key with all its material |
//! | `AliasKey { name }` | an alias, `alias/` included |

use std::collections::BTreeMap;
use std::fmt;

use base::Timestamp;
use base::schema::Blob;
use kernel::{TaskHandle, keys};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

keys! {
    /// A KMS key by its id.
    pub(crate) struct MasterKeyKey(1, large) -> MasterKey { id: Uuid }
    /// An alias by its name.
    pub(crate) struct AliasKey(2) -> Alias { name: String }
}

/// A KMS key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MasterKey {
    /// What encrypts, oldest first; the last one is current. Ciphertexts name theirs by its number.
    pub material: Vec<Material>,
    pub created_at: Timestamp,
    pub description: String,
    pub policy: String,
    pub enabled: bool,
    /// Set while the key waits for its deletion.
    pub deletion: Option<Deletion>,
    pub rotation: Option<Rotation>,
    pub tags: BTreeMap<String, String>,
    /// Made for a service of AWS's, under an alias that begins with `alias/aws/`.
    pub managed_by_aws: bool,
}
store::stored!(MasterKey, format = 1);

/// 256 bits that encrypt.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Material {
    /// 64 hexadecimal digits that name it.
    pub id: String,
    pub bytes: Blob,
    pub created_at: Timestamp,
}

/// Without the bytes, so that no log has them.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").field("id", &self.id).finish_non_exhaustive()
    }
}

/// When a key goes, and by which task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub at: Timestamp,
    pub window_days: i32,
    pub task: TaskHandle,
}

/// New material every so many days.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub period_days: i32,
    pub next_at: Timestamp,
    pub task: TaskHandle,
}

/// Another name of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub target: Uuid,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
store::stored!(Alias, format = 1);
