//! AWS STS: who am I, and temporary credentials.
//!
//! Knows accounts and sessions. Knows no role: a role's trust policy is IAM's, and the development profile does not
//! evaluate policies. A session's access key is bound to its account by a row, so that an account stays with its key.

pub mod api;
mod keys;
mod ops;

use kernel::Service;

pub use keys::{Session, SessionKey};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::GetCallerIdentity, _>(ops::get_caller_identity)
        .transact::<api::AssumeRole, _>(ops::assume_role)
        .transact::<api::GetSessionToken, _>(ops::get_session_token)
        .transact::<api::GetFederationToken, _>(ops::get_federation_token)
        .effect::<api::GetAccessKeyInfo, _>(ops::get_access_key_info)
        .internal(ops::EXPIRE, ops::expire)
        .internal(ops::IDENTIFY, ops::identify)
}

pub use ops::{IDENTIFY, Identified};
