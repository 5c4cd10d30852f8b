//! The faults of the schema registry, in its codes.

use base::Fault;
use serde_json::json;

/// Every modelled error has its code among its members too.
fn coded(code: &'static str, status: u16, message: String) -> Fault {
    Fault::new(code, message).with_status(status).with_members(json!({ "Code": code }))
}

pub(crate) fn bad_request(message: impl Into<String>) -> Fault {
    coded("BadRequestException", 400, message.into())
}

pub(crate) fn conflict(message: impl Into<String>) -> Fault {
    coded("ConflictException", 409, message.into())
}

pub(crate) fn forbidden(message: impl Into<String>) -> Fault {
    coded("ForbiddenException", 403, message.into())
}

pub(crate) fn not_found(message: impl Into<String>) -> Fault {
    coded("NotFoundException", 404, message.into())
}

pub(crate) fn precondition_failed(message: impl Into<String>) -> Fault {
    coded("PreconditionFailedException", 412, message.into())
}

pub(crate) fn no_such_registry(name: &str) -> Fault {
    not_found(format!("Registry with name {name} does not exist."))
}

pub(crate) fn no_such_schema(name: &str) -> Fault {
    not_found(format!("Schema with name {name} does not exist."))
}

pub(crate) fn no_such_version(schema: &str, version: &str) -> Fault {
    not_found(format!("Schema version {version} of schema {schema} does not exist."))
}

pub(crate) fn no_such_discoverer(id: &str) -> Fault {
    not_found(format!("Discoverer with id {id} does not exist."))
}
