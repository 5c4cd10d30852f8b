//! Attribute values and items: what a value is, what it counts for, and which values AWS refuses.
//!
//! Knows nothing of JSON (`crate::border`), of rows (`crate::stored`) or of tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::number::Number;

/// The attributes of an item by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// The most bytes that an item may count for.
/// From "Quotas in Amazon DynamoDB" of the developer guide: 400 KB.
pub const ITEM_BYTES_MAX: usize = 409_600;

/// The deepest that lists and maps may nest.
pub const NESTING_MAX: usize = 32;

/// The value of an attribute, one of DynamoDB's ten types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// A set of strings, never empty.
    Ss(BTreeSet<String>),
    /// A set of numbers, never empty.
    Ns(BTreeSet<Number>),
    /// A set of bytes, never empty.
    Bs(BTreeSet<Vec<u8>>),
    /// Attributes by name.
    M(Item),
    /// Values in order.
    L(Vec<AttributeValue>),
    /// Nothing, present.
    Null,
    /// True or false.
    Bool(bool),
}

/// The types by AWS's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeType {
    /// String.
    S,
    /// Number.
    N,
    /// Bytes.
    B,
    /// String set.
    Ss,
    /// Number set.
    Ns,
    /// Binary set.
    Bs,
    /// Map.
    M,
    /// List.
    L,
    /// Null.
    Null,
    /// Boolean.
    Bool,
}

impl AttributeType {
    /// `S`, `NS`, `BOOL`, …
    pub fn letters(self) -> &'static str {
        match self {
            AttributeType::S => "S",
            AttributeType::N => "N",
            AttributeType::B => "B",
            AttributeType::Ss => "SS",
            AttributeType::Ns => "NS",
            AttributeType::Bs => "BS",
            AttributeType::M => "M",
            AttributeType::L => "L",
            AttributeType::Null => "NULL",
            AttributeType::Bool => "BOOL",
        }
    }

    /// The type of these letters.
    pub fn from_letters(letters: &str) -> Option<AttributeType> {
        Some(match letters {
            "S" => AttributeType::S,
            "N" => AttributeType::N,
            "B" => AttributeType::B,
            "SS" => AttributeType::Ss,
            "NS" => AttributeType::Ns,
            "BS" => AttributeType::Bs,
            "M" => AttributeType::M,
            "L" => AttributeType::L,
            "NULL" => AttributeType::Null,
            "BOOL" => AttributeType::Bool,
            _ => return None,
        })
    }

    /// The long name that the texts about ADD and DELETE use.
    pub(crate) fn long_name(self) -> &'static str {
        match self {
            AttributeType::S => "STRING",
            AttributeType::N => "NUMBER",
            AttributeType::B => "BINARY",
            AttributeType::Ss => "STRING_SET",
            AttributeType::Ns => "NUMBER_SET",
            AttributeType::Bs => "BINARY_SET",
            AttributeType::M => "MAP",
            AttributeType::L => "LIST",
            AttributeType::Null => "NULL",
            AttributeType::Bool => "BOOLEAN",
        }
    }
}

impl AttributeValue {
    /// Which of the ten.
    pub fn kind(&self) -> AttributeType {
        match self {
            AttributeValue::S(_) => AttributeType::S,
            AttributeValue::N(_) => AttributeType::N,
            AttributeValue::B(_) => AttributeType::B,
            AttributeValue::Ss(_) => AttributeType::Ss,
            AttributeValue::Ns(_) => AttributeType::Ns,
            AttributeValue::Bs(_) => AttributeType::Bs,
            AttributeValue::M(_) => AttributeType::M,
            AttributeValue::L(_) => AttributeType::L,
            AttributeValue::Null => AttributeType::Null,
            AttributeValue::Bool(_) => AttributeType::Bool,
        }
    }

    /// Bytes that the value counts for in the size of its item.
    /// From "DynamoDB item sizes and formats" of the developer guide.
    pub fn size_bytes(&self) -> usize {
        match self {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(number) => number.size_bytes(),
            AttributeValue::B(bytes) => bytes.len(),
            AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
            AttributeValue::Ns(set) => set.iter().map(|number| number.size_bytes()).sum(),
            AttributeValue::Bs(set) => set.iter().map(Vec::len).sum(),
            AttributeValue::M(map) => {
                3 + map.iter().map(|(n, v)| n.len() + v.size_bytes() + 1).sum::<usize>()
            }
            AttributeValue::L(list) => 3 + list.iter().map(|value| value.size_bytes() + 1).sum::<usize>(),
            AttributeValue::Null | AttributeValue::Bool(_) => 1,
        }
    }

