//! Every row of the service.
//!
//! | key | value |
//! |---|---|
//! | `SessionKey { access_key }` | whose temporary credentials these are |

use base::{AccountId, Timestamp};
use kernel::keys;
use serde::{Deserialize, Serialize};

keys! {
    /// Temporary credentials by their access key.
    pub struct SessionKey(1) -> Session { access_key: String }
}

/// Temporary credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The account that they act in.
    pub account: AccountId,
    /// The secret access key.
    pub secret: String,
    /// The session token.
    pub token: String,
    /// The ARN that they act as.
    pub principal: String,
    /// The `UserId` of the principal.
    pub user_id: String,
    /// When they cease to work.
    pub expires_at: Timestamp,
}
store::stored!(Session, format = 1);
