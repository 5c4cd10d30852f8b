//! Secrets as they are named, found and shown.

use base::{Arn, Fault, Timestamp};
use kernel::{Result, Scope, Tx};
use uuid::Uuid;

use crate::api::Tag;
use crate::fault;
use crate::keys::{Secret, SecretKey};

/// The characters behind the name in a secret's ARN.
const SUFFIX_CHARACTERS: usize = 6;

/// A secret's ARN.
pub(crate) fn arn(here: &Scope, name: &str, suffix: &str) -> String {
    let resource = format!("secret:{name}-{suffix}");
    Arn::new("secretsmanager", &here.region, &here.account, resource).to_string()
}

/// Six letters and digits that chance gave an id.
pub(crate) fn suffix(id: Uuid) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The last bytes of an id are chance alone.
    let letter = |byte: &u8| ALPHABET[usize::from(*byte) % ALPHABET.len()] as char;
    id.as_bytes().iter().rev().take(SUFFIX_CHARACTERS).map(letter).collect()
}

/// Refuses a name that no secret may have.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.chars().all(allowed) {
        return Ok(());
    }
    Err(fault::parameter(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    ))
}

/// The names that an id may stand for, each with the suffix that must be the secret's: a name itself, an ARN, or an ARN
/// without its last characters.
fn readings(id: &str, here: &Scope) -> Result<Vec<(String, Option<String>)>, Fault> {
    if !id.starts_with("arn:") {
        return Ok(vec![(id.to_owned(), None)]);
    }
    let arn: Arn =
        id.parse().map_err(|_| fault::parameter("Invalid ARN: the text is no ARN of a secret."))?;
    let ours = arn.service == "secretsmanager"
        && arn.account_id().as_ref() == Some(&here.account)
        && arn.region_name().as_ref() == Some(&here.region);
    let text = arn.resource.strip_prefix("secret:").filter(|_| ours).ok_or_else(fault::not_found)?;
    let partial = (text.to_owned(), None);
    Ok(match text.rsplit_once('-') {
        Some((name, suffix)) if suffix.len() == SUFFIX_CHARACTERS => {
            vec![(name.to_owned(), Some(suffix.to_owned())), partial]
        }
        _ => vec![partial],
    })
}

/// The secret of that name or ARN, guarded, also if it is marked for deletion.
///
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) async fn find_any(tx: &mut Tx, id: &str) -> Result<(SecretKey, Secret)> {
    for (name, suffix) in readings(id, tx.scope())? {
        let key = SecretKey { name };
        if let Some(secret) = tx.get(&key).await?
            && suffix.is_none_or(|suffix| suffix == secret.suffix)
        {
            return Ok((key, secret));
        }
    }
    Err(fault::not_found().into())
}

/// The secret of that name or ARN, guarded.
///
/// # Errors
/// `ResourceNotFoundException`; `InvalidRequestException` if it is marked for deletion.
pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<(SecretKey, Secret)> {
    let (key, secret) = find_any(tx, id).await?;
    if secret.deletion.is_some() {
        return Err(fault::marked_for_deletion().into());
    }
    Ok((key, secret))
}

/// When a secret goes, if it is marked for deletion.
pub(crate) fn marked(secret: &Secret) -> Option<Timestamp> {
    secret.deletion.as_ref().map(|deletion| deletion.at)
}

impl Secret {
    /// Its ARN, under its name.
    pub(crate) fn arn(&self, tx: &Tx, name: &str) -> String {
        arn(tx.scope(), name, &self.suffix)
    }

    /// Its tags, as answers carry them.
    pub(crate) fn shown_tags(&self) -> Vec<Tag> {
        let show =
            |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
        self.tags.iter().map(show).collect()
    }
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    #[test]
    fn ids_are_names_and_whole_or_partial_arns() {
        let here = Scope { account: AccountId::default(), region: Region::default() };
        let read = |id: &str| readings(id, &here);
        assert_eq!(read("db/main"), Ok(vec![("db/main".to_owned(), None)]));
        let whole = arn(&here, "db-main", "AbC123");
        let (name, partial) = (("db-main".to_owned(), Some("AbC123".to_owned())), "db-main-AbC123");
        assert_eq!(read(&whole), Ok(vec![name, (partial.to_owned(), None)]));
        assert_eq!(read(whole.trim_end_matches("-AbC123")), Ok(vec![("db-main".to_owned(), None)]));
        let elsewhere = whole.replace("000000000000", "111122223333");
        assert_eq!(read(&elsewhere).unwrap_err().code, "ResourceNotFoundException");
        assert_eq!(suffix(Uuid::from_u128(0x0102_0304_0506)), "GFEDCB");
    }
}
