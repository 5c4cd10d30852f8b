//! What every engine accepts: the limits of the distributed engines that the same trait must serve.

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 10_000;
/// The largest value, in bytes. Larger ones are chunked above the engine.
pub const VALUE_BYTES_MAX: usize = 100_000;
/// The largest transaction, keys and values together, in bytes.
pub const COMMIT_BYTES_MAX: usize = 10_000_000;
