//! The template engine: text in, a checked tree out; parameters and identities in, values out.
//!
//! Pure: knows no service, no store, no clock. It never panics, whatever the text. What AWS has and Buswork has not
//! (hooks, update policies) is refused by name, never ignored.

mod check;
mod cidr;
mod draft;
mod error;
mod eval;
mod expr;
mod graph;
mod known;
mod parameter;
mod predicate;
mod section;
mod sub;
mod text;
mod transform;
mod yaml;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

use base::Document;
use indexmap::IndexMap;

pub use draft::Draft;
pub use error::TemplateError;
pub use eval::{Environment, Pseudo, Scope};
pub use expr::Expr;
pub use graph::{Cycle, order};
pub use parameter::{
    Given, MASK, Parameter, ParameterType, ParameterValue, ParameterValues, resolve as resolve_parameters,
};
pub use predicate::Predicate;
pub use section::{Assertion, CreationPolicy, DeletionPolicy, Output, Resource, Rule, output_text};
pub use sub::Part;
pub use text::{BODY_BYTES_MAX, URL_BYTES_MAX};

/// Top-level key, second-level key, value: a string or a list of strings.
pub type Mapping = IndexMap<String, IndexMap<String, Document>>;

/// A template whose sections, functions and references are known to be well-formed.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// `Description`, at most 1,024 bytes.
    pub description: Option<String>,
    /// `Metadata` as written.
    pub metadata: Option<Document>,
    /// `Parameters`, at most 200.
    pub parameters: IndexMap<String, Parameter>,
    /// `Mappings`, at most 200.
    pub mappings: IndexMap<String, Mapping>,
    /// `Conditions`.
    pub conditions: IndexMap<String, Predicate>,
    /// `Rules`.
    pub rules: IndexMap<String, Rule>,
    /// `Resources`, 1 to 500.
    pub resources: IndexMap<String, Resource>,
    /// `Outputs`, at most 200.
    pub outputs: IndexMap<String, Output>,
}

impl Template {
    /// Reads what transforms have made already.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn processed(text: &str) -> Result<Template, TemplateError> {
        draft::whole(&text::read(text)?)
    }

    /// Reads YAML or JSON without transforms and checks everything that can be checked without parameters.
    ///
    /// # Errors
    /// The first thing that CloudFormation would refuse, in its words.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let draft = Draft::read(text)?;
        if let Some(name) = draft.transforms.first() {
            return Err(TemplateError::unsupported(format!("the transform {name} without parameters")));
        }
        draft.finish(&ParameterValues::new(), &Pseudo::default()).map(|(template, _)| template)
    }
}
