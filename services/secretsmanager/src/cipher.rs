//! Values: encrypted by `kms` before they are stored, decrypted by it when they are read.
//!
//! The encryption context binds a ciphertext to its secret's ARN and its version, as at AWS.

use base::Fault;
use base::schema::Blob;
use kernel::{Effect, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault;
use crate::keys::Sealed;

/// The key that encrypts unless the request names one.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

/// A value as a request brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    Bytes(Blob),
}

impl Content {
    /// The value that a request brings, if it brings one.
    ///
    /// # Errors
    /// `InvalidParameterException`: it brings text and bytes.
    pub(crate) fn of(text: Option<String>, bytes: Option<Blob>) -> Result<Option<Content>, Fault> {
        match (text, bytes) {
            (Some(_), Some(_)) => Err(fault::parameter(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            )),
            (Some(text), None) => Ok(Some(Content::Text(text))),
            (None, Some(bytes)) => Ok(Some(Content::Bytes(bytes))),
            (None, None) => Ok(None),
        }
    }

    /// As text, for answers.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Content::Text(text) => Some(text.clone()),
            Content::Bytes(_) => None,
        }
    }

    /// As bytes, for answers.
    pub(crate) fn bytes(&self) -> Option<Blob> {
        match self {
            Content::Text(_) => None,
            Content::Bytes(bytes) => Some(bytes.clone()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ciphertext {
    ciphertext_blob: Blob,
}

/// Encrypts a version's value.
///
/// # Errors
/// `EncryptionFailure`: the key does not exist or is disabled.
pub(crate) async fn seal(
    effect: &Effect,
    kms_key: &str,
    arn: &str,
    version: &str,
    content: &Content,
) -> Result<Sealed> {
    let (plaintext, binary) = match content {
        Content::Text(text) => (Blob::from(text.as_bytes().to_vec()), false),
        Content::Bytes(bytes) => (bytes.clone(), true),
    };
    let input = json!({
        "KeyId": kms_key,
        "Plaintext": plaintext.to_base64(),
        "EncryptionContext": context(arn, version),
    });
    let answer = effect.kernel().ask(effect.caller().clone(), "kms", "SealForService", &input).await;
    let answer = answer.map_err(|fault| of_key(fault, "EncryptionFailure", "encrypt"))?;
    let sealed: Ciphertext = serde_json::from_value(answer)?;
    Ok(Sealed { ciphertext: sealed.ciphertext_blob, binary })
}

/// Decrypts a version's value.
///
/// # Errors
/// `DecryptionFailure`: its key is gone or disabled.
pub(crate) async fn open(effect: &Effect, arn: &str, version: &str, sealed: &Sealed) -> Result<Content> {
    let input = json!({
        "CiphertextBlob": sealed.ciphertext.to_base64(),
        "EncryptionContext": context(arn, version),
    });
    let answer = effect.kernel().ask(effect.caller().clone(), "kms", "OpenForService", &input).await;
    let answer = answer.map_err(|fault| of_key(fault, "DecryptionFailure", "decrypt"))?;
    let bytes: Blob = serde_json::from_value(answer)?;
    if sealed.binary {
        return Ok(Content::Bytes(bytes));
    }
    match String::from_utf8(bytes.as_bytes().to_vec()) {
        Ok(text) => Ok(Content::Text(text)),
        Err(_) => Err(kernel::Error::bug("decrypt a secret to text")),
    }
}

fn context(arn: &str, version: &str) -> Value {
    json!({ "SecretARN": arn, "SecretVersionId": version })
}

/// What KMS refuses is the key's fault to a caller of Secrets Manager.
fn of_key(fault: Fault, code: &'static str, what: &str) -> Fault {
    match fault.code.as_ref() {
        "NotFoundException" | "DisabledException" | "KMSInvalidStateException" | "AccessDeniedException" => {
            let message =
                format!("Secrets Manager can't {what} the secret value: KMS answers {}", fault.message);
            Fault::new(code, message)
        }
        _ => fault,
    }
}
