//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `RepositoryKey { name }` | a repository |

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::keys;
use serde::{Deserialize, Serialize};

use crate::api::{ImageTagMutability, ImageTagMutabilityExclusionFilter};

keys! {
    /// A repository.
    pub(crate) struct RepositoryKey(1) -> Repository { name: String }
}

/// A repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub created_at: Timestamp,
    pub mutability: ImageTagMutability,
    pub exclusions: Vec<ImageTagMutabilityExclusionFilter>,
    pub scan_on_push: bool,
    pub lifecycle_policy: Option<String>,
    pub policy: Option<String>,
    pub tags: BTreeMap<String, String>,
}
store::stored!(Repository, format = 1);
