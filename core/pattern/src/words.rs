//! What a leaf wants, for people.

use crate::alternative::{Alternative, Excluded};
use crate::leaf::Leaf;
use crate::range::Range;
use std::fmt::Write;

/// The alternatives in words, joined by "or".
pub(crate) fn wanted(leaf: &Leaf) -> String {
    let strings = leaf.strings.iter().map(|string| format!("{string:?}"));
    strings.chain(leaf.others.iter().map(words)).collect::<Vec<_>>().join(" or ")
}

fn words(alternative: &Alternative) -> String {
    match alternative {
        Alternative::Address(text, _) => format!("the address {text}"),
        Alternative::Number(text, _) => format!("the number {text}"),
        Alternative::True => "true".to_owned(),
        Alternative::False => "false".to_owned(),
        Alternative::Null => "null".to_owned(),
        Alternative::Prefix(text) => format!("a string that starts with {text:?}"),
        Alternative::PrefixFold(fold) => format!("a string that starts with {:?} in any case", fold.text()),
        Alternative::Suffix(text) => format!("a string that ends with {text:?}"),
        Alternative::SuffixFold(fold) => format!("a string that ends with {:?} in any case", fold.text()),
        Alternative::EqualsFold(fold) => format!("{:?} in any case", fold.text()),
        Alternative::Wildcard(wildcard) => format!("a string like {:?}", wildcard.text()),
        Alternative::Numeric(range) => numeric(range),
        Alternative::Cidr(cidr) => format!("an address within {}", cidr.text),
        Alternative::Exists => "any value".to_owned(),
        Alternative::Absent => "no such field".to_owned(),
        Alternative::Not(excluded) => not(excluded),
    }
}

fn numeric(range: &Range) -> String {
    if range.is_point() {
        return format!("a number = {}", range.low);
    }
    let mut words = "a number".to_owned();
    let low = range.low.is_finite();
    if low {
        let _ = write!(words, " {} {}", if range.low_open { ">" } else { ">=" }, range.low);
    }
    if range.high.is_finite() {
        let and = if low { " and" } else { "" };
        let _ = write!(words, "{and} {} {}", if range.high_open { "<" } else { "<=" }, range.high);
    }
    words
}

fn not(excluded: &Excluded) -> String {
    fn list<V>(values: &[V], word: impl Fn(&V) -> String) -> String {
        values.iter().map(word).collect::<Vec<_>>().join(" or ")
    }
    match excluded {
        Excluded::Strings(strings) => format!("anything but {}", list(strings, |text| format!("{text:?}"))),
        Excluded::Numbers(numbers) => format!("anything but {}", list(numbers, f64::to_string)),
        Excluded::Prefixes(texts) => {
            format!("anything but a string that starts with {}", list(texts, |text| format!("{text:?}")))
        }
        Excluded::Suffixes(texts) => {
            format!("anything but a string that ends with {}", list(texts, |text| format!("{text:?}")))
        }
        Excluded::Folds(folds) => {
            format!("anything but {} in any case", list(folds, |fold| format!("{:?}", fold.text())))
        }
        Excluded::Wildcards(texts) => {
            format!("anything but a string like {}", list(texts, |text| format!("{:?}", text.text())))
        }
    }
}
