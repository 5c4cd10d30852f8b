//! Event source mappings, end to end: real queues and tables, real functions on Node.js, on a virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

mod house;
mod queues;
mod streams;
