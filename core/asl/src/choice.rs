//! The tests of Choice states.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html>

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::jsonpath::{Path, order_numbers};
use crate::scope::Reading;
use crate::timestamp;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    Test { variable: Path, test: Test },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Compare { kind: Kind, relation: Relation, operand: Operand },
    StringMatches(Vec<Piece>),
    IsNull(bool),
    IsPresent(bool),
    IsNumeric(bool),
    IsString(bool),
    IsBoolean(bool),
    IsTimestamp(bool),
}

/// What a comparison compares; values of another type make it false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Numeric,
    Boolean,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Value(Value),
    Path(Path),
}

/// A part of a `StringMatches` pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// `*`
    Any,
}

/// A path of a condition that leads nowhere.
pub(crate) struct Unresolved<'r>(pub(crate) &'r Path);

impl Rule {
    /// Does the condition hold?
    pub(crate) fn holds<'r>(&'r self, reading: &Reading<'_>) -> Result<bool, Unresolved<'r>> {
        match self {
            Self::And(rules) => {
                for rule in rules {
                    if !rule.holds(reading)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(rules) => {
                for rule in rules {
                    if rule.holds(reading)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(rule) => Ok(!rule.holds(reading)?),
            Self::Test { variable, test } => {
                let value = reading.select(variable).value();
                match (test, value) {
                    (Test::IsPresent(wanted), value) => Ok(value.is_some() == *wanted),
                    (_, None) => Err(Unresolved(variable)),
                    (test, Some(value)) => test.holds(&value, reading),
                }
            }
        }
    }
}

impl Test {
    fn holds<'r>(&'r self, value: &Value, reading: &Reading<'_>) -> Result<bool, Unresolved<'r>> {
        Ok(match self {
            Self::Compare { kind, relation, operand } => {
                let operand = match operand {
                    Operand::Value(operand) => Cow::Borrowed(operand),
                    Operand::Path(path) => reading.select(path).value().ok_or(Unresolved(path))?,
                };
                kind.order(value, &operand).is_some_and(|ordering| relation.admits(ordering))
            }
            Self::StringMatches(pieces) => value.as_str().is_some_and(|text| matches(pieces, text)),
            Self::IsNull(wanted) => value.is_null() == *wanted,
            Self::IsNumeric(wanted) => value.is_number() == *wanted,
            Self::IsString(wanted) => value.is_string() == *wanted,
            Self::IsBoolean(wanted) => value.is_boolean() == *wanted,
            Self::IsTimestamp(wanted) => value.as_str().and_then(timestamp::parse).is_some() == *wanted,
            Self::IsPresent(wanted) => *wanted,
        })
    }
}

impl Kind {
    /// Is a literal operand of this kind?
    pub(crate) fn accepts(self, operand: &Value) -> bool {
        match self {
            Self::String => operand.is_string(),
            Self::Numeric => operand.is_number(),
            Self::Boolean => operand.is_boolean(),
            Self::Timestamp => operand.as_str().and_then(timestamp::parse).is_some(),
        }
    }

    fn order(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            Self::String => Some(left.as_str()?.encode_utf16().cmp(right.as_str()?.encode_utf16())),
            Self::Numeric => order_numbers(left.as_number()?, right.as_number()?),
            Self::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Self::Timestamp => {
                Some(timestamp::parse(left.as_str()?)?.cmp(&timestamp::parse(right.as_str()?)?))
            }
        }
    }
}

impl Relation {
    fn admits(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::GreaterThan => ordering.is_gt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// `*` stands for any characters, `\*` for a star, `\\` for a backslash.
pub(crate) fn pattern(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                if pieces.last() != Some(&Piece::Any) {
                    pieces.push(Piece::Any);
                }
            }
            '\\' => literal.push(chars.next().unwrap_or('\\')),
            c => literal.push(c),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    pieces
}

/// Greedy from the left, which suffices when stars are the only wildcard.
fn matches(pieces: &[Piece], text: &str) -> bool {
    let mut rest = text;
    let mut floating = false;
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Any => floating = true,
            Piece::Text(part) if floating && place + 1 == pieces.len() => {
                return rest.ends_with(part.as_str());
            }
            Piece::Text(part) => {
                let found = if floating {
                    rest.find(part.as_str())
                } else {
                    rest.starts_with(part.as_str()).then_some(0)
                };
                let Some(at) = found else { return false };
                rest = &rest[at + part.len()..];
                floating = false;
            }
        }
    }
    floating || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("log-*.txt", "log-1.txt", true),
            ("log-*.txt", "log-1.txt.gz", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*.log", "x.log", true),
            ("a**b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            (r"a\\*", r"a\b", true),
            ("", "", true),
            ("", "a", false),
            ("ab", "abc", false),
        ];
        for (text, subject, expected) in cases {
            assert_eq!(matches(&pattern(text), subject), expected, "{text} on {subject}");
        }
    }
}
