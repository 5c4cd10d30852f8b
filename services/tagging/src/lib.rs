//! The Resource Groups Tagging API (`tagging`): tags of all services' resources in one place.
//!
//! Knows by [`kinds`], a table, which operations of which service list resources, read their tags and change them, and calls
//! these through the router in its caller's name. Keeps nothing: there is no row of its own, and no copy of a tag. It must
//! not know what a service does with a tag, nor any other service's types.
//!
//! Not here: resources that had tags and have none any more, tag policies and with them compliance, and reports.

pub mod api;
mod fault;
mod kinds;
mod ops;
mod page;
mod resource;

use kernel::Service;

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::GetResources, _>(ops::get_resources::get_resources)
        .effect::<api::GetTagKeys, _>(ops::get_tag_keys::get_tag_keys)
        .effect::<api::GetTagValues, _>(ops::get_tag_values::get_tag_values)
        .effect::<api::TagResources, _>(ops::tag_resources::tag_resources)
        .effect::<api::UntagResources, _>(ops::tag_resources::untag_resources)
}
