//! Keys whose byte order is the order of their parts.
//!
//! Text and bytes are escaped and terminated, so that no part is a prefix of another and a key's own prefixes can be
//! scanned; numbers have a fixed width, most significant byte first.

use std::str;

use base::Timestamp;
use bytes::{BufMut, Bytes, BytesMut};

use crate::engine::{KeyRange, Version};
use crate::log::Position;

/// Stands for a zero byte of text, behind that zero byte.
const ESCAPED: u8 = 0xFF;
/// Ends text, behind a zero byte. Lower than [`ESCAPED`], so that the shorter text sorts first.
const END: u8 = 0x01;

/// Writes the parts of a key one behind the other.
#[derive(Clone, Debug, Default)]
pub struct KeyWriter(BytesMut);

impl KeyWriter {
    /// An empty key.
    pub fn new() -> KeyWriter {
        KeyWriter(BytesMut::with_capacity(64))
    }

    /// A key that starts with `prefix` as it is.
    pub fn after(prefix: &[u8]) -> KeyWriter {
        let mut key = BytesMut::with_capacity(prefix.len() + 64);
        key.put_slice(prefix);
        KeyWriter(key)
    }

    /// The same key, one part longer.
    #[must_use]
    pub fn with<P: KeyPart + ?Sized>(mut self, part: &P) -> KeyWriter {
        part.write_to(&mut self);
        self
    }

    /// Appends one part.
    pub fn push<P: KeyPart + ?Sized>(&mut self, part: &P) {
        part.write_to(self);
    }

    /// Appends bytes as they are: neither escaped nor terminated.
    pub fn push_raw(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }

    /// The key.
    pub fn finish(self) -> Bytes {
        // Keys live long and are many: no room to spare.
        Bytes::copy_from_slice(&self.0)
    }

    fn push_escaped(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|b| *b == 0);
        if let Some(first) = pieces.next() {
            self.0.put_slice(first);
        }
        for piece in pieces {
            self.0.put_slice(&[0, ESCAPED]);
            self.0.put_slice(piece);
        }
        self.0.put_slice(&[0, END]);
    }
}

/// Why a key is not of the shape that its reader expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It ends within a part.
    #[error("a key ends within a part")]
    Short,
    /// Text that no writer wrote.
    #[error("a key holds malformed text")]
    Malformed,
    /// It goes on behind its last part.
    #[error("a key goes on behind its last part")]
    Long,
}

/// Reads the parts of a key one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    /// From the first part on.
    pub fn new(key: &'a [u8]) -> KeyReader<'a> {
        KeyReader(key)
    }

    /// The next part.
    pub fn read<P: FromKey>(&mut self) -> Result<P, KeyError> {
        P::read_from(self)
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// That nothing is left.
    pub fn finish(self) -> Result<(), KeyError> {
        if self.0.is_empty() { Ok(()) } else { Err(KeyError::Long) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(KeyError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn escaped(&mut self) -> Result<Vec<u8>, KeyError> {
        let mut bytes = Vec::new();
        loop {
            let zero = self.0.iter().position(|b| *b == 0).ok_or(KeyError::Short)?;
            bytes.extend_from_slice(&self.0[..zero]);
            let mark = *self.0.get(zero + 1).ok_or(KeyError::Short)?;
            self.0 = &self.0[zero + 2..];
            match mark {
                END => return Ok(bytes),
                ESCAPED => bytes.push(0),
                _ => return Err(KeyError::Malformed),
            }
        }
    }
}

/// A value that can stand in a key.
pub trait KeyPart {
    /// Appends its bytes, whose order is its own.
    fn write_to(&self, key: &mut KeyWriter);
}

/// A value that can be read back from a key.
pub trait FromKey: Sized {
    /// Takes its bytes.
    fn read_from(key: &mut KeyReader<'_>) -> Result<Self, KeyError>;
}

impl<P: KeyPart + ?Sized> KeyPart for &P {
    fn write_to(&self, key: &mut KeyWriter) {
        (**self).write_to(key);
    }
}

impl KeyPart for str {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_escaped(self.as_bytes());
    }
}

impl KeyPart for String {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_escaped(self.as_bytes());
    }
}

impl FromKey for String {
    fn read_from(key: &mut KeyReader<'_>) -> Result<String, KeyError> {
        String::from_utf8(key.escaped()?).map_err(|_| KeyError::Malformed)
    }
}

impl KeyPart for [u8] {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_escaped(self);
    }
}

impl KeyPart for Vec<u8> {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_escaped(self);
    }
}

impl FromKey for Vec<u8> {
    fn read_from(key: &mut KeyReader<'_>) -> Result<Vec<u8>, KeyError> {
        key.escaped()
    }
}

impl KeyPart for Bytes {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_escaped(self);
    }
}

