//! Amazon EventBridge Pipes: from a source, past a filter and an enrichment, to a target.
//!
//! Knows pipes and what becomes of a batch on its way. Knows no source and no target: queues are read, functions and state
//! machines asked and targets called through the router, by the operations that everybody has. A pipe is a row; what reads
//! for it ([`poller`]) is nothing that must survive: a batch is received, run to its end and only then deleted from its
//! queue, so that whatever dies on the way is received again. While nothing comes, a pipe waits for commits to its source
//! and commits nothing.
//!
//! A stream's records are not deleted: how far a pipe has come with them is a row of its own.
//!
//! Not here: sources other than queues and DynamoDB streams, S3 and Firehose as log destinations, customer keys.

pub mod api;
mod check;
mod compiled;
mod enrich;
mod execution;
mod fault;
mod journal;
mod keys;
mod ops;
mod pipe;
mod poller;
mod record;
mod source;
mod stream;
mod targets;
mod template;

use std::sync::Arc;

use kernel::Service;

/// The service's signing name.
pub(crate) const NAME: &str = "pipes";

/// In whose name sources are read and targets called.
pub(crate) const PRINCIPAL: &str = "pipes.amazonaws.com";

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::CreatePipe, _>(ops::create_pipe::create_pipe)
        .effect::<api::UpdatePipe, _>(ops::update_pipe::update_pipe)
        .transact::<api::DeletePipe, _>(ops::delete_pipe::delete_pipe)
        .transact::<api::DescribePipe, _>(ops::describe_pipe::describe_pipe)
        .transact::<api::ListPipes, _>(ops::list_pipes::list_pipes)
        .transact::<api::StartPipe, _>(ops::start_stop::start_pipe)
        .transact::<api::StopPipe, _>(ops::start_stop::stop_pipe)
        .transact::<api::TagResource, _>(ops::tags::tag_resource)
        .transact::<api::UntagResource, _>(ops::tags::untag_resource)
        .transact::<api::ListTagsForResource, _>(ops::tags::list_tags_for_resource)
        .internal_effect(ops::transition::TRANSITION, ops::transition::transition)
        .internal_effect(poller::RUN, poller::run)
        .internal_effect(poller::START_ALL, poller::start_all)
        .at_start(poller::START_ALL)
        .state(Arc::new(poller::Pollers::default()))
}
