//! The operations, by noun: each is a few lines over the same rows.

pub(crate) mod images;
pub(crate) mod lifecycle;
pub(crate) mod policy;
pub(crate) mod repository;
pub(crate) mod tags;
