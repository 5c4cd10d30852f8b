//! The operations: one a file, small ones by noun.

pub(crate) mod batch_get_secret_value;
pub(crate) mod create_secret;
pub(crate) mod deletion;
pub(crate) mod describe_secret;
pub(crate) mod get_random_password;
pub(crate) mod get_secret_value;
pub(crate) mod list_secrets;
pub(crate) mod policy;
pub(crate) mod put_secret_value;
pub(crate) mod tags;
pub(crate) mod update_secret;
pub(crate) mod versions;
