//! AWS Lambda: functions, their versions and aliases, and their invocation.
//!
//! [`runtime`] runs the code and knows nothing of the rest.

pub mod runtime;
