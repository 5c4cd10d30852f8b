//! Stacks come, change and go: against fake services, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod change_sets;
mod create;
mod custom;
mod exports;
mod fake;
mod nested;
mod requests;
mod rollback;
mod transforms;
mod update;
mod wait;
mod world;
