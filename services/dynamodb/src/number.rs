//! DynamoDB's numbers: exact decimals of 38 digits, and their order-preserving form.
//!
//! Knows nothing of items, expressions or JSON. Never rounds: what does not fit is refused.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most significant digits that a number may have.
const DIGITS_MAX: u32 = 38;
/// The exponent of the first digit of the greatest number, 9.99…e125.
const MAGNITUDE_MAX: i32 = 125;
/// The exponent of the first digit of the smallest number above zero, 1e-130.
const MAGNITUDE_MIN: i32 = -130;

/// Why a text is no number, or a sum does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// No digits at all.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// Not a decimal.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    Malformed(String),
    /// More than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    Precision,
    /// Beyond 9.99…e125 either way.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Nearer to zero than 1e-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
}

/// An exact decimal: `±mantissa × 10^exponent`, kept in its only normal form (no trailing zeros in the mantissa).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    // Two halves instead of a u128 keep the alignment, and so the size of every attribute value, at eight bytes.
    mantissa_high: u64,
    mantissa_low: u64,
    exponent: i16,
    negative: bool,
}

impl Number {
    /// Nought.
    pub const ZERO: Number = Number { mantissa_high: 0, mantissa_low: 0, exponent: 0, negative: false };

    fn mantissa(self) -> u128 {
        (u128::from(self.mantissa_high) << 64) | u128::from(self.mantissa_low)
    }

    fn is_zero(self) -> bool {
        self.mantissa_high == 0 && self.mantissa_low == 0
    }

    /// The exponent of the first digit.
    fn magnitude(self) -> i32 {
        i32::from(self.exponent) + digits_of(self.mantissa()) as i32 - 1
    }

    fn normal(negative: bool, mut mantissa: u128, mut exponent: i32) -> Result<Number, NumberError> {
        if mantissa == 0 {
            return Ok(Number::ZERO);
        }
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent += 1;
        }
        let digits = digits_of(mantissa);
        if digits > DIGITS_MAX {
            return Err(NumberError::Precision);
        }
        let magnitude = exponent + digits as i32 - 1;
        if magnitude > MAGNITUDE_MAX {
            return Err(NumberError::Overflow);
        }
        if magnitude < MAGNITUDE_MIN {
            return Err(NumberError::Underflow);
        }
        Ok(Number {
            mantissa_high: (mantissa >> 64) as u64,
            mantissa_low: mantissa as u64,
            exponent: exponent as i16,
            negative,
        })
    }

    /// The exact sum; refused if it needs more than 38 digits or leaves the range.
    pub fn plus(self, other: Number) -> Result<Number, NumberError> {
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        let (coarse, fine) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = u32::from(coarse.exponent.abs_diff(fine.exponent));
        // A mantissa that outgrows 128 bits leaves a sum of more than 38 digits, since the finer one ends in a digit above 0.
        let scaled = 10u128
            .checked_pow(shift)
            .and_then(|scale| coarse.mantissa().checked_mul(scale))
            .ok_or(NumberError::Precision)?;
        let exponent = i32::from(fine.exponent);
        if coarse.negative == fine.negative {
            let sum = scaled.checked_add(fine.mantissa()).ok_or(NumberError::Precision)?;
            return Number::normal(coarse.negative, sum, exponent);
        }
        let negative = if scaled >= fine.mantissa() { coarse.negative } else { fine.negative };
        Number::normal(negative, scaled.abs_diff(fine.mantissa()), exponent)
    }

    /// The exact difference; refused like [`Number::plus`].
    pub fn minus(self, other: Number) -> Result<Number, NumberError> {
        self.plus(other.negated())
    }

    fn negated(self) -> Number {
        Number { negative: !self.negative && !self.is_zero(), ..self }
    }

    /// The whole number that this is, if it fits.
    pub fn as_i64(self) -> Option<i64> {
        let scale = 10u128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let size = i128::try_from(self.mantissa().checked_mul(scale)?).ok()?;
        i64::try_from(if self.negative { -size } else { size }).ok()
    }

    /// Bytes that this number counts for in the size of an item: one, one more for each two digits, one for a minus sign.
    /// From "DynamoDB item sizes and formats" of the developer guide.
    pub fn size_bytes(self) -> usize {
        if self.is_zero() {
            return 1;
        }
        1 + (digits_of(self.mantissa()) as usize).div_ceil(2) + usize::from(self.negative)
    }

    /// Appends bytes that sort as the numbers do and that no other number's bytes are a beginning of.
    pub fn encode_ordered(self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(0x80);
            return;
        }
        let flip = if self.negative { 0xff } else { 0 };
        out.push(if self.negative { 0x40 } else { 0xc0 });
        out.push((self.magnitude() - MAGNITUDE_MIN) as u8 ^ flip);
        let mut digits = [0u8; DIGITS_MAX as usize + 1];
        let count = write_digits(self.mantissa(), &mut digits);
        for pair in digits[..count.next_multiple_of(2)].chunks_exact(2) {
            // One more than the pair's value, so that the end (0) sorts before any further digits.
            out.push((pair[0] * 10 + pair[1] + 1) ^ flip);
        }
        out.push(flip);
    }
}