impl FromKey for Bytes {
    fn read_from(key: &mut KeyReader<'_>) -> Result<Bytes, KeyError> {
        key.escaped().map(Bytes::from)
    }
}

macro_rules! big_endian {
    ($($number:ty),*) => {$(
        impl KeyPart for $number {
            fn write_to(&self, key: &mut KeyWriter) {
                key.push_raw(&self.to_be_bytes());
            }
        }

        impl FromKey for $number {
            fn read_from(key: &mut KeyReader<'_>) -> Result<$number, KeyError> {
                key.take().map(<$number>::from_be_bytes)
            }
        }
    )*};
}

big_endian!(u8, u16, u32, u64, u128);

impl KeyPart for i64 {
    fn write_to(&self, key: &mut KeyWriter) {
        // With the sign flipped, negative numbers sort in front of the others.
        key.push(&(self.cast_unsigned() ^ (1 << 63)));
    }
}

impl FromKey for i64 {
    fn read_from(key: &mut KeyReader<'_>) -> Result<i64, KeyError> {
        key.read::<u64>().map(|n| (n ^ (1 << 63)).cast_signed())
    }
}

impl KeyPart for Timestamp {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push(&self.as_millis());
    }
}

impl FromKey for Timestamp {
    fn read_from(key: &mut KeyReader<'_>) -> Result<Timestamp, KeyError> {
        key.read().map(Timestamp::from_millis)
    }
}

impl KeyPart for bool {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push(&u8::from(*self));
    }
}

impl FromKey for bool {
    fn read_from(key: &mut KeyReader<'_>) -> Result<bool, KeyError> {
        match key.read::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(KeyError::Malformed),
        }
    }
}

impl KeyPart for [u8; 16] {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_raw(self);
    }
}

impl FromKey for [u8; 16] {
    fn read_from(key: &mut KeyReader<'_>) -> Result<[u8; 16], KeyError> {
        key.take()
    }
}

impl KeyPart for uuid::Uuid {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_raw(self.as_bytes());
    }
}

impl FromKey for uuid::Uuid {
    fn read_from(key: &mut KeyReader<'_>) -> Result<uuid::Uuid, KeyError> {
        key.take().map(uuid::Uuid::from_bytes)
    }
}

impl KeyPart for Version {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push(&self.0);
    }
}

impl FromKey for Version {
    fn read_from(key: &mut KeyReader<'_>) -> Result<Version, KeyError> {
        key.read().map(Version)
    }
}

impl KeyPart for Position {
    fn write_to(&self, key: &mut KeyWriter) {
        key.push_raw(&self.to_bytes());
    }
}

