//! One operation a file.

pub(crate) mod batch;
pub(crate) mod change_message_visibility;
pub(crate) mod change_message_visibility_batch;
pub(crate) mod create_queue;
pub(crate) mod delete_message;
pub(crate) mod delete_message_batch;
pub(crate) mod delete_queue;
pub(crate) mod expire;
pub(crate) mod get_queue_attributes;
pub(crate) mod get_queue_url;
pub(crate) mod list_dead_letter_sources;
pub(crate) mod list_queues;
pub(crate) mod peek;
pub(crate) mod purge_queue;
pub(crate) mod receive_message;
pub(crate) mod remove_messages;
pub(crate) mod send_message;
pub(crate) mod send_message_batch;
pub(crate) mod set_queue_attributes;
pub(crate) mod tags;
