//! EventBridge through the router, on the virtual clock; mailboxes stand for queues and a target that fails for the rest.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod archives;
mod buses;
mod delivery;
mod endpoints;
mod inputs;
mod managed;
mod ours;
mod schedules;
mod world;
