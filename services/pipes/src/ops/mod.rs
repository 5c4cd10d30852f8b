//! The operations: one a file, small ones by noun.

pub(crate) mod create_pipe;
pub(crate) mod delete_pipe;
pub(crate) mod describe_pipe;
pub(crate) mod list_pipes;
pub(crate) mod start_stop;
pub(crate) mod tags;
pub(crate) mod transition;
pub(crate) mod update_pipe;
