//! Amazon SQS: standard and FIFO queues.
//!
//! Knows queues, messages and the time at which a message is visible. Knows no other service: a dead-letter queue is a
//! queue of its own, and who sends to a queue by ARN comes through the ARN table. A message is a row ordered by the time
//! of its visibility, or in a FIFO queue by its place in its group, beside a row with its body; nothing is kept outside the
//! store.

pub mod api;
mod fault;
mod fifo;
mod handle;
mod keys;
mod message;
mod moves;
mod ops;
mod policy;
mod queue;
mod source;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::Service;

/// Messages of a queue that an operator may look at without receiving them.
pub use ops::peek::{PEEK, PeekInput, PeekOutput, PeekedMessage};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE)
        .transact::<api::CreateQueue, _>(ops::create_queue::create_queue)
        .transact::<api::DeleteQueue, _>(ops::delete_queue::delete_queue)
        .transact::<api::ListQueues, _>(ops::list_queues::list_queues)
        .transact::<api::GetQueueUrl, _>(ops::get_queue_url::get_queue_url)
        .transact::<api::GetQueueAttributes, _>(ops::get_queue_attributes::get_queue_attributes)
        .transact::<api::SetQueueAttributes, _>(ops::set_queue_attributes::set_queue_attributes)
        .transact::<api::SendMessage, _>(ops::send_message::send_message)
        .transact::<api::SendMessageBatch, _>(ops::send_message_batch::send_message_batch)
        .effect::<api::ReceiveMessage, _>(ops::receive_message::receive_message)
        .transact::<api::DeleteMessage, _>(ops::delete_message::delete_message)
        .transact::<api::DeleteMessageBatch, _>(ops::delete_message_batch::delete_message_batch)
        .transact::<api::ChangeMessageVisibility, _>(
            ops::change_message_visibility::change_message_visibility,
        )
        .transact::<api::ChangeMessageVisibilityBatch, _>(
            ops::change_message_visibility_batch::change_message_visibility_batch,
        )
        .transact::<api::PurgeQueue, _>(ops::purge_queue::purge_queue)
        .transact::<api::TagQueue, _>(ops::tags::tag_queue)
        .transact::<api::UntagQueue, _>(ops::tags::untag_queue)
        .transact::<api::ListQueueTags, _>(ops::tags::list_queue_tags)
        .transact::<api::ListDeadLetterSourceQueues, _>(
            ops::list_dead_letter_sources::list_dead_letter_source_queues,
        )
        .transact::<api::AddPermission, _>(policy::add_permission)
        .transact::<api::RemovePermission, _>(policy::remove_permission)
        .transact::<api::StartMessageMoveTask, _>(moves::start_message_move_task)
        .transact::<api::ListMessageMoveTasks, _>(moves::list_message_move_tasks)
        .transact::<api::CancelMessageMoveTask, _>(moves::cancel_message_move_task)
        .internal(moves::MOVE, moves::move_messages)
        .internal(ops::remove_messages::REMOVE, ops::remove_messages::remove_messages)
        .internal(ops::expire::EXPIRE, ops::expire::expire)
        .internal(PEEK, ops::peek::peek)
        .internal(source::NEXT, source::next_visible)
        .internal(source::CAUSES, source::find_causes)
        .sources(&[source::QUEUE])
        .targets(&[target::QUEUE])
        .state(Arc::new(ops::get_queue_attributes::Counts::default()))
}
