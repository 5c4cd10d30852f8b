//! What other services use: values of any length, encrypted by a key that their caller chose or by AWS's own.
//!
//! Not at AWS, whose services use envelopes of data keys for what is longer than 4,096 bytes.

use base::schema::Blob;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::cipher::Context;
use crate::find;

/// The internal operation that encrypts a value: [`Seal`] to [`Sealed`].
pub const SEAL: &str = "SealForService";
/// The internal operation that decrypts what [`SEAL`] made: [`Open`] to base64 text of the value.
pub const OPEN: &str = "OpenForService";

/// A value to encrypt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Seal {
    /// The id, ARN or alias of a key.
    key_id: String,
    plaintext: Blob,
    encryption_context: Context,
}

/// A value that is encrypted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Sealed {
    ciphertext_blob: Blob,
    /// The ARN of the key.
    key_id: String,
}

/// A value to decrypt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Open {
    ciphertext_blob: Blob,
    encryption_context: Context,
}

pub(crate) async fn seal(tx: &mut Tx, input: Seal) -> Result<Sealed> {
    let (key, master) = find::key_or_alias(tx, &input.key_id).await?;
    let sealed = find::seal(tx, &key, &master, &input.encryption_context, input.plaintext.as_bytes())?;
    Ok(Sealed { ciphertext_blob: sealed.into(), key_id: find::arn(tx, key.id) })
}

pub(crate) async fn open(tx: &mut Tx, input: Open) -> Result<Blob> {
    let ciphertext = input.ciphertext_blob.as_bytes();
    let opened = find::open(tx, None, &input.encryption_context, ciphertext).await?;
    Ok(opened.plaintext.into())
}
