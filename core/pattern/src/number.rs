//! JSON number text as a binary64, where it *is* one.

use std::fmt::Write;

/// The shortest decimal that names a double has at most this many significant digits.
const DIGITS_OF_DOUBLE: usize = 17;
/// Any decimal with up to this many significant digits comes back unchanged from a double in the normal range.
const DIGITS_ALWAYS_KEPT: usize = 15;

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The double that `text`, a JSON number, names *exactly*: the shortest decimal of the double is the same number.
/// `None` for what a double cannot hold (9007199254740993, 1e309, 1e-400), which then has no numeric value at all.
/// Never returns a negative zero.
pub(crate) fn exact_double(text: &str) -> Option<f64> {
    if let Some(easy) = short_decimal(text) {
        return Some(easy);
    }
    let wanted = Decimal::of(text);
    if wanted.len > DIGITS_OF_DOUBLE {
        return None;
    }
    let double: f64 = text.parse().ok()?;
    if !double.is_finite() {
        return None;
    }
    let mut shortest = Shortest::default();
    write!(shortest, "{double:e}").ok()?;
    let same = Decimal::of(shortest.as_str()) == wanted;
    same.then_some(if double == 0.0 { 0.0 } else { double })
}

/// Plain decimals of at most 15 digits, the usual case, without any rounding question.
fn short_decimal(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.first() {
        Some(b'-') => (true, &bytes[1..]),
        _ => (false, bytes),
    };
    if digits.len() > DIGITS_ALWAYS_KEPT {
        return None;
    }
    let mut mantissa = 0u64;
    let mut fraction = None;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                fraction = fraction.map(|places: usize| places + 1);
            }
            b'.' => fraction = Some(0),
            _ => return None,
        }
    }
    let double = mantissa as f64 / POWERS[fraction.unwrap_or(0)];
    Some(if negative && mantissa != 0 { -double } else { double })
}

/// A decimal in normal form: the significant digits without zeros at either end, and the exponent of the last.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: [u8; DIGITS_OF_DOUBLE],
    /// Significant digits; may exceed the array, and then the rest is not kept.
    len: usize,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let mut decimal = Self { negative, digits: [0; DIGITS_OF_DOUBLE], len: 0, exponent };
        let mut in_fraction = false;
        let mut zeros = 0usize;
        for byte in mantissa.bytes() {
            match byte {
                b'.' => in_fraction = true,
                b'0'..=b'9' => {
                    if in_fraction {
                        decimal.exponent = decimal.exponent.saturating_sub(1);
                    }
                    if byte == b'0' {
                        zeros += usize::from(decimal.len > 0);
                    } else {
                        decimal.len += zeros;
                        zeros = 0;
                        if let Some(slot) = decimal.digits.get_mut(decimal.len) {
                            *slot = byte - b'0';
                        }
                        decimal.len += 1;
                    }
                }
                _ => {}
            }
        }
        decimal.exponent = decimal.exponent.saturating_add(zeros as i64);
        if decimal.len == 0 {
            decimal.negative = false;
            decimal.exponent = 0;
        }
        decimal
    }
}

fn parse_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let size =
        digits.bytes().fold(0i64, |sum, byte| sum.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    if negative { -size } else { size }
}

/// A small buffer for the shortest decimal of a double, so that comparing does not allocate.
#[derive(Default)]
struct Shortest {
    bytes: [u8; 32],
    len: usize,
}

impl Shortest {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for Shortest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::exact_double;

    #[test]
    fn numbers_that_a_double_names() {
        for (text, double) in [
            ("0", 0.0),
            ("-0", 0.0),
            ("-0.0", 0.0),
            ("0e99999999999999999999", 0.0),
            ("1", 1.0),
            ("10e-1", 1.0),
            ("1.0", 1.0),
            ("3.018e2", 301.8),
            ("0.1", 0.1),
            ("-122.4220035282525", -122.4220035282525),
            ("123456789012345", 123456789012345.0),
            ("9007199254740992", 9007199254740992.0),
            ("1e22", 1e22),
            ("1e23", 1e23),
            ("1.7976931348623157e308", f64::MAX),
            ("1000000000000000000000", 1e21),
            ("0.30000000000000004", 0.30000000000000004),
        ] {
            assert_eq!(exact_double(text), Some(double), "{text}");
        }
        assert!(exact_double("-0").is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn numbers_that_no_double_names() {
        for text in [
            "9007199254740993",
            "12345678901234567890",
            "1.2345678901234567890e19",
            "1e309",
            "2.0e422",
            "-1e309",
            "1e-325",
            "1e-99999999999999999999",
            "0.1000000000000000055511151231257827",
            "-122.422003528252475",
        ] {
            assert_eq!(exact_double(text), None, "{text}");
        }
    }
}
