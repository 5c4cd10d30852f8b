//! AWS Systems Manager Parameter Store: parameters with versions, labels and tags.
//!
//! Knows names, values and their history. Knows no cipher: secure strings are encrypted and decrypted by `kms`, which it
//! reaches through the router. Nothing else of Systems Manager is served, nor the public parameters below
//! `/aws/service`.

pub mod api;
mod event;
mod fault;
mod filter;
mod keys;
mod name;
mod ops;
mod parameter;
mod secret;

use kernel::Service;

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::PutParameter, _>(ops::put_parameter::put_parameter)
        .effect::<api::GetParameter, _>(ops::get_parameter::get_parameter)
        .effect::<api::GetParameters, _>(ops::get_parameter::get_parameters)
        .effect::<api::GetParametersByPath, _>(ops::get_parameters_by_path::get_parameters_by_path)
        .effect::<api::GetParameterHistory, _>(ops::get_parameter_history::get_parameter_history)
        .transact::<api::DescribeParameters, _>(ops::describe_parameters::describe_parameters)
        .transact::<api::DeleteParameter, _>(ops::delete_parameter::delete_parameter)
        .transact::<api::DeleteParameters, _>(ops::delete_parameter::delete_parameters)
        .transact::<api::LabelParameterVersion, _>(ops::labels::label_parameter_version)
        .transact::<api::UnlabelParameterVersion, _>(ops::labels::unlabel_parameter_version)
        .transact::<api::AddTagsToResource, _>(ops::tags::add_tags_to_resource)
        .transact::<api::RemoveTagsFromResource, _>(ops::tags::remove_tags_from_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
}
