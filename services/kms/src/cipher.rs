//! AES-256-GCM under an encryption context, and the ciphertext's form.
//!
//! A ciphertext is: one byte `1`, the key's id (16 bytes), the number of its material (4 bytes), a nonce (12 bytes), what
//! is encrypted, the tag (16 bytes). Everything before the nonce and the context are authenticated.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base::Fault;
use uuid::Uuid;

use crate::fault;

/// An encryption context: what must be the same when the ciphertext is opened.
pub(crate) type Context = BTreeMap<String, String>;

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 16 + 4;

/// Why something could not be encrypted: never the caller's doing.
#[derive(Debug)]
pub(crate) struct Unusable;

/// Which material a ciphertext was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub key: Uuid,
    pub material: u32,
}

impl Head {
    /// Reads it off a ciphertext.
    pub(crate) fn of(ciphertext: &[u8]) -> Result<Head, Fault> {
        let (head, _) = ciphertext.split_at_checked(HEAD_BYTES).ok_or_else(fault::invalid_ciphertext)?;
        let (id, number) = head[1..].split_at(16);
        match (head[0], Uuid::from_slice(id), <[u8; 4]>::try_from(number)) {
            (FORMAT, Ok(key), Ok(number)) => Ok(Head { key, material: u32::from_be_bytes(number) }),
            _ => Err(fault::invalid_ciphertext()),
        }
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.key.as_bytes());
        bytes.extend(self.material.to_be_bytes());
        bytes
    }
}

/// The ciphertext of `plaintext`. A nonce is never used twice with the same material.
pub(crate) fn seal(
    head: Head,
    material: &[u8],
    nonce: [u8; NONCE_LEN],
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, Unusable> {
    let mut out = head.bytes();
    let aad = authenticated(&out, context);
    out.extend(nonce);
    let mut text = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(material)?.seal_in_place_append_tag(nonce, Aad::from(aad), &mut text).map_err(|_| Unusable)?;
    out.append(&mut text);
    Ok(out)
}

/// What `ciphertext` was made of.
///
/// # Errors
/// `InvalidCiphertextException`: it was changed, or the context is another.
pub(crate) fn open(material: &[u8], context: &Context, ciphertext: &[u8]) -> Result<Vec<u8>, Fault> {
    let (head, rest) = ciphertext.split_at_checked(HEAD_BYTES).ok_or_else(fault::invalid_ciphertext)?;
    let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(fault::invalid_ciphertext)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| fault::invalid_ciphertext())?;
    let cipher = cipher(material).map_err(|Unusable| fault::invalid_ciphertext())?;
    let mut text = text.to_vec();
    let opened = cipher.open_in_place(nonce, Aad::from(authenticated(head, context)), &mut text);
    let length = opened.map_err(|_| fault::invalid_ciphertext())?.len();
    text.truncate(length);
    Ok(text)
}

fn cipher(material: &[u8]) -> Result<LessSafeKey, Unusable> {
    UnboundKey::new(&AES_256_GCM, material).map(LessSafeKey::new).map_err(|_| Unusable)
}

/// Each text of the context stands behind its length, so that no two contexts look the same.
fn authenticated(head: &[u8], context: &Context) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for text in context.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> Context {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_the_same_key_context_and_text_open() {
        let head = Head { key: Uuid::from_u128(7), material: 3 };
        let (material, here) = ([9; 32], context(&[("a", "1")]));
        let sealed = seal(head, &material, [1; 12], &here, b"secret").unwrap();
        assert_eq!(Head::of(&sealed), Ok(head));
        assert_eq!(open(&material, &here, &sealed).unwrap(), b"secret");
        let code = |result: Result<Vec<u8>, Fault>| result.unwrap_err().code;
        for other in [context(&[]), context(&[("a", "2")]), context(&[("", "a"), ("1", "")])] {
            assert_eq!(code(open(&material, &other, &sealed)), "InvalidCiphertextException");
        }
        assert_eq!(code(open(&[8; 32], &here, &sealed)), "InvalidCiphertextException");
        for changed in 0..sealed.len() {
            let mut text = sealed.clone();
            text[changed] ^= 1;
            assert!(open(&material, &here, &text).is_err(), "byte {changed}");
        }
        for length in 0..sealed.len() {
            assert!(open(&material, &here, &sealed[..length]).is_err(), "{length} bytes");
        }
    }
}
