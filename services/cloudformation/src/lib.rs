//! cloudformation.
