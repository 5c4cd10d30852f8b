//! Conditions as trees. They serve filters and key conditions too.

use std::fmt;

use base::Fault;

use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::{Kind, parse_condition};
use crate::value::{AttributeType, AttributeValue};

/// What is asked of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<'a> {
    /// Two operands compared.
    Compare(Comparator, Operand<'a>, Operand<'a>),
    /// Both bounds included.
    Between(Operand<'a>, Operand<'a>, Operand<'a>),
    /// Equal to one of the list.
    In(Operand<'a>, Vec<Operand<'a>>),
    /// `attribute_exists`.
    Exists(Path<'a>),
    /// `attribute_not_exists`.
    NotExists(Path<'a>),
    /// `attribute_type`.
    Type(Operand<'a>, AttributeType),
    /// `begins_with`.
    BeginsWith(Operand<'a>, Operand<'a>),
    /// `contains`.
    Contains(Operand<'a>, Operand<'a>),
    /// All hold.
    And(Vec<Condition<'a>>),
    /// At least one holds.
    Or(Vec<Condition<'a>>),
    /// It does not hold.
    Not(Box<Condition<'a>>),
}

/// `=`, `<>`, `<`, `<=`, `>`, `>=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::NotEqual => "<>",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
        }
    }

    pub(super) fn from_symbol(symbol: &str) -> Option<Comparator> {
        use Comparator::*;
        [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]
            .into_iter()
            .find(|c| c.symbol() == symbol)
    }

    pub(super) fn orders(self) -> bool {
        !matches!(self, Comparator::Equal | Comparator::NotEqual)
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand<'a> {
    /// What stands there in the item.
    Path(Path<'a>),
    /// A placeholder's value.
    Value(&'a AttributeValue),
    /// `size(…)` of a path or value.
    Size(Box<Operand<'a>>),
}

impl<'a> Operand<'a> {
    fn visit_paths(&self, visit: &mut impl FnMut(&Path<'a>)) {
        match self {
            Operand::Path(path) => visit(path),
            Operand::Size(inner) => inner.visit_paths(visit),
            Operand::Value(_) => {}
        }
    }
}

impl Operand<'_> {
    /// The type, where it is known before the item is.
    pub(super) fn known_type(&self) -> Option<AttributeType> {
        match self {
            Operand::Path(_) => None,
            Operand::Value(value) => Some(value.kind()),
            Operand::Size(_) => Some(AttributeType::N),
        }
    }
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Path(path) => path.fmt(f),
            Operand::Value(value) => write!(f, "AttributeValue: {value}"),
            Operand::Size(operand) => write!(f, "size({operand})"),
        }
    }
}

impl<'a> Condition<'a> {
    /// Parses and checks a condition. `kind` names the parameter in the texts.
    pub fn parse(kind: Kind, text: &'a str, placeholders: &Placeholders<'a>) -> Result<Condition<'a>, Fault> {
        let mut parser = Parser::new(kind, text, placeholders)?;
        let condition = parse_condition::parse(&mut parser)?;
        parser.finish()?;
        Ok(condition)
    }

    /// Shows every document path of the condition to `visit`.
    pub fn visit_paths(&self, visit: &mut impl FnMut(&Path<'a>)) {
        match self {
            Condition::And(all) | Condition::Or(all) => all.iter().for_each(|inner| inner.visit_paths(visit)),
            Condition::Not(inner) => inner.visit_paths(visit),
            Condition::Exists(path) | Condition::NotExists(path) => visit(path),
            Condition::Type(operand, _) => operand.visit_paths(visit),
            Condition::Compare(_, one, two)
            | Condition::BeginsWith(one, two)
            | Condition::Contains(one, two) => [one, two].into_iter().for_each(|o| o.visit_paths(visit)),
            Condition::Between(one, two, three) => {
                [one, two, three].into_iter().for_each(|o| o.visit_paths(visit));
            }
            Condition::In(operand, list) => {
                operand.visit_paths(visit);
                list.iter().for_each(|o| o.visit_paths(visit));
            }
        }
    }
}
