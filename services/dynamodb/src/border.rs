//! Attribute values on the wire: `{"S": "x"}`, bytes in base64.
//!
//! A body that is no JSON of the right shape fails to parse. A value of the right shape that DynamoDB refuses (no
//! number, an empty set, two types at once) parses, carries AWS's text, and is refused when the operation accepts it:
//! at AWS the first is a SerializationException, the second a ValidationException.

use std::collections::BTreeSet;
use std::fmt;

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::number::Number;
use crate::stored::StoredItem;
use crate::value::{AttributeValue, Item, check_nesting};

/// A value as given: accepted, or with the text that refuses it.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenValue(Result<AttributeValue, Box<Fault>>);

impl GivenValue {
    /// The value, or AWS's refusal.
    pub fn accept(self) -> Result<AttributeValue, Fault> {
        let value = self.0.map_err(|fault| *fault)?;
        check_nesting(&value)?;
        Ok(value)
    }
}

impl From<AttributeValue> for GivenValue {
    fn from(value: AttributeValue) -> GivenValue {
        GivenValue(Ok(value))
    }
}

/// An item, a key or placeholders' values: as given by the caller, or as read from a row and not yet taken apart.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemForm {
    /// Taken apart.
    Parsed(Item),
    /// As stored.
    Stored(StoredItem),
    /// Refused: the attribute at fault, and AWS's text.
    Refused(String, Box<Fault>),
}

impl Default for ItemForm {
    fn default() -> ItemForm {
        ItemForm::Parsed(Item::new())
    }
}

impl From<Item> for ItemForm {
    fn from(item: Item) -> ItemForm {
        ItemForm::Parsed(item)
    }
}

impl ItemForm {
    /// The item, or AWS's refusal.
    pub fn accept(self) -> Result<Item, Fault> {
        self.accept_named().map_err(|(_, fault)| fault)
    }

    /// The item, or the attribute at fault with AWS's refusal.
    pub fn accept_named(self) -> Result<Item, (String, Fault)> {
        match self {
            ItemForm::Parsed(item) => {
                for (name, value) in &item {
                    check_nesting(value).map_err(|fault| (name.clone(), fault))?;
                }
                Ok(item)
            }
            ItemForm::Stored(stored) => stored.decode().map_err(|fault| (String::new(), fault)),
            ItemForm::Refused(name, fault) => Err((name, *fault)),
        }
    }
}

fn refused<T>(text: impl Into<String>) -> Result<T, Box<Fault>> {
    Err(Box::new(Fault::validation(text)))
}

impl<'de> Deserialize<'de> for GivenValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<GivenValue, D::Error> {
        ValueSeed.deserialize(deserializer).map(GivenValue)
    }
}

impl<'de> Deserialize<'de> for ItemForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ItemForm, D::Error> {
        let item = ItemSeed.deserialize(deserializer)?;
        Ok(match item {
            Ok(item) => ItemForm::Parsed(item),
            Err((name, fault)) => ItemForm::Refused(name, fault),
        })
    }
}

/// Reads a map of attributes to its end; the first refused attribute wins.
struct ItemSeed;

impl<'de> DeserializeSeed<'de> for ItemSeed {
    type Value = Result<Item, (String, Box<Fault>)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed {
    type Value = Result<Item, (String, Box<Fault>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut item = Item::new();
        let mut refusal = None;
        while let Some(name) = access.next_key::<String>()? {
            match access.next_value_seed(ValueSeed)? {
                _ if name.is_empty() => {
                    refusal = refusal.or_else(|| Some((name, Box::new(Fault::validation(EMPTY_NAME)))));
                }
                Ok(value) => _ = item.insert(name, value),
                Err(fault) => refusal = refusal.or(Some((name, fault))),
            }
        }
        Ok(refusal.map_or(Ok(item), Err))
    }
}

/// Reads one value, `{"S": …}`.
struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Result<AttributeValue, Box<Fault>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

const EMPTY_NAME: &str =
    "One or more parameter values were invalid: Attribute name must be between 1 and 65535 characters long";
const EMPTY: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
const SEVERAL: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
const NULL_FALSE: &str =
    "One or more parameter values were invalid: Null attribute value types must have the value of true";

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Result<AttributeValue, Box<Fault>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(kind) = access.next_key::<Kind>()? {
            let value = match kind {
                Kind::S => Ok(AttributeValue::S(access.next_value()?)),
                Kind::N => number(&access.next_value::<String>()?).map(AttributeValue::N),
                Kind::B => access.next_value::<Base64>()?.0.map(AttributeValue::B),
                Kind::Ss => string_set(access.next_value()?),
                Kind::Ns => number_set(&access.next_value::<Vec<String>>()?),
                Kind::Bs => binary_set(access.next_value()?),
                Kind::M => match access.next_value_seed(ItemSeed)? {
                    Ok(map) => Ok(AttributeValue::M(map)),
                    Err((_, fault)) => Err(fault),
                },
                Kind::L => access.next_value_seed(ListSeed)?,
                Kind::Null => match access.next_value::<bool>()? {
                    true => Ok(AttributeValue::Null),
                    false => refused(NULL_FALSE),
                },
                Kind::Bool => Ok(AttributeValue::Bool(access.next_value()?)),
                Kind::Unknown => {
                    access.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            found = Some(if found.is_none() { value } else { refused(SEVERAL) });
        }
        Ok(found.unwrap_or_else(|| refused(EMPTY)))
    }
}

#[derive(Deserialize)]
enum Kind {
    S,
    N,
    B,
    #[serde(rename = "SS")]
    Ss,
    #[serde(rename = "NS")]
    Ns,
    #[serde(rename = "BS")]
    Bs,
    M,
    L,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(other)]
    Unknown,
}

