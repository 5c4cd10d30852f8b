//! Walking over JSON text byte by byte, checking everything and allocating nothing.

use crate::error::InvalidEvent;
use crate::limits::DEPTH_MAX;

/// A place in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(crate) pos: usize,
}

/// Where a string's content stands, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Marks (in the top bit of each byte, the lowest mark being exact) quotes, backslashes and control characters.
#[inline]
fn string_stops(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    (zeros(quotes) | zeros(backslashes) | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS
}

/// Marks the bytes that are no decimal digits.
#[inline]
fn no_digits(word: u64) -> u64 {
    let offsets = word ^ (ONES * b'0' as u64);
    (((offsets & !TOPS) + ONES * 0x76) | offsets) & TOPS
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), pos: 0 }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    #[cold]
    pub(crate) fn error(&self, reason: &'static str) -> InvalidEvent {
        InvalidEvent { reason, offset: self.pos }
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.pos += 1;
        }
    }

    #[inline]
    fn word(&self) -> Option<u64> {
        let bytes = self.bytes.get(self.pos..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*bytes))
    }

    /// Reads a string from its opening quote to behind its closing one. On an error, the offset is that of the
    /// offending character or escape.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Raw, InvalidEvent> {
        self.pos += 1;
        let start = self.pos;
        let mut escaped = false;
        loop {
            match self.string_stop()? {
                b'"' => {
                    let end = self.pos;
                    self.pos += 1;
                    return Ok(Raw { start, end, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.error("control character in a string")),
            }
        }
    }

    /// Goes to the next quote, backslash or control character.
    #[inline]
    fn string_stop(&mut self) -> Result<u8, InvalidEvent> {
        while let Some(word) = self.word() {
            let stops = string_stops(word);
            if stops != 0 {
                let at = stops.trailing_zeros() / 8;
                self.pos += at as usize;
                return Ok((word >> (at * 8)) as u8);
            }
            self.pos += 8;
        }
        while let Some(byte) = self.peek() {
            if byte == b'"' || byte == b'\\' || byte < 0x20 {
                return Ok(byte);
            }
            self.pos += 1;
        }
        Err(self.error("unterminated string"))
    }

    fn escape(&mut self) -> Result<(), InvalidEvent> {
        match self.bytes.get(self.pos + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.pos + 2..self.pos + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.error("escape without four hexadecimal digits"));
                }
                self.pos += 6;
            }
            _ => return Err(self.error("unknown escape")),
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), InvalidEvent> {
        let start = self.pos;
        loop {
            let Some(word) = self.word() else {
                while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    self.pos += 1;
                }
                break;
            };
            let stops = no_digits(word);
            if stops != 0 {
                self.pos += (stops.trailing_zeros() / 8) as usize;
                break;
            }
            self.pos += 8;
        }
        if self.pos == start { Err(self.error("digit expected")) } else { Ok(()) }
    }

    /// Reads a number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<(), InvalidEvent> {
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        if self.peek() == Some(b'0') {
            self.pos += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.error("leading zero in a number"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    pub(crate) fn literal(&mut self, literal: &[u8]) -> Result<(), InvalidEvent> {
        if !self.bytes[self.pos..].starts_with(literal) {
            return Err(self.error("value expected"));
        }
        self.pos += literal.len();
        Ok(())
    }

    /// Goes over one value of any kind, whose nesting begins at `depth`.
    pub(crate) fn skip_value(&mut self, depth: usize) -> Result<(), InvalidEvent> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.skip_object(depth),
            Some(b'[') => self.skip_array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(self.error("value expected")),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), InvalidEvent> {
        let mut more = self.open(b'}', depth)?;
        while more {
            self.key()?;
            self.skip_value(depth + 1)?;
            more = self.separator(b'}')?;
        }
        Ok(())
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), InvalidEvent> {
        let mut more = self.open(b']', depth)?;
        while more {
            self.skip_value(depth + 1)?;
            more = self.separator(b']')?;
        }
        Ok(())
    }

    /// Steps into an object or array that ends with `close`. Returns whether something stands in it.
    #[inline]
    pub(crate) fn open(&mut self, close: u8, depth: usize) -> Result<bool, InvalidEvent> {
        if depth >= DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        self.pos += 1;
        self.skip_space();
        if self.peek() == Some(close) {
            self.pos += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads a key and its colon.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Raw, InvalidEvent> {
        if self.peek() != Some(b'"') {
            return Err(self.error("key expected"));
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.error("colon expected"));
        }
        self.pos += 1;
        self.skip_space();
        Ok(key)
    }

    /// Reads what stands behind a value: a comma (`true`) or `close` (`false`).
    #[inline]
    pub(crate) fn separator(&mut self, close: u8) -> Result<bool, InvalidEvent> {
        self.skip_space();
        let byte = self.peek();
        if byte == Some(b',') {
            self.pos += 1;
            self.skip_space();
            Ok(true)
        } else if byte == Some(close) {
            self.pos += 1;
            Ok(false)
        } else {
            Err(self.error("comma or end expected"))
        }
    }
}

/// Appends to `text` what the checked content `raw` of a string stands for. Half a surrogate pair becomes U+FFFD.
pub(crate) fn decode(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let mut unit = take_unit(&mut rest);
                if (0xd800..0xdc00).contains(&unit) && rest.starts_with("\\u") {
                    let mut ahead = &rest[2..];
                    let low = take_unit(&mut ahead);
                    if (0xdc00..0xe000).contains(&low) {
                        rest = ahead;
                        unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    }
                }
                text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(char::from(other)),
        }
    }
    text.push_str(rest);
}

fn take_unit(rest: &mut &str) -> u32 {
    let digits = rest.get(..4).unwrap_or_default();
    let unit = u32::from_str_radix(digits, 16).unwrap_or(0xfffd);
    *rest = rest.get(4..).unwrap_or_default();
    unit
}

#[cfg(test)]
mod tests {
    use super::{Cursor, decode};

    fn check(text: &str) -> bool {
        let mut cursor = Cursor::new(text);
        cursor.skip_value(0).is_ok() && cursor.pos == text.len()
    }

    #[test]
    fn well_formed() {
        for text in [
            "0",
            "-0.5e-10",
            "123456789012345678901234567890",
            "[]",
            "{}",
            "[ 1 , [ ] , { } ]",
            r#"{"a":{"b":[true,false,null]},"":""}"#,
            r#""\u00e9\"\\\/\b\f\n\r\t""#,
            r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé""#,
        ] {
            assert!(check(text), "{text}");
        }
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "01",
            "-",
            "1.",
            "1e",
            ".5",
            "+1",
            "tru",
            "nul",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "{",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"\n\"",
            "\"\\",
            "NaN",
            "'a'",
            "]",
            "}",
        ] {
            assert!(!check(text), "{text}");
        }
        assert!(check(&("[".repeat(1000) + &"]".repeat(1000))));
        assert!(!check(&("[".repeat(1001) + &"]".repeat(1001))));
    }

    #[test]
    fn escapes() {
        for (raw, text) in [
            (r"a\u0041\n\/", "aA\n/"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ude00x", "\u{fffd}x"),
        ] {
            let mut decoded = String::new();
            decode(raw, &mut decoded);
            assert_eq!(decoded, text, "{raw}");
        }
    }
}
