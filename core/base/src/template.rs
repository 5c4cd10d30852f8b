//! Templates as EventBridge's rules and pipes have them: text, mostly JSON, in which `<name>` stands for a value. What the
//! names are, each of them says for itself.

use crate::Document;

/// A template, taken apart. `S` says where a value comes from.
#[derive(Clone, Debug)]
pub struct Template<S>(Vec<Piece<S>>);

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Piece<S> {
    /// Text as it stands.
    Text(String),
    /// A value.
    Variable {
        /// Where it comes from.
        source: S,
        /// Whether it stands within a JSON string.
        quoted: bool,
    },
}

impl<S> Template<S> {
    /// Takes a text apart. `source` is given what stands between `<` and `>`; where it answers `None`, both are plain text.
    /// `\<` always is.
    ///
    /// # Errors
    /// What `source` refuses.
    pub fn parse<E>(
        text: &str,
        mut source: impl FnMut(&str) -> Result<Option<S>, E>,
    ) -> Result<Template<S>, E> {
        let mut pieces = Vec::new();
        let (mut plain, mut in_string, mut escaped) = (String::new(), false, false);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            if c == '<'
                && !escaped
                && let Some((name, tail)) = after.split_once('>')
                && let Some(source) = source(name)?
            {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Variable { source, quoted: in_string });
                rest = tail;
                continue;
            }
            if escaped && c == '<' {
                plain.pop();
            }
            if c == '"' && !escaped {
                in_string = !in_string;
            }
            escaped = c == '\\' && !escaped;
            plain.push(c);
            rest = after;
        }
        pieces.push(Piece::Text(plain));
        Ok(Template(pieces))
    }

    /// Its parts, in order.
    pub fn pieces(&self) -> &[Piece<S>] {
        &self.0
    }

    /// The template with the text that `value` gives for each source; told whether it stands within a JSON string.
    pub fn fill(&self, value: impl Fn(&S, bool) -> String) -> String {
        let mut filled = String::with_capacity(256);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Variable { source, quoted } => filled.push_str(&value(source, *quoted)),
            }
        }
        filled
    }
}

/// A value as a JSON value of its own; what is not there is null.
pub fn outside(value: Option<Document>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

/// A value as a part of a JSON string; what is not there leaves nothing.
pub fn inside(value: Option<Document>) -> String {
    let quoted = Document::from(plain(value)).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A value as text: a text without its quotation marks, else JSON; what is not there leaves nothing.
pub fn plain(value: Option<Document>) -> String {
    match value {
        None => String::new(),
        Some(Document::String(text)) => text,
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    #[test]
    fn names_within_and_without_strings() {
        let known = |name: &str| Ok::<_, Infallible>(name.starts_with('k').then(|| name.to_owned()));
        for (text, expected) in [
            ("<k> and <other>", "k:false and <other>"),
            (r#"{"a": "x <k1>", "b": <k2>}"#, r#"{"a": "x k1:true", "b": k2:false}"#),
            (r#""1 \< 2 \"<k>""#, r#""1 < 2 \"k:true""#),
            ("1 < 2", "1 < 2"),
        ] {
            let Ok(template) = Template::parse(text, known);
            assert_eq!(template.fill(|name, quoted| format!("{name}:{quoted}")), expected, "{text}");
        }
    }

    #[test]
    fn values_in_three_places() {
        for (value, expected) in [
            (None, ["null", "", ""]),
            (Some(json!("a \"b\"")), [r#""a \"b\"""#, r#"a \"b\""#, r#"a "b""#]),
            (Some(json!({ "n": 1 })), [r#"{"n":1}"#, r#"{\"n\":1}"#, r#"{"n":1}"#]),
        ] {
            assert_eq!([outside(value.clone()), inside(value.clone()), plain(value)], expected);
        }
    }
}
