//! Filter patterns over unstructured text.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use base::Fault;

use crate::fault;

/// A compiled pattern: terms that must, may (at least one) and must not be there. If there are terms of the first or the
/// last kind, AWS ignores all of the second.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Filter {
    /// Compiles `pattern`: words, `"quoted words"`, `?optional` and `-excluded` ones.
    pub(crate) fn parse(pattern: &str) -> Result<Filter, Fault> {
        let pattern = pattern.trim();
        if pattern.starts_with(['{', '[', '%']) {
            return Err(fault::not_honoured(
                "A filter pattern for JSON, for space-delimited text or of a regular expression",
            ));
        }
        let mut filter = Filter::default();
        let mut rest = pattern;
        while !rest.is_empty() {
            let (list, body) = match rest.as_bytes()[0] {
                b'?' => (&mut filter.any, &rest[1..]),
                b'-' => (&mut filter.none, &rest[1..]),
                _ => (&mut filter.all, rest),
            };
            let (term, tail) = term(body)?;
            list.push(term);
            rest = tail.trim_start();
        }
        if !filter.all.is_empty() || !filter.none.is_empty() {
            filter.any.clear();
        }
        Ok(filter)
    }

    /// Whether `message` has what the pattern asks for. Terms are case-sensitive.
    pub(crate) fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term)))
            && !self.none.iter().any(|term| message.contains(term))
    }
}

fn term(text: &str) -> Result<(String, &str), Fault> {
    let invalid = || fault::invalid("Invalid filter pattern");
    if let Some(quoted) = text.strip_prefix('"') {
        let mut term = String::new();
        let mut escaped = false;
        for (at, c) in quoted.char_indices() {
            match c {
                _ if escaped => {
                    term.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => return Ok((term, &quoted[at + 1..])),
                _ => term.push(c),
            }
        }
        return Err(invalid());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '/' | '@' | '#');
    if word.is_empty() || !word.chars().all(plain) {
        return Err(invalid());
    }
    Ok((word.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        for (pattern, message, expected) in [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR ARGUMENTS", "ERROR invalid ARGUMENTS", true),
            ("ERROR ARGUMENTS", "ERROR invalid", false),
            ("?ERROR ?ARGUMENTS", "only ARGUMENTS", true),
            ("?ERROR ?ARGUMENTS", "neither", false),
            ("?INFO ERROR", "an ERROR without the other", true),
            ("?INFO ERROR", "INFO only", false),
            ("?INFO -DEBUG", "neither", true),
            ("ERROR -ARGUMENTS", "ERROR ARGUMENTS", false),
            ("\"INTERNAL SERVER ERROR\"", "500 INTERNAL SERVER ERROR", true),
            ("\"say \\\"x\\\"\"", "say \"x\" now", true),
        ] {
            assert_eq!(Filter::parse(pattern).unwrap().matches(message), expected, "{pattern} on {message}");
        }
        for pattern in ["{ $.a = 1 }", "[a, b]", "%x%", "\"open", "a&b"] {
            assert!(Filter::parse(pattern).is_err(), "{pattern}");
        }
    }
}
