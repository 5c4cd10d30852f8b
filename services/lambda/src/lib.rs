//! AWS Lambda: functions, their versions, aliases, layers, URLs and policies, and their invocation.
//!
//! Knows functions and what is asked of them; [`runtime`] runs their code and knows nothing of the rest. Knows no other
//! service: packages come from S3, output goes to CloudWatch Logs and records go to destinations through the router and
//! the ARN table. An asynchronous event is a row from the moment it is accepted until it has ended; nothing that must
//! survive a restart is kept outside the store.
//!
//! The server makes the running side first, then the service: `let functions = Functions::new(config)?;
//! kernel_services.push(lambda::service(&functions));`. Requests for function URLs go to [`url::handle`], downloads of packages to [`download::fetch`]. Processes are
//! started through [`runtime::sandbox::main`], which the server's binary offers as a command of its own.

pub mod api;
mod concurrency;
pub mod download;
mod event;
mod event_stream;
mod fault;
mod function;
mod keys;
mod mapping;
mod name;
mod ops;
mod output;
mod package;
mod page;
mod policy;
mod run;
pub mod runtime;
mod settings;
mod state;
mod target;
pub mod url;

use std::sync::Arc;

use kernel::Service;

pub use state::{Functions, Issue};

/// The service's signing name.
pub(crate) const NAME: &str = "lambda";

/// Accepts an asynchronous event.
pub(crate) const ACCEPT_EVENT: &str = "AcceptEvent";
/// Runs one.
pub(crate) const RUN_EVENT: &str = "RunEvent";
/// Takes in how it went.
pub(crate) const END_EVENT: &str = "EndEvent";

/// The service, whose functions run in `functions`.
pub fn service(functions: &Functions) -> Service {
    let service = Service::new(&api::SERVICE)
        .state(Arc::new(functions.clone()))
        .targets(&[target::FUNCTION])
        .internal(ACCEPT_EVENT, ops::accept_event::accept_event)
        .internal_effect(RUN_EVENT, ops::run_event::run_event)
        .internal(END_EVENT, ops::end_event::end_event);
    with_mappings(with_urls_and_layers(with_names(with_functions(service))))
}

fn with_functions(service: Service) -> Service {
    service
        .effect::<api::CreateFunction, _>(ops::create_function::create_function)
        .effect::<api::UpdateFunctionCode, _>(ops::update_function_code::update_function_code)
        .transact::<api::UpdateFunctionConfiguration, _>(
            ops::update_function_configuration::update_function_configuration,
        )
        .transact::<api::GetFunction, _>(ops::get_function::get_function)
        .transact::<api::GetFunctionConfiguration, _>(
            ops::get_function_configuration::get_function_configuration,
        )
        .transact::<api::GetFunctionCodeSigningConfig, _>(
            ops::get_function_code_signing_config::get_function_code_signing_config,
        )
        .transact::<api::ListFunctions, _>(ops::list_functions::list_functions)
        .transact::<api::DeleteFunction, _>(ops::delete_function::delete_function)
        .effect::<api::Invoke, _>(ops::invoke::invoke)
        .effect::<api::InvokeWithResponseStream, _>(
            ops::invoke_with_response_stream::invoke_with_response_stream,
        )
        .transact::<api::TagResource, _>(ops::tag_resource::tag_resource)
        .transact::<api::UntagResource, _>(ops::untag_resource::untag_resource)
        .transact::<api::ListTags, _>(ops::list_tags::list_tags)
        .transact::<api::GetAccountSettings, _>(ops::get_account_settings::get_account_settings)
        .transact::<api::PutFunctionConcurrency, _>(ops::put_function_concurrency::put_function_concurrency)
        .transact::<api::GetFunctionConcurrency, _>(ops::get_function_concurrency::get_function_concurrency)
        .transact::<api::DeleteFunctionConcurrency, _>(
            ops::delete_function_concurrency::delete_function_concurrency,
        )
        .transact::<api::PutFunctionEventInvokeConfig, _>(
            ops::put_function_event_invoke_config::put_function_event_invoke_config,
        )
        .transact::<api::UpdateFunctionEventInvokeConfig, _>(
            ops::update_function_event_invoke_config::update_function_event_invoke_config,
        )
        .transact::<api::GetFunctionEventInvokeConfig, _>(
            ops::get_function_event_invoke_config::get_function_event_invoke_config,
        )
        .transact::<api::DeleteFunctionEventInvokeConfig, _>(
            ops::delete_function_event_invoke_config::delete_function_event_invoke_config,
        )
        .transact::<api::ListFunctionEventInvokeConfigs, _>(
            ops::list_function_event_invoke_configs::list_function_event_invoke_configs,
        )
}

fn with_names(service: Service) -> Service {
    service
        .transact::<api::PublishVersion, _>(ops::publish_version::publish_version)
        .transact::<api::ListVersionsByFunction, _>(ops::list_versions_by_function::list_versions_by_function)
        .transact::<api::CreateAlias, _>(ops::create_alias::create_alias)
        .transact::<api::UpdateAlias, _>(ops::update_alias::update_alias)
        .transact::<api::GetAlias, _>(ops::get_alias::get_alias)
        .transact::<api::ListAliases, _>(ops::list_aliases::list_aliases)
        .transact::<api::DeleteAlias, _>(ops::delete_alias::delete_alias)
        .transact::<api::AddPermission, _>(ops::add_permission::add_permission)
        .transact::<api::RemovePermission, _>(ops::remove_permission::remove_permission)
        .transact::<api::GetPolicy, _>(ops::get_policy::get_policy)
}

fn with_urls_and_layers(service: Service) -> Service {
    service
        .transact::<api::CreateFunctionUrlConfig, _>(
            ops::create_function_url_config::create_function_url_config,
        )
        .transact::<api::GetFunctionUrlConfig, _>(ops::get_function_url_config::get_function_url_config)
        .transact::<api::UpdateFunctionUrlConfig, _>(
            ops::update_function_url_config::update_function_url_config,
        )
        .transact::<api::DeleteFunctionUrlConfig, _>(
            ops::delete_function_url_config::delete_function_url_config,
        )
        .transact::<api::ListFunctionUrlConfigs, _>(ops::list_function_url_configs::list_function_url_configs)
        .effect::<api::PublishLayerVersion, _>(ops::publish_layer_version::publish_layer_version)
        .transact::<api::GetLayerVersion, _>(ops::get_layer_version::get_layer_version)
        .transact::<api::GetLayerVersionByArn, _>(ops::get_layer_version_by_arn::get_layer_version_by_arn)
        .transact::<api::ListLayerVersions, _>(ops::list_layer_versions::list_layer_versions)
        .transact::<api::ListLayers, _>(ops::list_layers::list_layers)
        .transact::<api::DeleteLayerVersion, _>(ops::delete_layer_version::delete_layer_version)
}

fn with_mappings(service: Service) -> Service {
    service
        .effect::<api::CreateEventSourceMapping, _>(
            ops::create_event_source_mapping::create_event_source_mapping,
        )
        .transact::<api::GetEventSourceMapping, _>(ops::get_event_source_mapping::get_event_source_mapping)
        .transact::<api::ListEventSourceMappings, _>(
            ops::list_event_source_mappings::list_event_source_mappings,
        )
        .effect::<api::UpdateEventSourceMapping, _>(
            ops::update_event_source_mapping::update_event_source_mapping,
        )
        .transact::<api::DeleteEventSourceMapping, _>(
            ops::delete_event_source_mapping::delete_event_source_mapping,
        )
        .vigil(mapping::LOOK, mapping::look)
}
