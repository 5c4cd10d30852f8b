//! One command a file.

pub mod bench;
pub mod call;
pub mod deploy;
pub mod output;
pub mod put;
pub mod start;
pub mod trace;
pub mod verify;
