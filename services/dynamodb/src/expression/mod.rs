//! The expression language: conditions, filters, key conditions, projections and updates.
//!
//! Parsing borrows from the request (its texts and values) and copies nothing. Everything here is pure: text, placeholders
//! and an item in; a verdict, a projection or a changed item out.
//! Knows nothing of tables, except that a key condition is matched against the names that it is given.

mod apply;
mod condition;
mod evaluate;
mod key_condition;
mod lexer;
mod overlap;
mod parse_condition;
mod parser;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod update;

use base::Fault;

pub use condition::{Comparator, Condition, Operand};
pub use key_condition::{KeyCondition, KeyPart, RangeCondition};
pub use path::{Path, Segment};
pub use placeholders::Placeholders;
pub use projection::Projection;
pub use update::{Addend, SetValue, Update};

/// The most bytes of an expression. From "Quotas in Amazon DynamoDB": 4 KB.
const TEXT_BYTES_MAX: usize = 4096;
/// The most operators and functions of an expression.
const OPERATORS_MAX: usize = 300;

/// Which parameter an expression is; its name stands in every text about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
    /// `KeyConditionExpression`.
    KeyCondition,
    /// `ProjectionExpression`.
    Projection,
    /// `UpdateExpression`.
    Update,
}

impl Kind {
    /// The parameter's name.
    pub fn parameter(self) -> &'static str {
        match self {
            Kind::Condition => "ConditionExpression",
            Kind::Filter => "FilterExpression",
            Kind::KeyCondition => "KeyConditionExpression",
            Kind::Projection => "ProjectionExpression",
            Kind::Update => "UpdateExpression",
        }
    }

    fn fault(self, text: impl std::fmt::Display) -> Fault {
        Fault::validation(format!("Invalid {}: {text}", self.parameter()))
    }
}

#[cfg(test)]
mod tests;
