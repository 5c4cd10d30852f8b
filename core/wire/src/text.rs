//! Texts of the protocols and the JSON that they become.

use std::borrow::Cow;

use base::schema::{Kind, Shape, TimestampFormat};
use base::{Fault, Timestamp};
use percent_encoding::percent_decode_str;

/// Appends a JSON string.
pub(crate) fn json_string(out: &mut Vec<u8>, text: &str) {
    // Writing a `str` into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends `"name":`, with a comma before it unless it is the first member.
pub(crate) fn json_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    json_string(out, name);
    out.push(b':');
}

/// Appends a comma unless an array has just been opened.
pub(crate) fn json_next(out: &mut Vec<u8>) {
    if out.last() != Some(&b'[') {
        out.push(b',');
    }
}

/// Appends the JSON of a simple shape's text form.
///
/// # Errors
/// `SerializationException` if the text is none of the shape.
pub(crate) fn json_scalar(out: &mut Vec<u8>, shape: &Shape, text: &str) -> Result<(), Fault> {
    match &shape.kind {
        Kind::Boolean => match text {
            "true" | "True" | "TRUE" => out.extend_from_slice(b"true"),
            "false" | "False" | "FALSE" => out.extend_from_slice(b"false"),
            _ => return Err(unlike(text, "Boolean")),
        },
        Kind::Integer(_) | Kind::Long(_) => {
            let number: i64 = text.trim().parse().map_err(|_| unlike(text, "Integer"))?;
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Kind::Float(_) => {
            let number: f64 = text.trim().parse().map_err(|_| unlike(text, "Double"))?;
            if !number.is_finite() {
                return Err(unlike(text, "Double"));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Kind::Timestamp(_) => {
            let moment = timestamp_from_text(text).ok_or_else(|| unlike(text, "Timestamp"))?;
            json_timestamp(out, moment);
        }
        Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. } => {
            return Err(unlike(text, shape.name));
        }
        Kind::String { .. } | Kind::Blob(_) | Kind::Document => json_string(out, text),
    }
    Ok(())
}

fn unlike(text: &str, wanted: &str) -> Fault {
    let shown: String = text.chars().take(64).collect();
    Fault::new("SerializationException", format!("'{shown}' cannot be converted to {wanted}"))
}

/// Appends epoch seconds.
pub(crate) fn json_timestamp(out: &mut Vec<u8>, moment: Timestamp) {
    let text = if moment.as_millis() % 1000 == 0 {
        moment.as_secs().to_string()
    } else {
        moment.as_epoch_seconds().to_string()
    };
    out.extend_from_slice(text.as_bytes());
}

/// From any of the three formats.
pub(crate) fn timestamp_from_text(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Timestamp::from_epoch_seconds(seconds);
    }
    Timestamp::from_iso(text).or_else(|| timestamp_from_http_date(text))
}

/// `Sun, 22 Nov 2026 10:20:19 GMT`
fn timestamp_from_http_date(text: &str) -> Option<Timestamp> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Timestamp::from_iso(&format!("{year}-{month:02}-{day:0>2}T{time}Z"))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A time stamp in one of the formats.
pub(crate) fn timestamp_text(moment: Timestamp, format: TimestampFormat) -> String {
    match format {
        TimestampFormat::Iso8601 if moment.as_millis() % 1000 == 0 => moment.to_iso_seconds(),
        TimestampFormat::Iso8601 => moment.to_iso_millis(),
        TimestampFormat::EpochSeconds => {
            let mut out = Vec::new();
            json_timestamp(&mut out, moment);
            String::from_utf8(out).unwrap_or_default()
        }
        TimestampFormat::HttpDate => {
            let iso = moment.to_iso_seconds();
            let weekday = usize::try_from(moment.as_secs().div_euclid(86_400).rem_euclid(7)).unwrap_or(0);
            let month = iso[5..7].parse::<usize>().unwrap_or(1).clamp(1, 12) - 1;
            let (year, day, time) = (&iso[..4], &iso[8..10], &iso[11..19]);
            format!("{}, {day} {} {year} {time} GMT", DAYS[weekday], MONTHS[month])
        }
    }
}

/// Percent-decodes, and turns `+` into a blank where forms do.
///
/// # Errors
/// `None` if the result is no UTF-8.
pub(crate) fn decode_form(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode_str(text).decode_utf8().ok();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| Cow::Owned(text.into_owned()))
}

/// Percent-decodes a path's segment.
///
/// # Errors
/// `None` if the result is no UTF-8.
pub(crate) fn decode_path(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// The still encoded fields of a form or query string.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| field.split_once('=').unwrap_or((field, "")))
}

/// Appends text escaped for XML. What XML cannot hold becomes U+FFFD.
pub(crate) fn xml_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_read_back_in_every_format() {
        let moment = Timestamp::from_iso("2026-11-22T10:20:19Z").unwrap();
        for (format, text) in [
            (TimestampFormat::Iso8601, "2026-11-22T10:20:19Z"),
            (TimestampFormat::HttpDate, "Sun, 22 Nov 2026 10:20:19 GMT"),
            (TimestampFormat::EpochSeconds, "1795342819"),
        ] {
            assert_eq!(timestamp_text(moment, format), text);
            assert_eq!(timestamp_from_text(text), Some(moment));
        }
        assert_eq!(timestamp_from_text("never"), None);
    }
}
