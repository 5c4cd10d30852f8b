//! AWS Secrets Manager: secrets with versions and staging labels.
//!
//! Knows names, versions and their labels. Knows no cipher: values are encrypted and decrypted by `kms`, which it reaches
//! through the router. Rotates nothing and replicates nothing.

pub mod api;
mod cipher;
mod fault;
mod filter;
mod keys;
mod ops;
mod password;
mod secret;
mod stages;

use kernel::Service;

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::CreateSecret, _>(ops::create_secret::create_secret)
        .effect::<api::GetSecretValue, _>(ops::get_secret_value::get_secret_value)
        .effect::<api::BatchGetSecretValue, _>(ops::batch_get_secret_value::batch_get_secret_value)
        .effect::<api::PutSecretValue, _>(ops::put_secret_value::put_secret_value)
        .effect::<api::UpdateSecret, _>(ops::update_secret::update_secret)
        .transact::<api::DeleteSecret, _>(ops::deletion::delete_secret)
        .transact::<api::RestoreSecret, _>(ops::deletion::restore_secret)
        .transact::<api::DescribeSecret, _>(ops::describe_secret::describe_secret)
        .transact::<api::ListSecrets, _>(ops::list_secrets::list_secrets)
        .transact::<api::ListSecretVersionIds, _>(ops::versions::list_secret_version_ids)
        .transact::<api::UpdateSecretVersionStage, _>(ops::versions::update_secret_version_stage)
        .transact::<api::GetRandomPassword, _>(ops::get_random_password::get_random_password)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::PutResourcePolicy, _>(ops::policy::put_resource_policy)
        .transact::<api::GetResourcePolicy, _>(ops::policy::get_resource_policy)
        .transact::<api::DeleteResourcePolicy, _>(ops::policy::delete_resource_policy)
        .transact::<api::ValidateResourcePolicy, _>(ops::policy::validate_resource_policy)
        .internal(ops::deletion::EXPIRE, ops::deletion::expire)
}
