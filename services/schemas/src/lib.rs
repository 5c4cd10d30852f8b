//! Amazon EventBridge Schema Registry: registries, schemas and their versions, discoverers, code bindings; and what AWS
//! does not have: which consumers a change of a schema would break.
//!
//! Knows schemas of two dialects, what values look like, and code. Knows no event bus: a discoverer is a target that a
//! managed rule sends events to, policies of buses are told of new versions by a task, and consumers are found by asking
//! the other services' operations. It checks no event; that happens where events come in.

pub mod api;
mod aws;
mod binding;
mod compatibility;
mod consumers;
mod content;
mod document;
mod fault;
mod infer;
mod keys;
mod name;
mod ops;
mod version;

use std::sync::Arc;

use kernel::Service;

pub use compatibility::{Break, Change};
pub use ops::check_compatibility::{
    CHECK_COMPATIBILITY, CheckCompatibilityInput, CheckCompatibilityOutput, Unchecked,
};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateRegistry, _>(ops::registries::create_registry)
        .transact::<api::DescribeRegistry, _>(ops::registries::describe_registry)
        .transact::<api::UpdateRegistry, _>(ops::registries::update_registry)
        .transact::<api::DeleteRegistry, _>(ops::registries::delete_registry)
        .transact::<api::ListRegistries, _>(ops::registries::list_registries)
        .transact::<api::CreateSchema, _>(ops::create_schema::create_schema)
        .transact::<api::DescribeSchema, _>(ops::describe_schema::describe_schema)
        .transact::<api::UpdateSchema, _>(ops::update_schema::update_schema)
        .transact::<api::DeleteSchema, _>(ops::schemas::delete_schema)
        .transact::<api::ListSchemas, _>(ops::schemas::list_schemas)
        .transact::<api::SearchSchemas, _>(ops::search_schemas::search_schemas)
        .transact::<api::ExportSchema, _>(ops::export_schema::export_schema)
        .transact::<api::ListSchemaVersions, _>(ops::versions::list_schema_versions)
        .transact::<api::DeleteSchemaVersion, _>(ops::versions::delete_schema_version)
        .effect::<api::CreateDiscoverer, _>(ops::discoverers::create_discoverer)
        .transact::<api::DescribeDiscoverer, _>(ops::discoverers::describe_discoverer)
        .transact::<api::UpdateDiscoverer, _>(ops::discoverers::update_discoverer)
        .transact::<api::DeleteDiscoverer, _>(ops::discoverers::delete_discoverer)
        .transact::<api::ListDiscoverers, _>(ops::discoverers::list_discoverers)
        .transact::<api::StartDiscoverer, _>(ops::discoverers::start_discoverer)
        .transact::<api::StopDiscoverer, _>(ops::discoverers::stop_discoverer)
        .transact::<api::GetDiscoveredSchema, _>(ops::get_discovered_schema::get_discovered_schema)
        .transact::<api::PutCodeBinding, _>(ops::bindings::put_code_binding)
        .transact::<api::DescribeCodeBinding, _>(ops::bindings::describe_code_binding)
        .transact::<api::GetCodeBindingSource, _>(ops::bindings::get_code_binding_source)
        .transact::<api::GetResourcePolicy, _>(ops::policy::get_resource_policy)
        .transact::<api::PutResourcePolicy, _>(ops::policy::put_resource_policy)
        .transact::<api::DeleteResourcePolicy, _>(ops::policy::delete_resource_policy)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .internal(ops::discover::DISCOVER, ops::discover::discover)
        .internal_effect(CHECK_COMPATIBILITY, ops::check_compatibility::check_compatibility)
        .state(Arc::new(ops::discover::Known::default()))
        .targets(&[ops::discover::DISCOVERER])
}
