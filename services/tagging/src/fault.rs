//! Errors of this API.

use base::Fault;

/// What cannot be asked for.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", message)
}
