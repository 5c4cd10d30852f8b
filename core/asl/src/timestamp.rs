//! Timestamps as the States Language writes them: RFC 3339 with an upper-case `T` and, without an offset, an upper-case `Z`.

use jiff::Timestamp;

/// Milliseconds since the epoch; `None` for anything but a timestamp.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'+' | b'T' | b'Z'))
        && bytes[10] == b'T'
        && (bytes.ends_with(b"Z") || bytes[19..].iter().any(|b| matches!(b, b'+' | b'-')));
    let timestamp: Timestamp = text.parse().ok().filter(|_| shaped)?;
    Some(timestamp.as_millisecond())
}

/// `2026-11-22T10:00:00.000Z`.
pub(crate) fn format(ms: i64) -> String {
    let timestamp = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{timestamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_the_profile() {
        let cases = [
            ("2016-08-18T17:33:00Z", Some(1_471_541_580_000)),
            ("2016-08-18T17:33:00.5Z", Some(1_471_541_580_500)),
            ("2016-08-18T19:33:00+02:00", Some(1_471_541_580_000)),
            ("2016-08-18t17:33:00Z", None),
            ("2016-08-18T17:33:00z", None),
            ("2016-08-18 17:33:00Z", None),
            ("2016-08-18T17:33:00", None),
            ("2016-08-18", None),
            ("2016-08-18T17:33:00Z[UTC]", None),
            ("2016-13-18T17:33:00Z", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn writes_milliseconds() {
        assert_eq!(format(1_471_541_580_050), "2016-08-18T17:33:00.050Z");
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
    }
}
