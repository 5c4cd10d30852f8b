//! The faults of ECR, in its codes and words.
//!
//! Source: the operations' pages in <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/>.

use base::Fault;

pub(crate) fn not_found(name: &str, registry: &str) -> Fault {
    let message =
        format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
    Fault::new("RepositoryNotFoundException", message)
}

pub(crate) fn already_exists(name: &str, registry: &str) -> Fault {
    let message =
        format!("The repository with name '{name}' already exists in the registry with id '{registry}'");
    Fault::new("RepositoryAlreadyExistsException", message)
}

pub(crate) fn no_lifecycle_policy(name: &str, registry: &str) -> Fault {
    let message = format!(
        "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{registry}'"
    );
    Fault::new("LifecyclePolicyNotFoundException", message)
}

pub(crate) fn no_policy(name: &str, registry: &str) -> Fault {
    let message = format!(
        "Repository policy does not exist for the repository with name '{name}' in the registry with id '{registry}'"
    );
    Fault::new("RepositoryPolicyNotFoundException", message)
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", message)
}
