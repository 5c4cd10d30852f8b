//! The text of `Fn::Sub`, cut at its variables.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>

use super::error::TemplateError;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself; `${!Name}` has become `${Name}`.
    Text(String),
    /// `${Name}`: a given variable, a parameter, a pseudo parameter or a resource.
    Name(String),
    /// `${Resource.Attribute}`: a given variable of that whole name, or an attribute.
    Attribute(String, String),
}

impl Part {
    /// The variable as written between the braces.
    pub fn variable(&self) -> Option<String> {
        match self {
            Part::Text(_) => None,
            Part::Name(name) => Some(name.clone()),
            Part::Attribute(resource, attribute) => Some(format!("{resource}.{attribute}")),
        }
    }
}

/// Cuts `text` at every `${…}`. A `${` that is never closed is text.
pub(super) fn cut(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inner, behind)) = after.split_once('}') else { break };
        plain.push_str(before);
        rest = behind;
        if let Some(literal) = inner.strip_prefix('!') {
            plain.push_str("${");
            plain.push_str(literal);
            plain.push('}');
            continue;
        }
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(variable(inner.trim())?);
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

fn variable(name: &str) -> Result<Part, TemplateError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':');
    if name.is_empty() || !name.bytes().all(allowed) {
        let message = "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, \
                       periods, and colons";
        return Err(TemplateError::intrinsic(message));
    }
    Ok(match name.split_once('.') {
        Some((resource, attribute)) => Part::Attribute(resource.to_owned(), attribute.to_owned()),
        None => Part::Name(name.to_owned()),
    })
}
