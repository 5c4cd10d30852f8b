//! Event patterns: compile, match and explain.
//!
//! This crate knows the pattern language of EventBridge
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>): which patterns are
//! refused and in which words, which events a pattern matches, and why an event does not match. It also holds the
//! scanner that takes from an event's JSON text just the fields that some rule asks for.
//!
//! It must not know buses, rules' states, targets, accounts, quotas that a caller may raise, or any other crate of
//! ours. It does no I/O, starts nothing, and reads no clock.
//!
//! Three ways in:
//!
//! * [`Pattern::parse`] and [`Pattern::matches`] for one pattern and one event (TestEventPattern);
//! * [`RuleSet`] for many rules at once: one scan of the event, then only rules that one of the event's values
//!   points at are looked at;
//! * [`explain`] for the reason why an event does not match.
//!
//! ```
//! use pattern::{Event, Pattern, RuleSet, explain};
//! use std::sync::Arc;
//!
//! let pattern = Pattern::parse(r#"{"source": ["shop"], "detail": {"total": [{"numeric": [">", 100]}]}}"#)?;
//! assert!(pattern.matches(br#"{"source": "shop", "detail": {"total": 120}}"#)?);
//!
//! let event = Event::parse(br#"{"source": "shop", "detail": {"total": 80}}"#)?;
//! let explanation = explain(&pattern, &event);
//! assert_eq!(explanation.unmatched[0].path, "detail.total");
//!
//! let rules = RuleSet::new([("large-orders", Arc::new(pattern))]);
//! let mut matched = Vec::new();
//! rules.matches_json(br#"{"source": "shop", "detail": {"total": 101}}"#, &mut matched)?;
//! assert_eq!(matched, ["large-orders"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alternative;
mod consistency;
mod decode;
mod elements;
mod error;
mod event;
mod explain;
mod fold;
mod hash;
mod index;
mod intervals;
mod ip;
mod json;
mod leaf;
mod limits;
mod number;
mod operators;
mod parse;
mod pattern;
mod prefixes;
mod range;
mod rule_set;
mod scan;
mod scratch;
mod selectivity;
mod tokens;
mod trie;
mod value;
mod wildcard;
mod words;

pub use error::{InvalidEvent, InvalidPattern};
pub use event::Event;
pub use explain::{BranchExplanation, Explanation, FieldPlace, OrExplanation, UnmatchedField, explain};
pub use limits::{COMBINATIONS_MAX, DEPTH_MAX, FIELDS_MAX, PATTERN_CHARS_MAX, WILDCARD_COMPLEXITY_MAX};
pub use pattern::Pattern;
pub use rule_set::RuleSet;
