//! CloudFormation: templates in, stacks of resources out.
//!
//! Knows the template language, stacks and what it takes to make each resource type out of operations of other services.
//! Must not know those services' crates: it names an operation and hands the router a document.

pub mod template;
