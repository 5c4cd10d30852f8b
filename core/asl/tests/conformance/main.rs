//! What the crate does, seen from outside.

mod histories;
mod invalid;
mod limits;
mod operators;
mod world;
