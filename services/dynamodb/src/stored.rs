//! Items as rows keep them: compact, read without taking apart, turned to JSON in one pass.
//!
//! An item is `count, (name, value)…`; a value is a letter and its content. Counts and lengths are LEB128, except that maps
//! and lists carry their length in bytes as four bytes, little-endian, so that a reader can skip them.
//! Knows nothing of tables, keys or transactions.

use std::collections::BTreeSet;

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::number::Number;
use crate::value::{AttributeValue, Item};

/// An item in its stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem(Bytes);

impl StoredItem {
    /// From bytes that [`encode`] wrote; damage shows when they are read.
    pub fn from_bytes(bytes: Bytes) -> StoredItem {
        StoredItem(bytes)
    }

    /// The bytes of a row.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes the item apart. Fails only if the bytes were not written by [`encode`].
    pub fn decode(&self) -> Result<Item, Fault> {
        let mut reader = Reader(&self.0);
        read_item(&mut reader, 0).ok_or_else(damaged)
    }

    /// One attribute, without taking the others apart.
    pub fn attribute(&self, name: &str) -> Result<Option<AttributeValue>, Fault> {
        find(&self.0, name).ok_or_else(damaged)
    }
}

fn damaged() -> Fault {
    Fault::internal("a stored item is damaged")
}

fn find(bytes: &[u8], name: &str) -> Option<Option<AttributeValue>> {
    let mut reader = Reader(bytes);
    for _ in 0..reader.count()? {
        let here = reader.text()?;
        if here == name {
            return read_value(&mut reader, 0).map(Some);
        }
        skip_value(&mut reader)?;
    }
    Some(None)
}

/// Writes an item.
pub fn encode(item: &Item) -> StoredItem {
    let mut out = Vec::with_capacity(256);
    write_item(item, &mut out);
    StoredItem(Bytes::from(out))
}

/// Writes an item behind what `out` already holds.
pub fn write_item(item: &Item, out: &mut Vec<u8>) {
    write_count(item.len(), out);
    for (name, value) in item {
        write_bytes(name.as_bytes(), out);
        write_value(value, out);
    }
}

mod letter {
    pub(super) const S: u8 = b'S';
    pub(super) const N: u8 = b'N';
    pub(super) const B: u8 = b'B';
    pub(super) const SS: u8 = b's';
    pub(super) const NS: u8 = b'n';
    pub(super) const BS: u8 = b'b';
    pub(super) const M: u8 = b'M';
    pub(super) const L: u8 = b'L';
    pub(super) const NULL: u8 = b'0';
    pub(super) const TRUE: u8 = b'T';
    pub(super) const FALSE: u8 = b'F';
}

fn write_value(value: &AttributeValue, out: &mut Vec<u8>) {
    match value {
        AttributeValue::S(text) => {
            out.push(letter::S);
            write_bytes(text.as_bytes(), out);
        }
        AttributeValue::N(number) => {
            out.push(letter::N);
            write_bytes(number.to_string().as_bytes(), out);
        }
        AttributeValue::B(bytes) => {
            out.push(letter::B);
            write_bytes(bytes, out);
        }
        AttributeValue::Ss(set) => write_set(letter::SS, set.iter().map(String::as_bytes), set.len(), out),
        AttributeValue::Ns(set) => {
            let texts: Vec<String> = set.iter().map(Number::to_string).collect();
            write_set(letter::NS, texts.iter().map(String::as_bytes), texts.len(), out);
        }
        AttributeValue::Bs(set) => write_set(letter::BS, set.iter().map(Vec::as_slice), set.len(), out),
        AttributeValue::M(map) => write_sized(letter::M, out, |out| write_item(map, out)),
        AttributeValue::L(list) => write_sized(letter::L, out, |out| {
            write_count(list.len(), out);
            list.iter().for_each(|value| write_value(value, out));
        }),
        AttributeValue::Null => out.push(letter::NULL),
        AttributeValue::Bool(true) => out.push(letter::TRUE),
        AttributeValue::Bool(false) => out.push(letter::FALSE),
    }
}

fn write_set<'a>(letter: u8, members: impl Iterator<Item = &'a [u8]>, count: usize, out: &mut Vec<u8>) {
    write_sized(letter, out, |out| {
        write_count(count, out);
        members.for_each(|member| write_bytes(member, out));
    });
}

fn write_sized(letter: u8, out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(letter);
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out);
    // An item is below 16 MB long before it gets here, so four bytes hold every length.
    let length = (out.len() - length_at - 4) as u32;
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn write_count(mut count: usize, out: &mut Vec<u8>) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

/// What is still to be read. Every reading answers `None` where the bytes are not as written.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        let mut count = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            count |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(count);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn sized(&mut self) -> Option<Reader<'a>> {
        let length = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        self.take(length as usize).map(Reader)
    }

    fn number(&mut self) -> Option<Number> {
        self.text()?.parse().ok()
    }
}

/// Stops readers of damaged bytes; twice what a request can build.
const DEPTH_MAX: usize = 128;

fn read_item(reader: &mut Reader<'_>, depth: usize) -> Option<Item> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut item = Item::new();
    for _ in 0..reader.count()? {
        let name = reader.text()?.to_owned();
        item.insert(name, read_value(reader, depth)?);
    }
    Some(item)
}

