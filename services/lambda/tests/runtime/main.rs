//! The supervisor with real processes: this crate's custom runtime, and Node.js and Python where they are installed.

#![expect(clippy::unwrap_used, reason = "a helper of tests that cannot go on fails the test")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

mod measure;
mod node;
mod provided;
mod python;
mod redirect;
mod support;
