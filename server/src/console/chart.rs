//! A state machine as a picture: read from its definition, placed in layers, drawn as SVG on the server.
//!
//! Knows the names and arrows of the States Language and nothing of what states do.

mod draw;
mod flow;
mod place;

pub(crate) use draw::{Look, drawn};
pub(crate) use flow::Flow;
