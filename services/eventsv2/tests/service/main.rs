//! EventBridge's second API through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod buses;
mod cbor;
mod deliveries;
mod failures;
mod flaky;
mod inputs;
mod publishing;
mod reading;
mod subscribers;
mod support;
