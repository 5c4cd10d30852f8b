//! The protocols from outside: cases, bodies that are not text, and what holds for all inputs.
#![cfg(test)]

mod bodies;
mod cases;
mod properties;
mod support;