/// The count of decimal digits; 1 for nought.
fn digits_of(mantissa: u128) -> u32 {
    mantissa.checked_ilog10().map_or(1, |log| log + 1)
}

/// Writes the digits' values, first digit first; what is behind them stays 0.
fn write_digits(mut mantissa: u128, out: &mut [u8; DIGITS_MAX as usize + 1]) -> usize {
    let count = digits_of(mantissa) as usize;
    for place in out[..count].iter_mut().rev() {
        *place = (mantissa % 10) as u8;
        mantissa /= 10;
    }
    count
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let sign = |n: &Number| if n.is_zero() { 0 } else { 1 - 2 * i32::from(n.negative) };
        sign(self).cmp(&sign(other)).then_with(|| {
            let size = compare_sizes(*self, *other);
            if self.negative { size.reverse() } else { size }
        })
    }
}

/// Compares two numbers, both above nought or both nought, by their distance from it.
fn compare_sizes(a: Number, b: Number) -> Ordering {
    if a.is_zero() {
        return Ordering::Equal;
    }
    a.magnitude().cmp(&b.magnitude()).then_with(|| {
        // With equal first places both fit when written out to the same last place: at most 38 digits.
        let last = a.exponent.min(b.exponent);
        let at = |n: Number| n.mantissa() * 10u128.pow(u32::from(n.exponent.abs_diff(last)));
        at(a).cmp(&at(b))
    })
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        // Nineteen digits always fit.
        Number::normal(value < 0, u128::from(value.unsigned_abs()), 0).unwrap_or(Number::ZERO)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// A decimal as DynamoDB takes it: sign, digits, point, exponent, blanks around it.
    fn from_str(text: &str) -> Result<Number, NumberError> {
        let trimmed = text.trim_matches(' ');
        if trimmed.is_empty() {
            return Err(NumberError::Empty);
        }
        let malformed = || NumberError::Malformed(text.to_owned());
        let (negative, unsigned) = match trimmed.as_bytes()[0] {
            b'-' => (true, &trimmed[1..]),
            b'+' => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        let (decimal, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            Some((decimal, exponent)) => (decimal, parse_exponent(exponent).ok_or_else(malformed)?),
        };
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        let mut mantissa = Mantissa::default();
        if whole.is_empty() && fraction.is_empty() {
            return Err(malformed());
        }
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return Err(malformed());
            }
            mantissa.push(digit - b'0')?;
        }
        // Trailing zeros that `mantissa` holds back count for nothing behind the point and for tens before it.
        let exponent = exponent - fraction.len() as i64 + i64::from(mantissa.zeros_held);
        let exponent = i32::try_from(exponent.clamp(-100_000, 100_000)).unwrap_or(0);
        Number::normal(negative, mantissa.value, exponent)
    }
}

/// Collects digits and holds zeros back until a digit follows them, so that only significant digits count.
#[derive(Default)]
struct Mantissa {
    value: u128,
    zeros_held: u32,
}

impl Mantissa {
    fn push(&mut self, digit: u8) -> Result<(), NumberError> {
        if digit == 0 {
            self.zeros_held += u32::from(self.value != 0);
            return Ok(());
        }
        let shift = 10u128.checked_pow(self.zeros_held + 1).ok_or(NumberError::Precision)?;
        let shifted = self.value.checked_mul(shift).ok_or(NumberError::Precision)?;
        self.value = shifted.checked_add(u128::from(digit)).ok_or(NumberError::Precision)?;
        self.zeros_held = 0;
        Ok(())
    }
}

/// An exponent far outside the range stays far outside, so that it is refused as such and not as malformed.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000);
    Some(if text.starts_with('-') { -size } else { size })
}

