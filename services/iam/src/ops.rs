//! The operations, by noun: each is a few lines over the same rows.

pub(crate) mod attached;
pub(crate) mod inline;
pub(crate) mod managed;
pub(crate) mod role;
pub(crate) mod tags;
