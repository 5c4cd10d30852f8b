//! One alternative of a field: a literal or an operator.

use crate::fold::Fold;
use crate::ip::{Address, Cidr};
use crate::number::exact_double;
use crate::range::Range;
use crate::value::Value;
use crate::wildcard::Wildcard;

/// What a value of a field may be. The words are those of the pattern language
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Alternative {
    /// A literal string that is an IP address literal.
    Address(Box<str>, Address),
    /// A literal number: its text, and its value where a double can hold it.
    Number(Box<str>, Option<f64>),
    True,
    False,
    Null,
    Prefix(Box<str>),
    PrefixFold(Fold),
    Suffix(Box<str>),
    SuffixFold(Fold),
    EqualsFold(Fold),
    Wildcard(Wildcard),
    Numeric(Range),
    Cidr(Cidr),
    Exists,
    Absent,
    Not(Excluded),
}

/// What an `anything-but` leaves out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Excluded {
    /// Sorted strings.
    Strings(Box<[Box<str>]>),
    /// Sorted numbers.
    Numbers(Box<[f64]>),
    Prefixes(Box<[Box<str>]>),
    Suffixes(Box<[Box<str>]>),
    Folds(Box<[Fold]>),
    Wildcards(Box<[Wildcard]>),
}

impl Alternative {
    /// Whether a value that is there satisfies this alternative.
    pub(crate) fn matches(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Exists, _)
            | (Self::True, Value::True)
            | (Self::False, Value::False)
            | (Self::Null, Value::Null) => true,
            (Self::Not(excluded), value) => !excluded.holds(value),
            (Self::Number(text, number), Value::Number(found)) => {
                **text == *found || number.is_some_and(|number| exact_double(found) == Some(number))
            }
            (Self::Numeric(range), Value::Number(found)) => {
                exact_double(found).is_some_and(|number| range.contains(number))
            }
            (_, Value::Str(found)) => self.matches_str(found),
            _ => false,
        }
    }

    fn matches_str(&self, found: &str) -> bool {
        match self {
            Self::Address(_, address) => Address::parse(found) == Some(*address),
            Self::Prefix(prefix) => found.starts_with(&**prefix),
            Self::PrefixFold(prefix) => prefix.starts(found),
            Self::Suffix(suffix) => found.ends_with(&**suffix),
            Self::SuffixFold(suffix) => suffix.ends(found),
            Self::EqualsFold(text) => text.equals(found),
            Self::Wildcard(wildcard) => wildcard.matches(found),
            Self::Cidr(cidr) => cidr.contains(found),
            _ => false,
        }
    }

    /// Every wildcard in it.
    pub(crate) fn wildcards(&self) -> &[Wildcard] {
        match self {
            Self::Wildcard(wildcard) => std::slice::from_ref(wildcard),
            Self::Not(Excluded::Wildcards(wildcards)) => wildcards,
            _ => &[],
        }
    }

    /// The operator's name, with a nested one behind a slash; `None` for literals.
    pub(crate) fn operator(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address(..) | Self::Number(..) | Self::True | Self::False | Self::Null => return None,
            Self::Prefix(_) => "prefix",
            Self::PrefixFold(_) => "prefix/equals-ignore-case",
            Self::Suffix(_) => "suffix",
            Self::SuffixFold(_) => "suffix/equals-ignore-case",
            Self::EqualsFold(_) => "equals-ignore-case",
            Self::Wildcard(_) => "wildcard",
            Self::Numeric(_) => "numeric",
            Self::Cidr(_) => "cidr",
            Self::Exists | Self::Absent => "exists",
            Self::Not(Excluded::Strings(_) | Excluded::Numbers(_)) => "anything-but",
            Self::Not(Excluded::Prefixes(_)) => "anything-but/prefix",
            Self::Not(Excluded::Suffixes(_)) => "anything-but/suffix",
            Self::Not(Excluded::Folds(_)) => "anything-but/equals-ignore-case",
            Self::Not(Excluded::Wildcards(_)) => "anything-but/wildcard",
        })
    }
}

impl Excluded {
    /// Whether the value is one of those left out. A value of another type never is.
    fn holds(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Numbers(numbers), Value::Number(found)) => exact_double(found)
                .is_some_and(|found| numbers.binary_search_by(|number| number.total_cmp(&found)).is_ok()),
            (Self::Strings(strings), Value::Str(found)) => {
                strings.binary_search_by(|string| (**string).cmp(found)).is_ok()
            }
            (Self::Prefixes(prefixes), Value::Str(found)) => {
                prefixes.iter().any(|text| found.starts_with(&**text))
            }
            (Self::Suffixes(suffixes), Value::Str(found)) => {
                suffixes.iter().any(|text| found.ends_with(&**text))
            }
            (Self::Folds(folds), Value::Str(found)) => folds.iter().any(|fold| fold.equals(found)),
            (Self::Wildcards(wildcards), Value::Str(found)) => {
                wildcards.iter().any(|text| text.matches(found))
            }
            _ => false,
        }
    }
}