impl fmt::Display for Number {
    /// Plain digits without an exponent, as DynamoDB answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        if self.exponent >= 0 {
            return write!(f, "{}{:0<2$}", self.mantissa(), "", self.exponent as usize);
        }
        let behind_point = usize::from(self.exponent.unsigned_abs());
        let digits = digits_of(self.mantissa()) as usize;
        if digits <= behind_point {
            return write!(f, "0.{:0>1$}", self.mantissa(), behind_point);
        }
        let scale = 10u128.pow(behind_point as u32);
        write!(f, "{}.{:0>2$}", self.mantissa() / scale, self.mantissa() % scale, behind_point)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        text.parse::<Number>().map_or_else(|error| format!("! {error}"), |number| number.to_string())
    }

    #[test]
    fn texts() {
        let cases = [
            ("1", "1"),
            ("+1", "1"),
            ("-0", "0"),
            ("0.000", "0"),
            ("0e999", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("1.5E+3", "1500"),
            ("1e-7", "0.0000001"),
            ("-123.456", "-123.456"),
            (" 12 ", "12"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
            ("", "! The parameter cannot be converted to a numeric value"),
            ("abc", "! The parameter cannot be converted to a numeric value: abc"),
            ("1e", "! The parameter cannot be converted to a numeric value: 1e"),
            ("1.2.3", "! The parameter cannot be converted to a numeric value: 1.2.3"),
            ("--1", "! The parameter cannot be converted to a numeric value: --1"),
            (".", "! The parameter cannot be converted to a numeric value: ."),
            ("NaN", "! The parameter cannot be converted to a numeric value: NaN"),
            (
                "123456789012345678901234567890123456789",
                "! Attempting to store more than 38 significant digits in a Number",
            ),
            (
                "1e126",
                "! Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            (
                "1e99999999999999999999",
                "! Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            (
                "1e-131",
                "! Number underflow. Attempting to store a number with magnitude smaller than supported range",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert_eq!(shown("9.9e125").len(), 126);
        assert_eq!(shown("1e-130").len(), 132);
    }

    #[test]
    fn sums() {
        let cases = [
            ("1", "2", "3"),
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("5", "-7.5", "-2.5"),
            ("99999999999999999999999999999999999999", "1", "100000000000000000000000000000000000000"),
            ("1e38", "1", "! Attempting to store more than 38 significant digits in a Number"),
            ("1e120", "1e-120", "! Attempting to store more than 38 significant digits in a Number"),
            (
                "9e125",
                "9e125",
                "! Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
        ];
        for (a, b, expected) in cases {
            let (a, b): (Number, Number) = (a.parse().unwrap(), b.parse().unwrap());
            let show =
                |r: Result<Number, NumberError>| r.map_or_else(|e| format!("! {e}"), |n| n.to_string());
            assert_eq!(show(a.plus(b)), expected, "{a} + {b}");
            assert_eq!(show(b.plus(a)), expected, "{b} + {a}");
            assert_eq!(show(a.minus(b.negated())), expected, "{a} - -{b}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 1), ("1", 2), ("12", 2), ("123", 3), ("-123", 4), ("1000", 2), ("0.00012", 2)]
        {
            assert_eq!(text.parse::<Number>().unwrap().size_bytes(), bytes, "{text}");
        }
    }

    fn encoded(number: Number) -> Vec<u8> {
        let mut out = Vec::new();
        number.encode_ordered(&mut out);
        out
    }

    prop_compose! {
        fn numbers()(negative: bool, mantissa in 0..10u128.pow(38), digits in 0u32..38, exponent in -130i32..87) -> Number {
            Number::normal(negative, mantissa / 10u128.pow(digits), exponent).unwrap_or(Number::ZERO)
        }
    }

    proptest! {
        #[test]
        fn order_survives_encoding(a in numbers(), b in numbers()) {
            prop_assert_eq!(encoded(a).cmp(&encoded(b)), a.cmp(&b));
            prop_assert!(a == b || !encoded(b).starts_with(&encoded(a)));
        }

        #[test]
        fn near_numbers_too(a in -2000i64..2000, b in -2000i64..2000, scale in -3i32..3) {
            let at = |n: i64| Number::normal(n < 0, u128::from(n.unsigned_abs()), scale).unwrap();
            prop_assert_eq!(at(a).cmp(&at(b)), a.cmp(&b));
            prop_assert_eq!(encoded(at(a)).cmp(&encoded(at(b))), a.cmp(&b));
            prop_assert_eq!(at(a).plus(at(b)).unwrap(), at(a + b));
            prop_assert_eq!(Number::from(a).as_i64(), Some(a));
        }

        #[test]
        fn text_comes_back(a in numbers()) {
            prop_assert_eq!(a.to_string().parse::<Number>().unwrap(), a);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE ]{0,60}") {
            let _ = text.parse::<Number>();
        }

        #[test]
        fn sums_undo(a in numbers(), b in numbers()) {
            if let Ok(sum) = a.plus(b) {
                prop_assert_eq!(sum.minus(b), Ok(a));
            }
        }
    }
}
