//! The faults of Parameter Store, in its codes and words.
//!
//! Source: the operations' pages in <https://docs.aws.amazon.com/systems-manager/latest/APIReference/>.

use base::Fault;

pub(crate) fn not_found(name: &str) -> Fault {
    Fault::new("ParameterNotFound", format!("Parameter {name} not found."))
}

pub(crate) fn version_not_found(name: &str, version: &str) -> Fault {
    let message = format!(
        "Systems Manager could not find version {version} of {name}. Verify the version and try again."
    );
    Fault::new("ParameterVersionNotFound", message)
}

pub(crate) fn already_exists() -> Fault {
    let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
    Fault::new("ParameterAlreadyExists", message)
}

pub(crate) fn type_changed() -> Fault {
    let message =
        "Parameter Store doesn't support changing a parameter type. You must create a new, unique parameter.";
    Fault::new("HierarchyTypeMismatchException", message)
}

pub(crate) fn too_deep() -> Fault {
    Fault::new("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels.")
}

pub(crate) fn oldest_is_labelled(name: &str, oldest: u64) -> Fault {
    let message = format!(
        "You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. \
         Version {oldest}, the oldest version, can't be deleted because it has a label associated with it. Move the \
         label to another version of the parameter, and try again."
    );
    Fault::new("ParameterMaxVersionLimitExceeded", message)
}

pub(crate) fn too_many_labels(labels: usize) -> Fault {
    let message = format!("A parameter version can have a maximum of {labels} labels.");
    Fault::new("ParameterVersionLabelLimitExceeded", message)
}

pub(crate) fn invalid_token() -> Fault {
    Fault::new("InvalidNextToken", "The specified token is not valid.")
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    Fault::validation(format!("{what} is not implemented by Buswork"))
}
