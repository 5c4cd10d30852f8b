//! Pieces of pages that are made by code: each escapes what it is given.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;
use base::Timestamp;
use serde::de::IgnoredAny;
use serde_json::Value;

/// HTML that templates take as it is. Only this module makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl HtmlSafe for Html {}

impl Html {
    /// What was drawn as SVG, by code that escaped every text in it.
    pub(crate) fn drawn(svg: String) -> Html {
        Html(svg)
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Objects and arrays of at most so many bytes stand on one line.
const LINE_MAX: usize = 56;

/// How something is: chooses the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done, delivered, matched.
    Good,
    /// Failed.
    Bad,
    /// Under way, or tried again.
    Busy,
    /// Stopped, or odd.
    Warn,
    /// Of no consequence.
    Quiet,
}

impl Tone {
    /// The style's class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Busy => "busy",
            Tone::Warn => "warn",
            Tone::Quiet => "quiet",
        }
    }
}

/// A coloured word.
pub(crate) fn pill(tone: Tone, word: &str) -> Html {
    Html(format!(r#"<span class="pill {}">{}</span>"#, tone.class(), escaped(word)))
}

/// A time to the millisecond, in UTC; the script turns it into the reader's own.
pub(crate) fn time(at: Timestamp) -> Html {
    let iso = at.to_iso_millis();
    let shown = iso.replace('T', " ");
    Html(format!(r#"<time datetime="{iso}">{shown}</time>"#))
}

/// The same for a time that may be missing.
pub(crate) fn maybe_time(at: Option<Timestamp>) -> Html {
    at.map_or_else(|| Html("–".to_owned()), time)
}

/// JSON, indented and coloured, with every number as it was written. Text that is no JSON is shown as it is.
pub(crate) fn json_text(text: &str) -> Html {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Html(indented(text)),
        Err(_) => Html(escaped(text)),
    }
}

/// A document, indented and coloured.
pub(crate) fn json(value: &Value) -> Html {
    Html(indented(&value.to_string()))
}

/// Valid JSON, token by token; what fits stays on its line.
fn indented(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    // The depth outside what is written on one line, if something is.
    let mut inline: Option<usize> = None;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, tail) = rest.split_at(token_length(rest, first));
        match first {
            '{' | '[' => {
                out.push(first);
                if inline.is_none() && depth > 0 && fits(rest) {
                    inline = Some(depth);
                }
                depth += 1;
                if !tail.trim_start().starts_with(['}', ']']) {
                    new_line(&mut out, depth, inline.is_some());
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    new_line(&mut out, depth, inline.is_some());
                }
                out.push(first);
                inline = inline.filter(|outside| *outside != depth);
            }
            ',' if inline.is_some() => out.push_str(", "),
            ',' => {
                out.push(',');
                new_line(&mut out, depth, false);
            }
            ':' => out.push_str(": "),
            '"' if tail.trim_start().starts_with(':') => coloured(&mut out, 'k', token),
            '"' => coloured(&mut out, 's', token),
            't' | 'f' | 'n' => coloured(&mut out, 'b', token),
            _ => coloured(&mut out, 'n', token),
        }
        rest = tail.trim_start();
    }
    out
}

/// Whether the object or array with which `text` begins is short.
fn fits(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut length = 0;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, tail) = rest.split_at(token_length(rest, first));
        length += token.len();
        match first {
            _ if length > LINE_MAX => return false,
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 1 => return true,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        rest = tail.trim_start();
    }
    false
}

fn token_length(text: &str, first: char) -> usize {
    match first {
        '"' => {
            let mut escape = false;
            let end = text.char_indices().skip(1).find(|(_, character)| {
                let ends = *character == '"' && !escape;
                escape = *character == '\\' && !escape;
                ends
            });
            end.map_or(text.len(), |(at, _)| at + 1)
        }
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => text.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(text.len()),
    }
}

fn coloured(out: &mut String, class: char, token: &str) {
    let _ = write!(out, r#"<span class="{class}">{}</span>"#, escaped(token));
}

fn new_line(out: &mut String, depth: usize, inline: bool) {
    if inline {
        return;
    }
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Text with what HTML takes for its own written otherwise.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Texts that hold JSON objects or arrays, as Step Functions' inputs and outputs do, as what they hold.
pub(crate) fn unfolded(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, unfolded(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.into_iter().map(unfolded).collect(),
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        other => other,
    }
}

/// A duration in the unit that suits it.
pub(crate) fn duration_us(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000_000 => format!("{:.1} ms", us as f64 / 1_000.0),
        _ => format!("{:.1} s", us as f64 / 1_000_000.0),
    }
}

/// A duration in milliseconds in the unit that suits it.
pub(crate) fn duration_ms(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{ms} ms"),
        10_000..600_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        _ => format!("{} min", ms / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_escaped() {
        let shown = json_text(r#"{"<b>" : ["</span><script>",1.50, null, { }]}"#).to_string();
        assert_eq!(
            shown,
            "{\n  <span class=\"k\">&quot;&lt;b&gt;&quot;</span>: [<span class=\"s\">&quot;&lt;/span&gt;&lt;script&gt;&quot;\
             </span>, <span class=\"n\">1.50</span>, <span class=\"b\">null</span>, {}]\n}"
        );
        assert_eq!(json_text("<no json>").to_string(), "&lt;no json&gt;");
        assert_eq!(pill(Tone::Bad, "<x>").to_string(), r#"<span class="pill bad">&lt;x&gt;</span>"#);
    }

    #[test]
    fn json_is_indented_where_it_does_not_fit() {
        let check = |text: &str, expected: &str| {
            let shown = json_text(text).to_string();
            let plain = shown.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
            assert_eq!(plain.collect::<String>().replace("&quot;", "\""), expected);
        };
        check(r#"["a\\"]"#, "[\n  \"a\\\\\"\n]");
        check(
            r#"{"a":{"b":[1,{"c":"}\""}]},"d":[]}"#,
            "{\n  \"a\": {\"b\": [1, {\"c\": \"}\\\"\"}]},\n  \"d\": []\n}",
        );
        let long = "x".repeat(LINE_MAX);
        check(
            &format!(r#"{{"a":["{long}",[1,2]]}}"#),
            &format!("{{\n  \"a\": [\n    \"{long}\",\n    [1, 2]\n  ]\n}}"),
        );
        check("7", "7");
    }

    #[test]
    fn texts_with_documents_are_unfolded() {
        let found = unfolded(serde_json::json!({ "input": "{\"a\": 1}", "cause": "{no json", "name": "1" }));
        assert_eq!(found, serde_json::json!({ "input": { "a": 1 }, "cause": "{no json", "name": "1" }));
    }
}
