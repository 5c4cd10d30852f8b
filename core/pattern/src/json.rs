//! Walking over JSON text byte by byte, checking everything and allocating nothing.
//!
//! The functions take a place in the text and return the place behind what they read, so that it stays in a register.

use crate::error::InvalidEvent;
use crate::limits::DEPTH_MAX;

/// The text is no JSON: why, and where. In one word, so that results are returned in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(usize);

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Unterminated,
    Control,
    Escape,
    HexDigits,
    Digit,
    LeadingZero,
    Value,
    Key,
    Colon,
    Separator,
    Object,
    Behind,
    Depth,
}

const REASONS: [&str; 13] = [
    "unterminated string",
    "control character in a string",
    "unknown escape",
    "escape without four hexadecimal digits",
    "digit expected",
    "leading zero in a number",
    "value expected",
    "key expected",
    "colon expected",
    "comma or end expected",
    "object expected",
    "text behind the object",
    "nested too deeply",
];

pub(crate) type Step<T = usize> = Result<T, Malformed>;

impl Malformed {
    #[cold]
    pub(crate) fn at<T>(pos: usize, reason: Reason) -> Step<T> {
        Err(Self(pos << 4 | reason as usize))
    }

    pub(crate) fn offset(self) -> usize {
        self.0 >> 4
    }

    pub(crate) fn reason(self) -> &'static str {
        REASONS.get(self.0 & 0xf).copied().unwrap_or_default()
    }
}

