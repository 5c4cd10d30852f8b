//! What the crate does, seen from outside.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod any_moves;
mod histories;
mod inspections;
mod invalid;
mod language;
mod limits;
mod map_runs;
mod maps;
mod operators;
mod variables;
mod world;
