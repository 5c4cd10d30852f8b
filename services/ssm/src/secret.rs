//! Secure strings: encrypted by `kms` before they are stored, decrypted by it when a request asks for that.
//!
//! The encryption context binds a ciphertext to its parameter's ARN, as at AWS.

use base::Fault;
use base::schema::Blob;
use kernel::{Effect, Result};
use serde::Deserialize;
use serde_json::json;

/// The key that encrypts unless the request names one.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/ssm";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sealed {
    ciphertext_blob: Blob,
}

/// The ciphertext of `value` as base64 text.
///
/// # Errors
/// `InvalidKeyId`: the key does not exist or is disabled.
pub(crate) async fn seal(effect: &Effect, key_id: &str, arn: &str, value: &str) -> Result<String> {
    let plaintext = Blob::from(value.as_bytes().to_vec()).to_base64();
    let input =
        json!({ "KeyId": key_id, "Plaintext": plaintext, "EncryptionContext": { "PARAMETER_ARN": arn } });
    let answer = effect.kernel().ask(effect.caller().clone(), "kms", "SealForService", &input).await;
    let sealed: Sealed = serde_json::from_value(answer.map_err(of_key)?)?;
    Ok(sealed.ciphertext_blob.to_base64())
}

/// The value that `ciphertext`, base64 text, was made of.
///
/// # Errors
/// `InvalidKeyId`: its key is gone or disabled.
pub(crate) async fn open(effect: &Effect, arn: &str, ciphertext: &str) -> Result<String> {
    let input = json!({ "CiphertextBlob": ciphertext, "EncryptionContext": { "PARAMETER_ARN": arn } });
    let answer = effect.kernel().ask(effect.caller().clone(), "kms", "OpenForService", &input).await;
    let value: Blob = serde_json::from_value(answer.map_err(of_key)?)?;
    String::from_utf8(value.as_bytes().to_vec())
        .map_err(|_| kernel::Error::bug("decrypt a parameter to text"))
}

/// What KMS refuses is the key's fault to a caller of Parameter Store.
fn of_key(fault: Fault) -> Fault {
    match fault.code.as_ref() {
        "NotFoundException" | "DisabledException" | "KMSInvalidStateException" | "AccessDeniedException" => {
            Fault::new("InvalidKeyId", fault.message)
        }
        _ => fault,
    }
}