impl From<Malformed> for InvalidEvent {
    fn from(malformed: Malformed) -> Self {
        Self { reason: malformed.reason(), offset: malformed.offset() }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Marks (in the top bit of each byte, the lowest mark being exact) quotes, backslashes and control characters.
#[inline(always)]
fn string_stops(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    (zeros(quotes) | zeros(backslashes) | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS
}

/// Marks (in the top bit of each byte) the bytes that are no decimal digits.
#[inline(always)]
fn no_digits(word: u64) -> u64 {
    let offsets = word ^ (ONES * b'0' as u64);
    (((offsets & !TOPS) + ONES * 0x76) | offsets) & TOPS
}

/// The byte at a place; 0, which nothing begins with, behind the end.
#[inline(always)]
pub(crate) fn at(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or(0)
}

#[inline(always)]
fn word(text: &[u8], pos: usize) -> Option<u64> {
    text.get(pos..)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Goes over white space.
#[inline(always)]
pub(crate) fn space(text: &[u8], pos: usize) -> usize {
    if at(text, pos) > b' ' { pos } else { more_space(text, pos) }
}

#[inline(never)]
fn more_space(text: &[u8], mut pos: usize) -> usize {
    while let b' ' | b'\n' | b'\r' | b'\t' = at(text, pos) {
        pos += 1;
    }
    pos
}

/// Reads a string from behind its opening quote. Returns where its closing quote stands, and whether there are escapes
/// in it. On an error, the place is that of the offending character or escape.
#[inline(always)]
pub(crate) fn string(text: &[u8], mut pos: usize) -> Step<(usize, bool)> {
    while let Some(word) = word(text, pos) {
        let stops = string_stops(word);
        if stops != 0 {
            let shift = stops.trailing_zeros() & 0x38;
            pos += (shift / 8) as usize;
            if (word >> shift) as u8 == b'"' {
                return Ok((pos, false));
            }
            break;
        }
        pos += 8;
    }
    rest_of_string(text, pos)
}

#[inline(never)]
fn rest_of_string(text: &[u8], mut pos: usize) -> Step<(usize, bool)> {
    let mut escaped = false;
    loop {
        match text.get(pos) {
            None => return Malformed::at(pos, Reason::Unterminated),
            Some(b'"') => return Ok((pos, escaped)),
            Some(b'\\') => {
                escaped = true;
                pos = escape(text, pos)?;
            }
            Some(0..0x20) => return Malformed::at(pos, Reason::Control),
            Some(_) => pos += 1,
        }
    }
}

fn escape(text: &[u8], pos: usize) -> Step {
    match at(text, pos + 1) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(pos + 2),
        b'u' => {
            let digits = text.get(pos + 2..pos + 6);
            if digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                Ok(pos + 6)
            } else {
                Malformed::at(pos, Reason::HexDigits)
            }
        }
        _ => Malformed::at(pos, Reason::Escape),
    }
}

#[inline(always)]
fn digits(text: &[u8], start: usize) -> Step {
    let mut pos = start;
    while let Some(word) = word(text, pos) {
        let stops = no_digits(word);
        if stops != 0 {
            pos += (stops.trailing_zeros() / 8) as usize;
            return if pos == start { Malformed::at(pos, Reason::Digit) } else { Ok(pos) };
        }
        pos += 8;
    }
    while at(text, pos).is_ascii_digit() {
        pos += 1;
    }
    if pos == start { Malformed::at(pos, Reason::Digit) } else { Ok(pos) }
}

/// Reads a number.
#[inline(always)]
pub(crate) fn number(text: &[u8], pos: usize) -> Step {
    let start = pos + usize::from(at(text, pos) == b'-');
    let mut pos = digits(text, start)?;
    if at(text, start) == b'0' && pos > start + 1 {
        return Malformed::at(start + 1, Reason::LeadingZero);
    }
    if at(text, pos) == b'.' {
        pos = digits(text, pos + 1)?;
    }
    if at(text, pos) | 0x20 == b'e' { exponent(text, pos + 1) } else { Ok(pos) }
}

#[inline(never)]
fn exponent(text: &[u8], pos: usize) -> Step {
    digits(text, pos + usize::from(matches!(at(text, pos), b'+' | b'-')))
}

/// Reads `true`, `false` or `null`.
#[inline(never)]
pub(crate) fn literal(text: &[u8], pos: usize) -> Step {
    let rest = text.get(pos..).unwrap_or_default();
    let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
    match literals.iter().find(|literal| rest.starts_with(literal)) {
        Some(literal) => Ok(pos + literal.len()),
        None => Malformed::at(pos, Reason::Value),
    }
}

/// Where a string's content stands, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

/// Reads a key, its colon and the white space behind it.
#[inline(always)]
pub(crate) fn key(text: &[u8], pos: usize) -> Step<(Raw, usize)> {
    if at(text, pos) != b'"' {
        return Malformed::at(pos, Reason::Key);
    }
    let (end, escaped) = string(text, pos + 1)?;
    let colon = space(text, end + 1);
    if at(text, colon) != b':' {
        return Malformed::at(colon, Reason::Colon);
    }
    Ok((Raw { start: pos + 1, end, escaped }, space(text, colon + 1)))
}

/// Goes over a key, its colon and the white space behind it.
#[inline(always)]
fn skip_key(text: &[u8], pos: usize) -> Step {
    if at(text, pos) != b'"' {
        return Malformed::at(pos, Reason::Key);
    }
    let end = string(text, pos + 1)?.0 + 1;
    let colon = if at(text, end) == b':' { end } else { more_space(text, end) };
    if at(text, colon) != b':' {
        return Malformed::at(colon, Reason::Colon);
    }
    Ok(space(text, colon + 1))
}

/// Goes over one value of any kind, whose nesting begins at `depth`.
#[inline(always)]
pub(crate) fn skip_value(text: &[u8], pos: usize, depth: usize) -> Step {
    if at(text, pos) == b'"' {
        string(text, pos + 1).map(|(end, _)| end + 1)
    } else {
        skip_other(text, pos, depth)
    }
}

/// Goes over one value that is no string.
fn skip_other(text: &[u8], pos: usize, depth: usize) -> Step {
    match at(text, pos) {
        b'-' | b'0'..=b'9' => number(text, pos),
        b'{' | b'[' => skip_nested(text, pos, depth),
        _ => literal(text, pos),
    }
}

/// Goes over an object or array and all that is in it.
fn skip_nested(text: &[u8], mut pos: usize, depth: usize) -> Step {
    // One bit for each level: whether it is an object.
    let mut objects = [0u64; DEPTH_MAX.div_ceil(64)];
    let mut level = depth;
    let mut in_object = false;
    'value: loop {
        let first = at(text, pos);
        if first == b'"' {
            pos = string(text, pos + 1)?.0 + 1;
        } else if first == b'-' || first.is_ascii_digit() {
            pos = number(text, pos)?;
        } else if first == b'{' || first == b'[' {
            if level >= DEPTH_MAX {
                return Malformed::at(pos, Reason::Depth);
            }
            let slot = &mut objects[level / 64];
            *slot = *slot & !(1 << (level % 64)) | u64::from(in_object) << (level % 64);
            level += 1;
            in_object = first == b'{';
            pos = space(text, pos + 1);
            // The closing bracket is two behind the opening one.
            if at(text, pos) != first + 2 {
                if in_object {
                    pos = skip_key(text, pos)?;
                }
                continue 'value;
            }
        } else {
            pos = literal(text, pos)?;
        }
        loop {
            pos = space(text, pos);
            let next = at(text, pos);
            if next == b',' {
                pos = space(text, pos + 1);
                if in_object {
                    pos = skip_key(text, pos)?;
                }
                continue 'value;
            }
            if next != (if in_object { b'}' } else { b']' }) {
                return Malformed::at(pos, Reason::Separator);
            }
            pos += 1;
            level -= 1;
            if level == depth {
                return Ok(pos);
            }
            in_object = objects[level / 64] >> (level % 64) & 1 == 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skip_value;

    fn check(text: &str) -> bool {
        skip_value(text.as_bytes(), 0, 0) == Ok(text.len())
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
}