fn read_value(reader: &mut Reader<'_>, depth: usize) -> Option<AttributeValue> {
    Some(match reader.byte()? {
        letter::S => AttributeValue::S(reader.text()?.to_owned()),
        letter::N => AttributeValue::N(reader.number()?),
        letter::B => AttributeValue::B(reader.bytes()?.to_vec()),
        letter::SS => AttributeValue::Ss(read_set(reader, |r| r.text().map(str::to_owned))?),
        letter::NS => AttributeValue::Ns(read_set(reader, Reader::number)?),
        letter::BS => AttributeValue::Bs(read_set(reader, |r| r.bytes().map(<[u8]>::to_vec))?),
        letter::M => AttributeValue::M(read_item(&mut reader.sized()?, depth + 1)?),
        letter::L => {
            if depth > DEPTH_MAX {
                return None;
            }
            let mut inner = reader.sized()?;
            let count = inner.count()?;
            AttributeValue::L((0..count).map(|_| read_value(&mut inner, depth + 1)).collect::<Option<_>>()?)
        }
        letter::NULL => AttributeValue::Null,
        letter::TRUE => AttributeValue::Bool(true),
        letter::FALSE => AttributeValue::Bool(false),
        _ => return None,
    })
}

fn read_set<'a, T: Ord>(
    reader: &mut Reader<'a>,
    member: impl Fn(&mut Reader<'a>) -> Option<T>,
) -> Option<BTreeSet<T>> {
    let mut inner = reader.sized()?;
    (0..inner.count()?).map(|_| member(&mut inner)).collect()
}

fn skip_value(reader: &mut Reader<'_>) -> Option<()> {
    match reader.byte()? {
        letter::S | letter::N | letter::B => reader.bytes().map(drop),
        letter::SS | letter::NS | letter::BS | letter::M | letter::L => reader.sized().map(drop),
        letter::NULL | letter::TRUE | letter::FALSE => Some(()),
        _ => None,
    }
}

impl Serialize for StoredItem {
    /// awsJson, straight from the bytes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Rest(self.0.as_ref()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoredItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StoredItem, D::Error> {
        let form = crate::border::ItemForm::deserialize(deserializer)?;
        let item = form.accept().map_err(|fault| serde::de::Error::custom(fault.message))?;
        Ok(encode(&item))
    }
}

/// The content of a map, not yet read.
struct Rest<'a>(&'a [u8]);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let damaged = || S::Error::custom("a stored item is damaged");
        let mut reader = Reader(self.0);
        let count = reader.count().ok_or_else(damaged)?;
        let mut map = serializer.serialize_map(Some(count))?;
        for _ in 0..count {
            let name = reader.text().ok_or_else(damaged)?;
            let before = reader.0;
            skip_value(&mut reader).ok_or_else(damaged)?;
            map.serialize_entry(name, &RawValue(&before[..before.len() - reader.0.len()]))?;
        }
        map.end()
    }
}

/// One value, letter and content, not yet read.
struct RawValue<'a>(&'a [u8]);

impl Serialize for RawValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        self.entry(&mut map).unwrap_or_else(|| Err(S::Error::custom("a stored item is damaged")))?;
        map.end()
    }
}

impl RawValue<'_> {
    /// `None` where the bytes are damaged.
    fn entry<M: SerializeMap>(&self, map: &mut M) -> Option<Result<(), M::Error>> {
        let mut reader = Reader(self.0);
        Some(match reader.byte()? {
            letter::S => map.serialize_entry("S", reader.text()?),
            letter::N => map.serialize_entry("N", reader.text()?),
            letter::B => map.serialize_entry("B", &BASE64.encode(reader.bytes()?)),
            letter::SS => map.serialize_entry("SS", &RawList(reader.sized()?.0, Member::Text)),
            letter::NS => map.serialize_entry("NS", &RawList(reader.sized()?.0, Member::Text)),
            letter::BS => map.serialize_entry("BS", &RawList(reader.sized()?.0, Member::Bytes)),
            letter::M => map.serialize_entry("M", &Rest(reader.sized()?.0)),
            letter::L => map.serialize_entry("L", &RawList(reader.sized()?.0, Member::Value)),
            letter::NULL => map.serialize_entry("NULL", &true),
            letter::TRUE => map.serialize_entry("BOOL", &true),
            letter::FALSE => map.serialize_entry("BOOL", &false),
            _ => return None,
        })
    }
}

#[derive(Clone, Copy)]
enum Member {
    Text,
    Bytes,
    Value,
}

/// The content of a list or set, not yet read.
struct RawList<'a>(&'a [u8], Member);

impl Serialize for RawList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let damaged = || S::Error::custom("a stored item is damaged");
        let mut reader = Reader(self.0);
        let count = reader.count().ok_or_else(damaged)?;
        let mut list = serializer.serialize_seq(Some(count))?;
        for _ in 0..count {
            match self.1 {
                Member::Text => list.serialize_element(reader.text().ok_or_else(damaged)?)?,
                Member::Bytes => {
                    list.serialize_element(&BASE64.encode(reader.bytes().ok_or_else(damaged)?))?
                }
                Member::Value => {
                    let before = reader.0;
                    skip_value(&mut reader).ok_or_else(damaged)?;
                    list.serialize_element(&RawValue(&before[..before.len() - reader.0.len()]))?;
                }
            }
        }
        list.end()
    }
}
