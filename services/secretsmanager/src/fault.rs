//! The faults of Secrets Manager, in its codes and words.
//!
//! Source: the operations' pages in <https://docs.aws.amazon.com/secretsmanager/latest/apireference/>.

use base::Fault;

pub(crate) fn not_found() -> Fault {
    missing("Secrets Manager can't find the specified secret.".to_owned())
}

pub(crate) fn no_such_version(id: &str) -> Fault {
    missing(format!("Secrets Manager can't find the specified secret value for VersionId: {id}"))
}

pub(crate) fn no_such_stage(stage: &str) -> Fault {
    missing(format!("Secrets Manager can't find the specified secret value for staging label: {stage}"))
}

fn missing(message: String) -> Fault {
    Fault::new("ResourceNotFoundException", message)
}

pub(crate) fn exists(name: &str) -> Fault {
    let message = format!("The operation failed because the secret {name} already exists.");
    Fault::new("ResourceExistsException", message)
}

pub(crate) fn version_exists() -> Fault {
    let message = "You can't modify an existing version, you can only create a new version.";
    Fault::new("ResourceExistsException", message)
}

pub(crate) fn marked_for_deletion() -> Fault {
    request("You can't perform this operation on the secret because it was marked for deletion.")
}

pub(crate) fn request(message: impl Into<String>) -> Fault {
    Fault::new("InvalidRequestException", message)
}

pub(crate) fn parameter(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", message)
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    parameter(format!("{what} is not implemented by Buswork"))
}

pub(crate) fn limit(message: impl Into<String>) -> Fault {
    Fault::new("LimitExceededException", message)
}

pub(crate) fn invalid_token() -> Fault {
    Fault::new("InvalidNextTokenException", "The NextToken value is invalid.")
}
