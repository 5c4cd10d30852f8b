//! The faults of KMS, in its codes and words.
//!
//! Source: the operations' pages in <https://docs.aws.amazon.com/kms/latest/APIReference/>.

use base::Fault;

pub(crate) fn no_such_key(arn: &str) -> Fault {
    Fault::new("NotFoundException", format!("Key '{arn}' does not exist"))
}

pub(crate) fn invalid_key_id(text: &str) -> Fault {
    Fault::new("NotFoundException", format!("Invalid keyId '{text}'"))
}

pub(crate) fn no_such_alias(arn: &str) -> Fault {
    Fault::new("NotFoundException", format!("Alias {arn} is not found."))
}

pub(crate) fn alias_exists(arn: &str) -> Fault {
    Fault::new("AlreadyExistsException", format!("An alias with the name {arn} already exists"))
}

pub(crate) fn disabled(arn: &str) -> Fault {
    Fault::new("DisabledException", format!("{arn} is disabled."))
}

pub(crate) fn invalid_state(arn: &str, state: &str) -> Fault {
    Fault::new("KMSInvalidStateException", format!("{arn} is {state}."))
}

pub(crate) fn invalid_ciphertext() -> Fault {
    Fault::new("InvalidCiphertextException", "")
}

pub(crate) fn unreachable_key() -> Fault {
    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or \
                   you are not allowed to access.";
    Fault::new("AccessDeniedException", message)
}

pub(crate) fn incorrect_key() -> Fault {
    let message = "The key ID in the request does not identify a CMK that can perform this operation.";
    Fault::new("IncorrectKeyException", message)
}

pub(crate) fn dry_run() -> Fault {
    Fault::new("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}

pub(crate) fn unsupported(what: &str) -> Fault {
    Fault::new("UnsupportedOperationException", format!("{what} is not implemented by Buswork"))
}

pub(crate) fn malformed_policy(why: &str) -> Fault {
    Fault::new("MalformedPolicyDocumentException", why)
}

pub(crate) fn invalid_marker() -> Fault {
    Fault::new("InvalidMarkerException", "The marker is not one that this operation gave out.")
}
