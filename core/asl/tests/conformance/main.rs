//! What the crate does, seen from outside.

mod histories;
mod world;
