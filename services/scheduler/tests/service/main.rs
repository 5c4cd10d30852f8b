//! EventBridge Scheduler through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod api;
mod deliveries;
mod failures;
mod flaky;
mod inputs;
mod occurrences;
mod support;
