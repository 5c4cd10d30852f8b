//! What validation has to say about a definition, in the words of `ValidateStateMachineDefinition`.

use std::fmt;

/// Whether a diagnostic refuses the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The definition cannot be created or updated.
    Error,
    /// The definition is accepted; something in it is probably a mistake.
    Warning,
}

impl Severity {
    /// AWS's word: `ERROR` or `WARNING`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
        }
    }
}

/// The identifying code of a diagnostic. The list is that of AWS's `ValidateStateMachineDefinitionDiagnostic`,
/// less those that only the service can raise (names of state machines).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown, of the wrong type or badly formed.
    SchemaValidationFailed,
    /// No path through the machine ends.
    MissingEndState,
    /// A state name appears twice, in whatever branches.
    DuplicateStateName,
    /// A state name is too long or holds forbidden characters.
    InvalidStateName,
    /// A transition names no state, or a state is the target of none.
    MissingTransitionTarget,
    /// Branches within branches beyond the limit.
    TooDeeplyNested,
    /// A JSONata expression cannot be read.
    InvalidJsonataExpression,
    /// A JSONata expression means something that has no meaning in a state machine.
    UnsupportedJsonataExpression,
    /// A variable of an outer scope is assigned in an inner one.
    DuplicateVariableName,
    /// Two distributed maps bear one label.
    DuplicateLabel,
    /// Warning: a variable that no state assigns is read.
    PossiblyUndefinedVariable,
    /// Warning: a template member looks like a path but its name lacks `.$`.
    NoDollar,
    /// Warning: a field looks like a path but its name does not end with `Path`.
    NoPath,
    /// Warning: a Pass state's `Result` holds something that looks like a path, and will not be evaluated.
    PassResultIsStatic,
}

impl Code {
    /// AWS's word, for example `SCHEMA_VALIDATION_FAILED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::MissingEndState => "MISSING_END_STATE",
            Self::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Self::InvalidStateName => "INVALID_STATE_NAME",
            Self::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Self::TooDeeplyNested => "TOO_DEEPLY_NESTED",
            Self::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Self::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
            Self::DuplicateVariableName => "DUPLICATE_VARIABLE_NAME",
            Self::DuplicateLabel => "DUPLICATE_LABEL",
            Self::PossiblyUndefinedVariable => "POSSIBLY_UNDEFINED_VARIABLE",
            Self::NoDollar => "NO_DOLLAR",
            Self::NoPath => "NO_PATH",
            Self::PassResultIsStatic => "PASS_RESULT_IS_STATIC",
        }
    }

    /// Warnings are the codes that AWS lists as such.
    pub fn severity(self) -> Severity {
        match self {
            Self::NoDollar | Self::NoPath | Self::PassResultIsStatic | Self::PossiblyUndefinedVariable => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }
}

/// One finding about a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The identifying code.
    pub code: Code,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Where, for example `/States/A/Next`; absent where AWS gives none.
    pub location: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: Code, message: impl Into<String>, location: Option<&str>) -> Self {
        Self {
            severity: code.severity(),
            code,
            message: message.into(),
            location: location.map(str::to_owned),
        }
    }

    /// Is this an error?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `CODE: message at location`, as `InvalidDefinition` words one diagnostic (with `null` for no location).
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.location.as_deref().unwrap_or("null");
        write!(f, "{}: {} at {location}", self.code.as_str(), self.message)
    }
}

/// The message of the `InvalidDefinition` error for these diagnostics (only errors are named), for example
/// `Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next'`.
pub fn invalid_definition_message(diagnostics: &[Diagnostic]) -> String {
    let errors: Vec<String> =
        diagnostics.iter().filter(|d| d.is_error()).map(Diagnostic::to_string).collect();
    format!("Invalid State Machine Definition: '{}'", errors.join(", "))
}
