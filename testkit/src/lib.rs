//! A whole cloud in memory, made from a seed: what tests of services stand on.
//!
//! Knows the kernel and the store. Knows no service by name but the one that [`mailbox`] stands in for: which services
//! run is said by the test. Nothing here waits for real time, so that a test is as fast as its work and the same seed
//! brings the same ids.
//!
//! # A service's own tests
//!
//! ```no_run
//! # use serde_json::json;
//! # use std::time::Duration;
//! # use testkit::World;
//! # mod logs { pub fn service() -> kernel::Service { kernel::Service::internal_only("logs") } }
//! # async fn test() {
//! let mut world = World::new(|| vec![logs::service()]).await;
//! world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "g" })).await;
//! let fault = world.refused("logs", "CreateLogGroup", json!({ "logGroupName": "g" })).await;
//! assert_eq!(fault.code, "ResourceAlreadyExistsException");
//! world.advance(Duration::from_secs(3_600)).await;
//! world.crash().await;
//! let groups = world.ok("logs", "DescribeLogGroups", json!({})).await;
//! # }
//! ```
//!
//! A service has `testkit` among its `[dev-dependencies]` and no other service: where its tests only want to see what it
//! delivers, a [`mailbox`] takes it. Tests that need several services stand in `testkit/tests/<service>_*.rs`;
//! `cargo xtask tidy` holds services to that.
//!
//! # Crashes
//!
//! [`World::crash`] ends the process, so to speak, at once; [`World::die_after`] lets it take so many more commits and
//! none after them, wherever that is in the middle of. [`World::restart`] goes on over the same rows.

pub mod mailbox;
mod mortal;
mod world;

pub use world::{Builder, World};
