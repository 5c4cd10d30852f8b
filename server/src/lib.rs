//! The binary `buswork`: configuration, listeners, assembly, console and command line.
//!
//! Knows every service by its `service()` and what protocols they speak. Knows nothing of what a service does: a request
//! goes through `wire` into the router, and the console asks the router like every other caller.

pub mod access;
pub mod assemble;
pub mod bench;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod console;
mod dev;
pub mod explain;
pub mod front;
pub mod listen;
mod operator;
pub mod packages;
pub mod tls;
