//! The operations, by noun: each is a few lines over the same rows.

pub(crate) mod alias;
pub(crate) mod data_key;
pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod key;
pub(crate) mod policy;
pub(crate) mod re_encrypt;
pub(crate) mod rotation;
pub(crate) mod service_use;
pub(crate) mod state;
pub(crate) mod tags;

use base::Fault;

use crate::api::EncryptionAlgorithmSpec;
use crate::fault;

/// Grants do not exist here, so no token is one's.
pub(crate) fn no_grants(tokens: Option<&Vec<String>>) -> Result<(), Fault> {
    match tokens {
        Some(tokens) if !tokens.is_empty() => {
            Err(Fault::new("InvalidGrantTokenException", "GrantTokens are not implemented by Buswork"))
        }
        _ => Ok(()),
    }
}

/// Keys are symmetric, so there is one algorithm.
pub(crate) fn symmetric(algorithm: Option<EncryptionAlgorithmSpec>) -> Result<(), Fault> {
    match algorithm {
        None | Some(EncryptionAlgorithmSpec::SymmetricDefault) => Ok(()),
        Some(other) => {
            let message = format!("Algorithm {other} is incompatible with key spec SYMMETRIC_DEFAULT.");
            Err(Fault::new("InvalidKeyUsageException", message))
        }
    }
}

/// Attestation documents are of enclaves, of which there are none.
pub(crate) fn no_recipient<T>(recipient: Option<&T>) -> Result<(), Fault> {
    recipient.map_or(Ok(()), |_| Err(fault::unsupported("Recipient")))
}

/// With `DryRun`, a request that would succeed ends here.
pub(crate) fn unless_dry(dry_run: Option<bool>) -> Result<(), Fault> {
    if dry_run == Some(true) { Err(fault::dry_run()) } else { Ok(()) }
}
