//! Durable rows: the engine seam, its engines, order-preserving keys and the shapes `Map`, `Due`, `Log` and `Blob`.
//!
//! Knows no service, no protocol and no clock: a time is an argument here.

pub mod engine;
pub mod limits;
pub mod log;
pub mod watch;
