//! A template before its transforms: the document, and what it declares.

use std::collections::BTreeMap;

use base::Document;
use indexmap::IndexMap;

use super::error::TemplateError;
use super::eval::Pseudo;
use super::parameter::{Parameter, ParameterValues};
use super::text::{self, URL_BYTES_MAX};
use super::{Template, check, section, transform};

/// A template as its author wrote it.
#[derive(Clone, Debug)]
pub struct Draft {
    document: Document,
    /// `Parameters`: no transform makes them.
    pub parameters: IndexMap<String, Parameter>,
    /// `Transform`: the names, in the order written.
    pub transforms: Vec<String>,
}

impl Draft {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// The text is no template, or names a transform that Buswork does not have.
    pub fn read(text: &str) -> Result<Draft, TemplateError> {
        let document = text::read(text)?;
        let transforms = transform::declared(&document)?;
        let parameters = section::parameters(&document)?;
        Ok(Draft { document, parameters, transforms })
    }

    /// The template itself, and its text where transforms have made it another one.
    ///
    /// # Errors
    /// The first thing that CloudFormation would refuse, in its words.
    pub fn finish(
        &self,
        values: &ParameterValues,
        pseudo: &Pseudo,
    ) -> Result<(Template, Option<String>), TemplateError> {
        if self.transforms.is_empty() {
            transform::refuse_extensions(&self.document)?;
            return Ok((whole(&self.document)?, None));
        }
        let processed = transform::process(&self.document, &self.transforms, values, pseudo)?;
        let text = processed.to_string();
        if text.len() > URL_BYTES_MAX {
            let message =
                format!("Template may not exceed {URL_BYTES_MAX} bytes in size after its transforms.");
            return Err(TemplateError::new(message));
        }
        Ok((whole(&processed)?, Some(text)))
    }

    /// The template for somebody who only looks: parameters have their defaults, and empty text where there is none.
    ///
    /// # Errors
    /// As [`Draft::finish`].
    pub fn glance(&self, pseudo: &Pseudo) -> Result<Template, TemplateError> {
        let value = |(name, parameter): (&String, &Parameter)| {
            let text = parameter.default.clone().unwrap_or_default();
            (name.clone(), parameter.value_of(text))
        };
        let values: BTreeMap<_, _> = self.parameters.iter().map(value).collect();
        self.finish(&values, pseudo).map(|(template, _)| template)
    }
}

pub(super) fn whole(document: &Document) -> Result<Template, TemplateError> {
    let template = section::template(document)?;
    check::references(&template)?;
    Ok(template)
}
