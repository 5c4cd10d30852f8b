//! One command a file.

pub mod bench;
pub mod call;
pub mod deploy;
pub mod dev;
pub mod explain;
pub mod output;
pub mod put;
pub mod redeliver;
pub mod runtime;
pub mod schemas;
pub mod search;
pub mod start;
pub mod trace;
pub mod trust;
pub mod verify;
