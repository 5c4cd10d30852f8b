//! The service on a kernel in memory, with real function processes and recorded neighbours.
#![expect(clippy::unwrap_used, reason = "a helper of tests that cannot go on fails the test")]

mod configure;
mod downloads;
mod events;
mod invoke;
mod measure;
mod support;
mod urls;
