//! What is wrong with a template or its parameters, in AWS's words.

use base::Fault;

/// A template, a parameter or an evaluation that CloudFormation refuses with `ValidationError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl TemplateError {
    /// The message as it stands.
    pub fn new(message: impl Into<String>) -> TemplateError {
        TemplateError(message.into())
    }

    /// `Template format error: …`: the text is not shaped as a template.
    pub fn format(message: impl std::fmt::Display) -> TemplateError {
        TemplateError(format!("Template format error: {message}"))
    }

    /// `Template error: …`: an intrinsic function is used wrongly.
    pub fn intrinsic(message: impl std::fmt::Display) -> TemplateError {
        TemplateError(format!("Template error: {message}"))
    }

    /// `Template validation error: …`: the shape is right, the meaning is not.
    pub fn validation(message: impl std::fmt::Display) -> TemplateError {
        TemplateError(format!("Template validation error: {message}"))
    }

    /// AWS has it, Buswork does not (yet): named, never ignored.
    pub fn unsupported(what: impl std::fmt::Display) -> TemplateError {
        TemplateError::validation(format!("{what} is not supported by Buswork"))
    }

    /// The text shown to the caller.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl From<TemplateError> for Fault {
    fn from(error: TemplateError) -> Fault {
        Fault::new("ValidationError", error.0)
    }
}
