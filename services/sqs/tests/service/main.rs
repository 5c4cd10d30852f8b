//! SQS through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bounds;
mod fifo;
mod moves;
mod permissions;
mod queues;
mod world;
