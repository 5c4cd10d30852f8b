//! What `buswork dev` knows of an app: where its functions' sources are, which file belongs to which function, and how a
//! source becomes a package.
//!
//! Knows CDK's cloud assembly, which SST has, too, and esbuild's output and flags. Knows nothing of the server: it is
//! [`crate::commands::dev`] that asks it and swaps packages in.

pub(crate) mod assembly;
pub(crate) mod bundle;
pub(crate) mod changes;
pub(crate) mod package;
pub(crate) mod source;
pub(crate) mod tree;
