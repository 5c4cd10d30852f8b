//! The words that every other crate speaks: ARNs, accounts, regions, time stamps, schedules, documents and faults.
//!
//! Knows no I/O, no async, no store, no protocol and no service. Nothing here reads a clock.

pub mod arn;
pub mod fault;
pub mod page;
pub mod schedule;
pub mod schema;
pub mod tags;
pub mod template;
pub mod time;

pub use arn::{AccountId, Arn, InvalidArn, Region};
pub use fault::{Fault, Responsible};
pub use schedule::{InvalidSchedule, Schedule, Zone};
pub use time::Timestamp;

/// A document as the services exchange it: the awsJson form of a shape (blobs in base64, time stamps in epoch seconds).
pub type Document = serde_json::Value;