struct ListSeed;

impl<'de> DeserializeSeed<'de> for ListSeed {
    type Value = Result<AttributeValue, Box<Fault>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed {
    type Value = Result<AttributeValue, Box<Fault>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        let mut refusal = None;
        while let Some(value) = access.next_element_seed(ValueSeed)? {
            match value {
                Ok(value) => list.push(value),
                Err(fault) => refusal = refusal.or(Some(fault)),
            }
        }
        Ok(refusal.map_or(Ok(AttributeValue::L(list)), Err))
    }
}

fn number(text: &str) -> Result<Number, Box<Fault>> {
    text.parse().or_else(|error: crate::number::NumberError| refused(error.to_string()))
}

/// Bytes that came as base64; bytes as such from a protocol that has them.
struct Base64(Result<Vec<u8>, Box<Fault>>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base64, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Base64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes in base64")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
                BASE64
                    .decode(text)
                    .map(|bytes| Base64(Ok(bytes)))
                    .map_err(|_| E::custom("bytes are not valid base64"))
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Base64, E> {
                Ok(Base64(Ok(bytes.to_vec())))
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

fn string_set(members: Vec<String>) -> Result<AttributeValue, Box<Fault>> {
    if members.is_empty() {
        return refused("One or more parameter values were invalid: An string set  may not be empty");
    }
    let set: BTreeSet<String> = members.iter().cloned().collect();
    if set.len() < members.len() {
        let all = members.join(", ");
        return refused(format!(
            "One or more parameter values were invalid: Input collection [{all}] contains duplicates."
        ));
    }
    Ok(AttributeValue::Ss(set))
}

fn number_set(members: &[String]) -> Result<AttributeValue, Box<Fault>> {
    if members.is_empty() {
        return refused("One or more parameter values were invalid: An number set  may not be empty");
    }
    let mut set = BTreeSet::new();
    for member in members {
        if !set.insert(number(member)?) {
            return refused("Input collection contains duplicates");
        }
    }
    Ok(AttributeValue::Ns(set))
}

fn binary_set(members: Vec<Base64>) -> Result<AttributeValue, Box<Fault>> {
    if members.is_empty() {
        return refused("One or more parameter values were invalid: Binary sets should not be empty");
    }
    let members = members.into_iter().map(|member| member.0).collect::<Result<Vec<_>, _>>()?;
    let set: BTreeSet<Vec<u8>> = members.iter().cloned().collect();
    if set.len() < members.len() {
        let all = members.iter().map(|member| BASE64.encode(member)).collect::<Vec<_>>().join(", ");
        return refused(format!(
            "One or more parameter values were invalid: Input collection [{all}]of type BS contains duplicates."
        ));
    }
    Ok(AttributeValue::Bs(set))
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let letters = self.kind().letters();
        match self {
            AttributeValue::S(text) => map.serialize_entry(letters, text)?,
            AttributeValue::N(number) => map.serialize_entry(letters, &Shown(number))?,
            AttributeValue::B(bytes) => map.serialize_entry(letters, &BASE64.encode(bytes))?,
            AttributeValue::Ss(set) => map.serialize_entry(letters, set)?,
            AttributeValue::Ns(set) => {
                map.serialize_entry(letters, &set.iter().map(Shown).collect::<Vec<_>>())?
            }
            AttributeValue::Bs(set) => {
                map.serialize_entry(
                    letters,
                    &set.iter().map(|bytes| BASE64.encode(bytes)).collect::<Vec<_>>(),
                )?;
            }
            AttributeValue::M(members) => map.serialize_entry(letters, members)?,
            AttributeValue::L(members) => map.serialize_entry(letters, members)?,
            AttributeValue::Null => map.serialize_entry(letters, &true)?,
            AttributeValue::Bool(value) => map.serialize_entry(letters, value)?,
        }
        map.end()
    }
}

/// A number as a JSON string.
struct Shown<'a>(&'a Number);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl Serialize for GivenValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(value) => value.serialize(serializer),
            Err(fault) => Err(serde::ser::Error::custom(&fault.message)),
        }
    }
}

