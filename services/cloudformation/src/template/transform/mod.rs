//! Transforms: what makes one template out of another. Pure.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html>

mod language;
mod serverless;
#[cfg(test)]
mod tests;

use base::Document;

use super::error::TemplateError;
use super::eval::Pseudo;
use super::parameter::ParameterValues;

const LANGUAGE: &str = "AWS::LanguageExtensions";
const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// The transforms that a template asks for.
pub(super) fn declared(document: &Document) -> Result<Vec<String>, TemplateError> {
    let malformed = || TemplateError::format("Transform must be a string or a list of strings.");
    let names: Vec<String> = match document.get("Transform") {
        None => Vec::new(),
        Some(Document::String(name)) => vec![name.clone()],
        Some(Document::Array(names)) => {
            let name = |name: &Document| name.as_str().map(str::to_owned).ok_or_else(malformed);
            names.iter().map(name).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(malformed()),
    };
    match names.iter().find(|name| *name != LANGUAGE && *name != SERVERLESS) {
        Some(name) => Err(TemplateError::unsupported(format!("the transform {name}"))),
        None => Ok(names),
    }
}

/// The document that the transforms make. As on AWS, the extensions of the language come before everything else.
pub(super) fn process(
    document: &Document,
    transforms: &[String],
    values: &ParameterValues,
    pseudo: &Pseudo,
) -> Result<Document, TemplateError> {
    let mut document = document.clone();
    if let Some(root) = document.as_object_mut() {
        root.remove("Transform");
    }
    match transforms.iter().any(|name| name == LANGUAGE) {
        true => document = language::process(document, values, pseudo)?,
        false => refuse_extensions(&document)?,
    }
    if transforms.iter().any(|name| name == SERVERLESS) {
        document = serverless::process(document)?;
    }
    Ok(document)
}

/// Refuses what only the extensions of the language know, in a template that does not ask for them.
pub(super) fn refuse_extensions(document: &Document) -> Result<(), TemplateError> {
    match language::used(document) {
        None => Ok(()),
        Some(name) => Err(TemplateError::new(format!(
            "Template error: {name} needs the transform AWS::LanguageExtensions in the template's Transform section"
        ))),
    }
}
