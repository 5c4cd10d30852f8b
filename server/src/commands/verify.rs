//! `buswork verify`

use anyhow::bail;

use crate::cli::{VerifyArgs, say};

/// Walks the store and says what is wrong with it.
///
/// # Errors
/// The store is in use or cannot be opened, or something is wrong with it.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let location = args.store.clone().location()?;
    let _ = (location, say);
    bail!("verify is being built");
}
