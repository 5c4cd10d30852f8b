//! Sequence numbers: places in a stream's log, as decimal digits whose order is theirs.

use store::Version;
use store::log::Position;

/// Makes all numbers as long as AWS's, so that they stand in the same order as texts.
const BASE: u128 = 100_000_000_000_000_000_000_000_000;

/// The sequence number of the record at `position`: 27 digits.
pub(crate) fn sequence_number(position: Position) -> String {
    (BASE + number(position)).to_string()
}

/// Where the record of this number stands; `None` for what [`sequence_number`] does not make.
pub(crate) fn parse(text: &str) -> Option<Position> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u128>().ok().filter(|_| digits)?.checked_sub(BASE)?;
    let version = u64::try_from(number >> 16).ok()?;
    Some(Position { version: Version(version), index: (number & 0xffff) as u16 })
}

/// The place behind `position`.
pub(crate) fn next(position: Position) -> Position {
    match position.index.checked_add(1) {
        Some(index) => Position { index, ..position },
        None => Position { version: Version(position.version.0 + 1), index: 0 },
    }
}

/// Behind every record of commit `version`, in front of every later one.
pub(crate) fn end_of(version: u64) -> Position {
    Position { version: Version(version), index: u16::MAX }
}

fn number(position: Position) -> u128 {
    (u128::from(position.version.0) << 16) | u128::from(position.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_positions_and_come_back() {
        let at = |version, index| Position { version: Version(version), index };
        let rising = [at(0, 0), at(0, 1), at(9, 65_535), at(10, 0), at(u64::MAX, u16::MAX)];
        let numbers = rising.map(sequence_number);
        assert!(numbers.is_sorted());
        assert!(numbers.iter().all(|number| number.len() == 27));
        for (position, number) in rising.iter().zip(&numbers) {
            assert_eq!(parse(number), Some(*position));
        }
        assert_eq!(next(at(3, u16::MAX)), at(4, 0));
        assert_eq!(next(end_of(7)), at(8, 0));
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in
            ["", "111", "+100000000000000000000000000", "x", "99999999999999999999999999999999999999999"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