impl FromKey for Position {
    fn read_from(key: &mut KeyReader<'_>) -> Result<Position, KeyError> {
        key.take().map(Position::from_bytes)
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+);)*) => {$(
        impl<$($name: KeyPart),+> KeyPart for ($($name,)+) {
            fn write_to(&self, key: &mut KeyWriter) {
                $(key.push(&self.$index);)+
            }
        }

        impl<$($name: FromKey),+> FromKey for ($($name,)+) {
            fn read_from(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
                Ok(($(key.read::<$name>()?,)+))
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
}

impl KeyRange {
    /// All keys that start with `prefix`; all keys at all if it is empty.
    pub fn prefix(prefix: impl Into<Bytes>) -> KeyRange {
        let start = prefix.into();
        let end = successor(&start).unwrap_or_default();
        KeyRange { start, end }
    }
}

/// The first key behind all that start with `prefix`; `None` if there is none such.
pub fn successor(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|b| *b != u8::MAX)?;
    let mut end = BytesMut::from(&prefix[..=last]);
    end[last] += 1;
    Some(end.freeze())
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn bytes_of<P: KeyPart>(part: &P) -> Bytes {
        KeyWriter::new().with(part).finish()
    }

    fn keeps_order<P: KeyPart + FromKey + Ord + Debug>(a: &P, b: &P) {
        let (x, y) = (bytes_of(a), bytes_of(b));
        assert_eq!(a.cmp(b), x.cmp(&y), "{a:?} and {b:?}");
        assert!(a == b || !y.starts_with(&x), "{a:?} is a prefix of {b:?}");
        let mut reader = KeyReader::new(&x);
        assert_eq!(&reader.read::<P>().unwrap(), a);
        assert_eq!(reader.finish(), Ok(()));
    }

    fn few_bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0), Just(1), Just(0xFE), Just(0xFF), any::<u8>()], 0..6)
    }

    proptest! {
        #[test]
        fn bytes_keep_their_order(a in few_bytes(), b in few_bytes()) {
            keeps_order(&a, &b);
        }

        #[test]
        fn text_keeps_its_order(a in "[\\x00-\\x02a-cä]{0,5}", b in "[\\x00-\\x02a-cä]{0,5}") {
            keeps_order(&a, &b);
        }

        #[test]
        fn numbers_keep_their_order(a in any::<(i64, u64, u32, u16)>(), b in any::<(i64, u64, u32, u16)>()) {
            keeps_order(&a.0, &b.0);
            keeps_order(&(a.1, a.2), &(b.1, b.2));
            keeps_order(&(a.3, a.0), &(b.3, b.0));
        }

        #[test]
        fn rows_keep_the_order_of_their_parts(
            a in (few_bytes(), any::<i64>(), any::<bool>(), "[a-b\\x00]{0,3}"),
            b in (few_bytes(), any::<i64>(), any::<bool>(), "[a-b\\x00]{0,3}"),
        ) {
            keeps_order(&a, &b);
        }

        #[test]
        fn ids_and_positions_keep_their_order(a in any::<(u128, [u8; 16], u64, u16)>(), b in any::<(u128, [u8; 16], u64, u16)>()) {
            keeps_order(&a.0, &b.0);
            keeps_order(&a.1, &b.1);
            let position = |p: (u128, [u8; 16], u64, u16)| Position { version: Version(p.2), index: p.3 };
            keeps_order(&position(a), &position(b));
            keeps_order(&Timestamp::from_millis(a.2.cast_signed()), &Timestamp::from_millis(b.2.cast_signed()));
        }

        #[test]
        fn a_prefix_ranges_over_what_starts_with_it(prefix in few_bytes(), key in few_bytes()) {
            let range = KeyRange::prefix(prefix.clone());
            let within = *range.start <= *key && (range.end.is_empty() || *key < *range.end);
            prop_assert_eq!(within, key.starts_with(&prefix));
        }
    }

    #[test]
    fn what_no_writer_wrote_is_refused() {
        assert_eq!(KeyReader::new(b"abc").read::<String>(), Err(KeyError::Short));
        assert_eq!(KeyReader::new(b"abc\0").read::<String>(), Err(KeyError::Short));
        assert_eq!(KeyReader::new(b"abc\0\x07").read::<String>(), Err(KeyError::Malformed));
        assert_eq!(KeyReader::new(b"\xC3\0\x01").read::<String>(), Err(KeyError::Malformed));
        assert_eq!(KeyReader::new(b"\x02").read::<bool>(), Err(KeyError::Malformed));
        assert_eq!(KeyReader::new(b"1234567").read::<u64>(), Err(KeyError::Short));
        assert_eq!(KeyReader::new(b"1").finish(), Err(KeyError::Long));
    }
}
