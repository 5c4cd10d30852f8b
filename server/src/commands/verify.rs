//! `buswork verify`

use anyhow::bail;
use store::Location;
use store::verify::Report;

use crate::cli::{VerifyArgs, say};
use crate::client::block_on;

/// Walks the store and says what is wrong with it.
///
/// # Errors
/// The store is in use or cannot be opened, or something is wrong with it.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let location = args.store.clone().location()?;
    if let Location::Fjall(path) | Location::Redb(path) = &location
        && !path.exists()
    {
        bail!(
            "there is no store at {}; --data-dir names the directory that a server was started with",
            path.display()
        );
    }
    let Report { rows, bytes, last, problems } =
        block_on(async { Ok(store::verify::verify(&location).await?) })?;
    for problem in &problems {
        say(problem);
    }
    say(&format!("{rows} rows, {bytes} bytes, last commit {}", last.0));
    match problems.len() {
        0 => Ok(()),
        count => bail!("the store at {location:?} is damaged: {count} problems"),
    }
}
