//! Amazon ECR: repositories as resources, with their policies and tags.
//!
//! Knows names and documents. Knows no image: nothing is pushed or pulled here, so repositories are empty, and policies
//! about images have nothing to act on.

pub mod api;
mod fault;
mod keys;
mod ops;
mod repository;

use kernel::Service;

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateRepository, _>(ops::repository::create_repository)
        .transact::<api::DescribeRepositories, _>(ops::repository::describe_repositories)
        .transact::<api::DeleteRepository, _>(ops::repository::delete_repository)
        .transact::<api::PutLifecyclePolicy, _>(ops::lifecycle::put_lifecycle_policy)
        .transact::<api::GetLifecyclePolicy, _>(ops::lifecycle::get_lifecycle_policy)
        .transact::<api::DeleteLifecyclePolicy, _>(ops::lifecycle::delete_lifecycle_policy)
        .transact::<api::SetRepositoryPolicy, _>(ops::policy::set_repository_policy)
        .transact::<api::GetRepositoryPolicy, _>(ops::policy::get_repository_policy)
        .transact::<api::DeleteRepositoryPolicy, _>(ops::policy::delete_repository_policy)
        .transact::<api::PutImageScanningConfiguration, _>(ops::images::put_image_scanning_configuration)
        .transact::<api::PutImageTagMutability, _>(ops::images::put_image_tag_mutability)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
}
