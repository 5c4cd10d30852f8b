//! AWS KMS: symmetric keys that encrypt and decrypt under an encryption context.
//!
//! Knows keys, their aliases and AES-256-GCM. Knows no policy: key policies are kept and not evaluated. Knows no service
//! that encrypts with it: those use [`SEAL`] and [`OPEN`]. Keys stand in the store beside what they encrypt, so they
//! keep secrets out of answers, logs and traces, not from who reads the store's files.

pub mod api;
mod cipher;
mod fault;
mod find;
mod keys;
mod ops;
mod paging;

use kernel::Service;

pub use ops::service_use::{OPEN, SEAL};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateKey, _>(ops::key::create_key)
        .transact::<api::DescribeKey, _>(ops::key::describe_key)
        .transact::<api::ListKeys, _>(ops::key::list_keys)
        .transact::<api::UpdateKeyDescription, _>(ops::key::update_key_description)
        .transact::<api::EnableKey, _>(ops::state::enable_key)
        .transact::<api::DisableKey, _>(ops::state::disable_key)
        .transact::<api::ScheduleKeyDeletion, _>(ops::state::schedule_key_deletion)
        .transact::<api::CancelKeyDeletion, _>(ops::state::cancel_key_deletion)
        .transact::<api::CreateAlias, _>(ops::alias::create_alias)
        .transact::<api::UpdateAlias, _>(ops::alias::update_alias)
        .transact::<api::DeleteAlias, _>(ops::alias::delete_alias)
        .transact::<api::ListAliases, _>(ops::alias::list_aliases)
        .transact::<api::Encrypt, _>(ops::encrypt::encrypt)
        .transact::<api::Decrypt, _>(ops::decrypt::decrypt)
        .transact::<api::ReEncrypt, _>(ops::re_encrypt::re_encrypt)
        .transact::<api::GenerateDataKey, _>(ops::data_key::generate_data_key)
        .transact::<api::GenerateDataKeyWithoutPlaintext, _>(
            ops::data_key::generate_data_key_without_plaintext,
        )
        .transact::<api::GenerateRandom, _>(ops::data_key::generate_random)
        .transact::<api::GetKeyPolicy, _>(ops::policy::get_key_policy)
        .transact::<api::PutKeyPolicy, _>(ops::policy::put_key_policy)
        .transact::<api::ListKeyPolicies, _>(ops::policy::list_key_policies)
        .transact::<api::EnableKeyRotation, _>(ops::rotation::enable_key_rotation)
        .transact::<api::DisableKeyRotation, _>(ops::rotation::disable_key_rotation)
        .transact::<api::GetKeyRotationStatus, _>(ops::rotation::get_key_rotation_status)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListResourceTags, _>(ops::tags::list_resource_tags)
        .internal(ops::state::DELETE, ops::state::delete_key)
        .internal(ops::rotation::ROTATE, ops::rotation::rotate)
        .internal(SEAL, ops::service_use::seal)
        .internal(OPEN, ops::service_use::open)
}