impl Serialize for ItemForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ItemForm::Parsed(item) => item.serialize(serializer),
            ItemForm::Stored(stored) => stored.serialize(serializer),
            ItemForm::Refused(_, fault) => Err(serde::ser::Error::custom(&fault.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;

    fn accepted(json: &str) -> Result<Item, String> {
        let form: ItemForm =
            serde_json::from_str(json).map_err(|error| format!("no JSON of the shape: {error}"))?;
        form.accept().map_err(|fault| fault.message)
    }

    #[test]
    fn values_come_back_both_ways() {
        let json = concat!(
            r#"{"b":{"B":"AQID"},"bool":{"BOOL":false},"bs":{"BS":["AQ==","Ag=="]},"l":{"L":[{"S":"é\"\n"},{"NULL":true},"#,
            r#"{"L":[]},{"M":{}}]},"m":{"M":{"k":{"N":"-1.5"},"z":{"SS":["a","b"]}}},"n":{"N":"10"},"ns":{"NS":["1","2"]},"#,
            r#""s":{"S":""}}"#
        );
        let item = accepted(json).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), json);
        let stored = stored::encode(&item);
        assert_eq!(stored.decode().unwrap(), item);
        assert_eq!(serde_json::to_string(&ItemForm::Stored(stored.clone())).unwrap(), json);
        assert_eq!(stored.attribute("m").unwrap().as_ref(), item.get("m"));
        assert_eq!(stored.attribute("x").unwrap(), None);
        let tree = serde_json::to_value(ItemForm::Stored(stored)).unwrap();
        assert_eq!(serde_json::from_value::<ItemForm>(tree).unwrap().accept().unwrap(), item);
    }

    #[test]
    fn refusals() {
        let cases = [
            (r#"{"a":{}}"#, EMPTY),
            (r#"{"a":{"S":"x","N":"1"}}"#, SEVERAL),
            (r#"{"a":{"NULL":false}}"#, NULL_FALSE),
            (r#"{"a":{"N":"x"}}"#, "The parameter cannot be converted to a numeric value: x"),
            (
                r#"{"a":{"SS":[]}}"#,
                "One or more parameter values were invalid: An string set  may not be empty",
            ),
            (
                r#"{"a":{"NS":[]}}"#,
                "One or more parameter values were invalid: An number set  may not be empty",
            ),
            (
                r#"{"a":{"BS":[]}}"#,
                "One or more parameter values were invalid: Binary sets should not be empty",
            ),
            (
                r#"{"a":{"SS":["x","y","x"]}}"#,
                "One or more parameter values were invalid: Input collection [x, y, x] contains duplicates.",
            ),
            (r#"{"a":{"NS":["1","1.0"]}}"#, "Input collection contains duplicates"),
            (
                r#"{"a":{"BS":["AQ==","AQ=="]}}"#,
                "One or more parameter values were invalid: Input collection [AQ==, AQ==]of type BS contains duplicates.",
            ),
            (r#"{"a":{"L":[{"N":""}]}}"#, "The parameter cannot be converted to a numeric value"),
            (r#"{"a":{"M":{"b":{"M":{"c":{}}}}}}"#, EMPTY),
            (r#"{"ok":{"S":"x"},"a":{"L":[{"S":"x"},{"NULL":false}]}}"#, NULL_FALSE),
        ];
        for (json, expected) in cases {
            assert_eq!(accepted(json).unwrap_err(), expected, "{json}");
        }
    }

    #[test]
    fn wrong_shapes_do_not_parse() {
        for json in [
            r#"{"a":{"S":1}}"#,
            r#"{"a":{"N":1}}"#,
            r#"{"a":"x"}"#,
            r#"{"a":{"L":{}}}"#,
            r#"{"a":{"B":"%"}}"#,
            "[]",
        ] {
            assert!(accepted(json).unwrap_err().starts_with("no JSON of the shape"), "{json}");
        }
    }

    #[test]
    fn damage_is_a_fault_and_no_panic() {
        let item = accepted(r#"{"l":{"L":[{"S":"x"},{"M":{"k":{"NS":["1"]}}}]},"s":{"S":"y"}}"#).unwrap();
        let whole = stored::encode(&item).as_bytes().to_vec();
        for cut in 0..whole.len() {
            assert!(StoredItem::from_bytes(whole[..cut].to_vec().into()).decode().is_err());
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x80;
            let damaged = StoredItem::from_bytes(bytes.into());
            let _ = (damaged.decode(), serde_json::to_string(&damaged), damaged.attribute("s"));
        }
    }
}
