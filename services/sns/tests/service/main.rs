//! SNS through the router, with mailboxes in the place of queues and endpoints on loopback, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod accounts;
mod deliveries;
mod endpoints;
mod fan_out;
mod fifo;
mod topics;
mod world;
