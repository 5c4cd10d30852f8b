//! Names and ARNs of registries, schemas and discoverers.

use base::{Arn, Fault};
use kernel::Scope;

use crate::fault;

/// The registry of the events that the services themselves send.
pub(crate) const AWS_REGISTRY: &str = "aws.events";
/// The registry of what discoverers find.
pub(crate) const DISCOVERED: &str = "discovered-schemas";

/// The longest names, in characters.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-schema-registry.html>
const REGISTRY_CHARS_MAX: usize = 64;
const SCHEMA_CHARS_MAX: usize = 385;

/// Refuses a registry's name that AWS would not take, and the names that are its own.
pub(crate) fn check_registry(name: &str) -> Result<(), Fault> {
    check("RegistryName", name, REGISTRY_CHARS_MAX, "-_.")?;
    if name.starts_with("aws.") {
        return Err(fault::forbidden(format!(
            "Registry {name} cannot be changed: names that begin with aws. belong to AWS."
        )));
    }
    Ok(())
}

/// Refuses a schema's name that AWS would not take.
pub(crate) fn check_schema(name: &str) -> Result<(), Fault> {
    check("SchemaName", name, SCHEMA_CHARS_MAX, "-_.@")
}

fn check(what: &str, name: &str, chars_max: usize, others: &str) -> Result<(), Fault> {
    let good = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if !name.is_empty() && name.chars().count() <= chars_max && name.chars().all(good) {
        return Ok(());
    }
    let message =
        format!("{what} must have 1 to {chars_max} characters out of a-z, A-Z, 0-9 and {others}: {name}");
    Err(fault::bad_request(message))
}

/// A registry's ARN; AWS's own registry belongs to no account.
pub(crate) fn registry_arn(scope: &Scope, name: &str) -> String {
    arn(scope, name, format!("registry/{name}"))
}

/// A schema's ARN.
pub(crate) fn schema_arn(scope: &Scope, registry: &str, name: &str) -> String {
    arn(scope, registry, format!("schema/{registry}/{name}"))
}

/// A discoverer's ARN.
pub(crate) fn discoverer_arn(scope: &Scope, id: &str) -> String {
    arn(scope, id, format!("discoverer/{id}"))
}

fn arn(scope: &Scope, registry: &str, resource: String) -> String {
    let mut arn = Arn::new("schemas", &scope.region, &scope.account, resource);
    if registry == AWS_REGISTRY {
        arn.account.clear();
    }
    arn.to_string()
}

/// A discoverer's id: its bus with a word of where it is.
pub(crate) fn discoverer_id(bus: &str) -> String {
    format!("events-event-bus-{bus}")
}

/// The name of a schema that was discovered: `my.app@OrderPlaced` for the detail type `order placed`.
pub(crate) fn discovered_schema(source: &str, detail_type: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let source: String = source.chars().map(|c| if good(c) { c } else { '-' }).collect();
    let name = format!("{source}@{}", pascal_case(detail_type));
    name.chars().take(SCHEMA_CHARS_MAX).collect()
}

/// The words of a text, each with a capital, in one: a type's name. Letters and digits of ASCII only, and never a digit
/// in front.
pub(crate) fn pascal_case(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut fresh = true;
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() {
            fresh = true;
            continue;
        }
        name.push(if fresh { c.to_ascii_uppercase() } else { c });
        fresh = false;
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'T');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_discovered_schemas_are_aws() {
        for (source, detail_type, name) in [
            ("my.app", "OrderPlaced", "my.app@OrderPlaced"),
            ("my.app", "order placed (v2)", "my.app@OrderPlacedV2"),
            (
                "aws.states",
                "Step Functions Execution Status Change",
                "aws.states@StepFunctionsExecutionStatusChange",
            ),
            ("com/shop", "order-placed", "com-shop@OrderPlaced"),
            ("a", "2 events", "a@T2Events"),
        ] {
            assert_eq!(discovered_schema(source, detail_type), name);
            assert!(check_schema(name).is_ok());
        }
    }

    #[test]
    fn names_that_are_refused() {
        for name in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert_eq!(check_registry(name).unwrap_err().code, "BadRequestException", "{name}");
        }
        assert_eq!(check_registry("aws.events").unwrap_err().code, "ForbiddenException");
        assert!(check_registry("discovered-schemas").is_ok() && check_schema("a@B").is_ok());
    }
}
