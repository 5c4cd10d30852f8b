//! The operations, by noun: each is a few lines over the same rows.

pub(crate) mod access_key;
pub(crate) mod account;
pub(crate) mod attached;
pub(crate) mod boundary;
pub(crate) mod group;
pub(crate) mod inline;
pub(crate) mod managed;
pub(crate) mod role;
pub(crate) mod service_linked;
pub(crate) mod tags;
pub(crate) mod user;
pub(crate) mod versions;
