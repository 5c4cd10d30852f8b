//! What the crate does, seen from outside.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod histories;
mod invalid;
mod limits;
mod operators;
mod world;
