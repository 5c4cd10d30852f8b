//! AWS IAM: roles with inline policies, and managed policies, as resources.
//!
//! Knows names, paths and policy documents. Evaluates none: the development profile allows every call. IAM is global, so
//! its rows stand in one region for all.

pub mod api;
mod fault;
mod keys;
mod ops;
mod paging;
mod policy;

use kernel::{Scope, Service, Tx};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateRole, _>(ops::role::create_role)
        .transact::<api::GetRole, _>(ops::role::get_role)
        .transact::<api::UpdateRole, _>(ops::role::update_role)
        .transact::<api::UpdateAssumeRolePolicy, _>(ops::role::update_assume_role_policy)
        .transact::<api::DeleteRole, _>(ops::role::delete_role)
        .transact::<api::ListRoles, _>(ops::role::list_roles)
        .transact::<api::PutRolePolicy, _>(ops::inline::put_role_policy)
        .transact::<api::GetRolePolicy, _>(ops::inline::get_role_policy)
        .transact::<api::DeleteRolePolicy, _>(ops::inline::delete_role_policy)
        .transact::<api::ListRolePolicies, _>(ops::inline::list_role_policies)
        .transact::<api::AttachRolePolicy, _>(ops::attached::attach_role_policy)
        .transact::<api::DetachRolePolicy, _>(ops::attached::detach_role_policy)
        .transact::<api::ListAttachedRolePolicies, _>(ops::attached::list_attached_role_policies)
        .transact::<api::TagRole, _>(ops::tags::tag_role)
        .transact::<api::UntagRole, _>(ops::tags::untag_role)
        .transact::<api::ListRoleTags, _>(ops::tags::list_role_tags)
        .transact::<api::CreatePolicy, _>(ops::managed::create_policy)
        .transact::<api::GetPolicy, _>(ops::managed::get_policy)
        .transact::<api::GetPolicyVersion, _>(ops::managed::get_policy_version)
        .transact::<api::DeletePolicy, _>(ops::managed::delete_policy)
        .transact::<api::ListPolicies, _>(ops::managed::list_policies)
}

/// Roles and policies belong to an account and to no region.
pub(crate) fn enter_global(tx: &mut Tx) {
    let account = tx.caller().account.clone();
    tx.enter(Scope { account, region: base::Region::default() });
}
