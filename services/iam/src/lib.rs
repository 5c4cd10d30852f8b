//! AWS IAM: roles, users, groups, access keys and managed policies, as resources.
//!
//! Knows names, paths and policy documents. Evaluates none: the development profile allows every call. IAM is global, so
//! its rows stand in one region for all.

pub mod api;
mod fault;
mod holder;
mod keys;
mod names;
mod ops;
mod paging;
mod policy;

use base::AccountId;
use kernel::{Scope, Service, Tx};

pub use ops::access_key::{IDENTIFY, Identified, UserKeyFacts};

/// The service.
pub fn service() -> Service {
    people(policies(roles(Service::new(&api::SERVICE)))).internal(IDENTIFY, ops::access_key::identify)
}

fn roles(service: Service) -> Service {
    service
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
}

fn policies(service: Service) -> Service {
    service
        .transact::<api::TagRole, _>(ops::tags::tag_role)
        .transact::<api::UntagRole, _>(ops::tags::untag_role)
        .transact::<api::ListRoleTags, _>(ops::tags::list_role_tags)
        .transact::<api::TagUser, _>(ops::tags::tag_user)
        .transact::<api::UntagUser, _>(ops::tags::untag_user)
        .transact::<api::ListUserTags, _>(ops::tags::list_user_tags)
        .transact::<api::TagPolicy, _>(ops::tags::tag_policy)
        .transact::<api::UntagPolicy, _>(ops::tags::untag_policy)
        .transact::<api::ListPolicyTags, _>(ops::tags::list_policy_tags)
        .transact::<api::CreatePolicy, _>(ops::managed::create_policy)
        .transact::<api::GetPolicy, _>(ops::managed::get_policy)
        .transact::<api::DeletePolicy, _>(ops::managed::delete_policy)
        .transact::<api::ListPolicies, _>(ops::managed::list_policies)
        .transact::<api::ListEntitiesForPolicy, _>(ops::managed::list_entities_for_policy)
        .transact::<api::GetPolicyVersion, _>(ops::versions::get_policy_version)
        .transact::<api::CreatePolicyVersion, _>(ops::versions::create_policy_version)
        .transact::<api::DeletePolicyVersion, _>(ops::versions::delete_policy_version)
        .transact::<api::ListPolicyVersions, _>(ops::versions::list_policy_versions)
        .transact::<api::SetDefaultPolicyVersion, _>(ops::versions::set_default_policy_version)
        .transact::<api::UpdateRoleDescription, _>(ops::role::update_role_description)
        .transact::<api::PutRolePermissionsBoundary, _>(ops::boundary::put_role_permissions_boundary)
        .transact::<api::DeleteRolePermissionsBoundary, _>(ops::boundary::delete_role_permissions_boundary)
        .transact::<api::PutUserPermissionsBoundary, _>(ops::boundary::put_user_permissions_boundary)
        .transact::<api::DeleteUserPermissionsBoundary, _>(ops::boundary::delete_user_permissions_boundary)
        .transact::<api::CreateServiceLinkedRole, _>(ops::service_linked::create_service_linked_role)
        .transact::<api::DeleteServiceLinkedRole, _>(ops::service_linked::delete_service_linked_role)
        .transact::<api::GetServiceLinkedRoleDeletionStatus, _>(
            ops::service_linked::get_service_linked_role_deletion_status,
        )
}

fn people(service: Service) -> Service {
    service
        .transact::<api::CreateUser, _>(ops::user::create_user)
        .transact::<api::GetUser, _>(ops::user::get_user)
        .transact::<api::UpdateUser, _>(ops::user::update_user)
        .transact::<api::DeleteUser, _>(ops::user::delete_user)
        .transact::<api::ListUsers, _>(ops::user::list_users)
        .transact::<api::CreateGroup, _>(ops::group::create_group)
        .transact::<api::GetGroup, _>(ops::group::get_group)
        .transact::<api::DeleteGroup, _>(ops::group::delete_group)
        .transact::<api::ListGroups, _>(ops::group::list_groups)
        .transact::<api::AddUserToGroup, _>(ops::group::add_user_to_group)
        .transact::<api::RemoveUserFromGroup, _>(ops::group::remove_user_from_group)
        .transact::<api::ListGroupsForUser, _>(ops::group::list_groups_for_user)
        .transact::<api::PutUserPolicy, _>(ops::inline::put_user_policy)
        .transact::<api::GetUserPolicy, _>(ops::inline::get_user_policy)
        .transact::<api::DeleteUserPolicy, _>(ops::inline::delete_user_policy)
        .transact::<api::ListUserPolicies, _>(ops::inline::list_user_policies)
        .transact::<api::PutGroupPolicy, _>(ops::inline::put_group_policy)
        .transact::<api::GetGroupPolicy, _>(ops::inline::get_group_policy)
        .transact::<api::DeleteGroupPolicy, _>(ops::inline::delete_group_policy)
        .transact::<api::ListGroupPolicies, _>(ops::inline::list_group_policies)
        .transact::<api::AttachUserPolicy, _>(ops::attached::attach_user_policy)
        .transact::<api::DetachUserPolicy, _>(ops::attached::detach_user_policy)
        .transact::<api::ListAttachedUserPolicies, _>(ops::attached::list_attached_user_policies)
        .transact::<api::AttachGroupPolicy, _>(ops::attached::attach_group_policy)
        .transact::<api::DetachGroupPolicy, _>(ops::attached::detach_group_policy)
        .transact::<api::ListAttachedGroupPolicies, _>(ops::attached::list_attached_group_policies)
        .transact::<api::CreateAccessKey, _>(ops::access_key::create_access_key)
        .transact::<api::UpdateAccessKey, _>(ops::access_key::update_access_key)
        .transact::<api::DeleteAccessKey, _>(ops::access_key::delete_access_key)
        .transact::<api::ListAccessKeys, _>(ops::access_key::list_access_keys)
        .transact::<api::GetAccountSummary, _>(ops::account::get_account_summary)
        .transact::<api::ListInstanceProfilesForRole, _>(ops::account::list_instance_profiles_for_role)
}

/// Everything but access keys belongs to an account and to no region.
pub(crate) fn enter_global(tx: &mut Tx) {
    let account = tx.caller().account.clone();
    tx.enter(Scope { account, region: base::Region::default() });
}

/// An access key names its account, so keys stand in one place for all accounts.
pub(crate) fn enter_everywhere(tx: &mut Tx) {
    tx.enter(Scope { account: AccountId::default(), region: base::Region::default() });
}
