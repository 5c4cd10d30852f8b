//! Template text to a document: JSON or YAML, sized, without nulls.

use base::Document;

use super::error::TemplateError;
use super::yaml;

/// Bytes of a template given in the request.
pub const BODY_BYTES_MAX: usize = 51_200;
/// Bytes of a template fetched from a URL.
pub const URL_BYTES_MAX: usize = 1_000_000;
/// How deep collections may nest, in both languages.
pub(super) const DEPTH_MAX: usize = 100;

/// The template as a document, its short forms (`!Ref`) expanded. Text whose first character is `{` is JSON.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>
pub(super) fn read(text: &str) -> Result<Document, TemplateError> {
    if text.len() > URL_BYTES_MAX {
        let message = format!("Template may not exceed {URL_BYTES_MAX} bytes in size.");
        return Err(TemplateError::new(message));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = match text.trim_start().starts_with('{') {
        true => read_json(text)?,
        false => yaml::read(text)?,
    };
    let mut path = Vec::new();
    refuse_nulls(&document, &mut path)?;
    Ok(document)
}

fn read_json(text: &str) -> Result<Document, TemplateError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        TemplateError::format(format!("JSON not well-formed. (line {line}, column {column})"))
    })
}

fn refuse_nulls(document: &Document, path: &mut Vec<String>) -> Result<(), TemplateError> {
    match document {
        Document::Null => {
            let at = shown(path);
            Err(TemplateError::new(format!("[{at}] 'null' values are not allowed in templates")))
        }
        Document::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            path.push(index.to_string());
            refuse_nulls(item, path)?;
            path.pop();
            Ok(())
        }),
        Document::Object(members) => members.iter().try_for_each(|(name, member)| {
            path.push(name.clone());
            refuse_nulls(member, path)?;
            path.pop();
            Ok(())
        }),
        _ => Ok(()),
    }
}

/// AWS shows the properties of a resource under `Type`, not under `Properties`.
fn shown(path: &[String]) -> String {
    let step = |(index, name): (usize, &String)| match (index, name.as_str()) {
        (2, "Properties") if path[0] == "Resources" && path.len() > 3 => "/Type".to_owned(),
        _ => format!("/{name}"),
    };
    path.iter().enumerate().map(step).collect()
}
