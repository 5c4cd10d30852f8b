//! Step Functions through the router, on the virtual clock, among small stand-ins for other services.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod activities;
mod callbacks;
mod crashes;
mod executions;
mod express;
mod inputs;
mod logging;
mod machines;
mod neighbours;
mod nested;
mod redrives;
mod states_language;
mod status_events;
mod tasks;
mod test_state;
mod versions;
mod world;