    /// Whether lists and maps nest deeper than `levels` below here.
    fn is_deeper_than(&self, levels: usize) -> bool {
        match self {
            AttributeValue::M(map) => levels == 0 || map.values().any(|v| v.is_deeper_than(levels - 1)),
            AttributeValue::L(list) => levels == 0 || list.iter().any(|v| v.is_deeper_than(levels - 1)),
            _ => false,
        }
    }
}

/// Bytes that the item counts for: names and values.
pub fn item_size_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size_bytes()).sum()
}

/// Refuses values that nest deeper than [`NESTING_MAX`].
pub fn check_nesting(value: &AttributeValue) -> Result<(), Fault> {
    if value.is_deeper_than(NESTING_MAX) {
        return Err(Fault::validation("Nesting Levels have exceeded supported limits"));
    }
    Ok(())
}

impl fmt::Display for AttributeValue {
    /// As AWS shows values in its texts: `{S:abc}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn joined(values: impl Iterator<Item = String>) -> String {
            values.collect::<Vec<_>>().join(",")
        }
        let letters = self.kind().letters();
        match self {
            AttributeValue::S(text) => write!(f, "{{{letters}:{text}}}"),
            AttributeValue::N(number) => write!(f, "{{{letters}:{number}}}"),
            AttributeValue::B(bytes) => write!(f, "{{{letters}:{}}}", BASE64.encode(bytes)),
            AttributeValue::Ss(set) => write!(f, "{{{letters}: [{}]}}", joined(set.iter().cloned())),
            AttributeValue::Ns(set) => {
                write!(f, "{{{letters}: [{}]}}", joined(set.iter().map(Number::to_string)))
            }
            AttributeValue::Bs(set) => {
                write!(f, "{{{letters}: [{}]}}", joined(set.iter().map(|b| BASE64.encode(b))))
            }
            AttributeValue::M(map) => {
                write!(
                    f,
                    "{{{letters}:{{{}}}}}",
                    joined(map.iter().map(|(name, value)| format!("{name}={value}")))
                )
            }
            AttributeValue::L(list) => {
                write!(f, "{{{letters}:[{}]}}", joined(list.iter().map(ToString::to_string)))
            }
            AttributeValue::Null => write!(f, "{{{letters}:true}}"),
            AttributeValue::Bool(value) => write!(f, "{{{letters}:{value}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> AttributeValue {
        (0..levels).fold(AttributeValue::Null, |inner, _| AttributeValue::L(vec![inner]))
    }

    #[test]
    fn nesting_ends_at_32() {
        assert!(check_nesting(&nested(32)).is_ok());
        let fault = check_nesting(&nested(33)).unwrap_err();
        assert_eq!(fault.message, "Nesting Levels have exceeded supported limits");
    }

    #[test]
    fn sizes_follow_the_guide() {
        let map = Item::from([("ab".to_owned(), AttributeValue::S("xyz".to_owned()))]);
        let cases = [
            (AttributeValue::S("grün".to_owned()), 5),
            (AttributeValue::N(Number::from(1234)), 3),
            (AttributeValue::B(vec![1, 2, 3]), 3),
            (AttributeValue::Ss(["a".to_owned(), "bc".to_owned()].into()), 3),
            (AttributeValue::Ns([Number::from(1), Number::from(100)].into()), 4),
            (AttributeValue::M(map), 3 + 2 + 3 + 1),
            (AttributeValue::L(vec![AttributeValue::Null, AttributeValue::Bool(true)]), 3 + 2 + 2),
            (AttributeValue::Null, 1),
        ];
        for (value, bytes) in cases {
            assert_eq!(value.size_bytes(), bytes, "{value}");
        }
    }

    #[test]
    fn letters_come_back() {
        for letters in ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"] {
            assert_eq!(AttributeType::from_letters(letters).unwrap().letters(), letters);
        }
        assert_eq!(AttributeType::from_letters("STRING"), None);
    }
}
