//! Conditions and assertions as a tree.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>

use base::Document;

use super::error::TemplateError;
use super::expr::{self, Expr};

/// Something that holds or does not, once the parameters are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `Condition`: another condition by name.
    Named(String),
    /// `Fn::Equals`.
    Equals(Expr, Expr),
    /// `Fn::And`, 2 to 10 terms.
    And(Vec<Predicate>),
    /// `Fn::Or`, 2 to 10 terms.
    Or(Vec<Predicate>),
    /// `Fn::Not`.
    Not(Box<Predicate>),
    /// `Fn::Contains`: a list holds a text. In rules only.
    Contains(Expr, Expr),
    /// `Fn::EachMemberEquals`: every item of a list is the text. In rules only.
    EachMemberEquals(Expr, Expr),
    /// `Fn::EachMemberIn`: every item of the first list is in the second. In rules only.
    EachMemberIn(Expr, Expr),
}

/// Where a predicate stands decides which functions it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Conditions,
    Rules,
}

impl Predicate {
    pub(super) fn parse(document: &Document, block: Block) -> Result<Predicate, TemplateError> {
        let single = document.as_object().filter(|members| members.len() == 1).and_then(|m| m.iter().next());
        let Some((name, argument)) = single else {
            let message = "Conditions can only be boolean operations on parameters and other conditions";
            return Err(TemplateError::format(message));
        };
        match name.as_str() {
            "Condition" if block == Block::Conditions => match argument.as_str() {
                Some(name) => Ok(Predicate::Named(name.to_owned())),
                None => Err(TemplateError::format("a Condition must name one condition")),
            },
            "Fn::Equals" => {
                let (left, right) = pair(name, argument)?;
                Ok(Predicate::Equals(left, right))
            }
            "Fn::And" => Ok(Predicate::And(terms(name, argument, block)?)),
            "Fn::Or" => Ok(Predicate::Or(terms(name, argument, block)?)),
            "Fn::Not" => match argument.as_array().map(Vec::as_slice) {
                Some([term]) => Ok(Predicate::Not(Box::new(Predicate::parse(term, block)?))),
                _ => Err(wrong(name, "a list of one boolean parameter.")),
            },
            "Fn::Contains" | "Fn::EachMemberEquals" | "Fn::EachMemberIn" if block == Block::Rules => {
                let (left, right) = pair(name, argument)?;
                Ok(match name.as_str() {
                    "Fn::Contains" => Predicate::Contains(left, right),
                    "Fn::EachMemberEquals" => Predicate::EachMemberEquals(left, right),
                    _ => Predicate::EachMemberIn(left, right),
                })
            }
            "Fn::RefAll" | "Fn::ValueOf" | "Fn::ValueOfAll" => {
                Err(TemplateError::unsupported(format!("the rule function {name}")))
            }
            _ => Err(expr::unknown(name)),
        }
    }

    /// The predicates directly inside this one.
    pub fn terms(&self) -> &[Predicate] {
        match self {
            Predicate::And(terms) | Predicate::Or(terms) => terms,
            Predicate::Not(term) => std::slice::from_ref(term),
            _ => &[],
        }
    }

    /// The values that this predicate itself compares.
    pub fn operands(&self) -> Vec<&Expr> {
        match self {
            Predicate::Equals(left, right)
            | Predicate::Contains(left, right)
            | Predicate::EachMemberEquals(left, right)
            | Predicate::EachMemberIn(left, right) => vec![left, right],
            _ => Vec::new(),
        }
    }

    /// Calls `visit` with this predicate and everything inside it.
    pub fn walk<'p>(&'p self, visit: &mut dyn FnMut(&'p Predicate)) {
        visit(self);
        for term in self.terms() {
            term.walk(visit);
        }
    }
}

fn wrong(name: &str, needs: &str) -> TemplateError {
    TemplateError::intrinsic(format!("every {name} object requires {needs}"))
}

fn pair(name: &str, argument: &Document) -> Result<(Expr, Expr), TemplateError> {
    match argument.as_array().map(Vec::as_slice) {
        Some([left, right]) => Ok((Expr::parse(left)?, Expr::parse(right)?)),
        _ => Err(wrong(name, "a list of 2 string parameters.")),
    }
}

fn terms(name: &str, argument: &Document, block: Block) -> Result<Vec<Predicate>, TemplateError> {
    let needs = "a list of at least 2 and at most 10 boolean parameters.";
    match argument.as_array() {
        Some(terms) if (2..=10).contains(&terms.len()) => {
            terms.iter().map(|term| Predicate::parse(term, block)).collect()
        }
        _ => Err(wrong(name, needs)),
    }
}
