//! The console's pages over a kernel in memory: what a person reads on them, and what their forms do.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bridge;
mod door;
mod events;
mod executions;
mod machines;
mod resources;
mod world;
