//! The access keys of the configuration.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, bail};
use base::AccountId;
use serde::Deserialize;

use super::{Identity, Known, TEMPORARY};

/// An access key that the configuration names.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// Its id, e.g. `AKIAIOSFODNN7EXAMPLE`.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The account that it acts in, twelve digits; the default one if not given.
    #[serde(default)]
    pub account: Option<String>,
    /// The name of the IAM user that it acts as; the account's root user if not given.
    #[serde(default)]
    pub user: Option<String>,
}

/// Without the secret, so that no log has it.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AccessKey {
    /// Reads `id:secret` or `id:secret:account`; several are separated by commas.
    ///
    /// # Errors
    /// There are fewer or more parts.
    pub fn parse_all(text: &str) -> anyhow::Result<Vec<AccessKey>> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(AccessKey::parse).collect()
    }

    fn parse(text: &str) -> anyhow::Result<AccessKey> {
        let mut parts = text.split(':').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(secret), account, None) => Ok(AccessKey { id, secret, account, user: None }),
            _ => bail!("an access key is written `id:secret` or `id:secret:account`"),
        }
    }

    /// Refuses what could never be used.
    ///
    /// # Errors
    /// An empty id or secret, an account that is not twelve digits.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.id.is_empty() || self.secret.is_empty() {
            bail!("an access key needs an id and a secret");
        }
        if self.id.starts_with(TEMPORARY) {
            bail!("the access key {} begins as temporary credentials do; choose another id", self.id);
        }
        match &self.account {
            Some(account) => AccountId::parse(account)
                .map(|_| ())
                .with_context(|| format!("the account of the access key {} is not twelve digits", self.id)),
            None => Ok(()),
        }
    }

    fn known(self) -> Known {
        let account = self.account.as_deref().and_then(AccountId::parse).unwrap_or_default();
        let principal = match &self.user {
            Some(user) => format!("arn:aws:iam::{account}:user/{user}"),
            None => format!("arn:aws:iam::{account}:root"),
        };
        Known { secret: self.secret, identity: Identity { account, principal } }
    }
}

/// The keys by their ids.
pub(super) struct ConfiguredKeys(BTreeMap<String, Known>);

impl ConfiguredKeys {
    pub(super) fn new(keys: Vec<AccessKey>) -> ConfiguredKeys {
        ConfiguredKeys(keys.into_iter().map(|key| (key.id.clone(), key.known())).collect())
    }

    pub(super) fn find(&self, access_key: &str) -> Option<Known> {
        self.0.get(access_key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_one_line() {
        let keys = AccessKey::parse_all("AKIAONE:s/e+c=ret, AKIATWO:other:111122223333").unwrap();
        assert_eq!(
            (keys[0].secret.as_str(), keys[1].account.as_deref()),
            ("s/e+c=ret", Some("111122223333"))
        );
        assert!(!format!("{keys:?}").contains("s/e+c=ret"));
        assert!(keys.iter().all(|key| key.check().is_ok()));
        assert!(AccessKey::parse_all("AKIAONE").is_err());
        for wrong in ["A:b:12", ":b", "A:", "ASIAX:b"] {
            assert!(AccessKey::parse_all(wrong).unwrap()[0].check().is_err(), "{wrong}");
        }
        let known = ConfiguredKeys::new(keys).find("AKIATWO").unwrap();
        assert_eq!(known.identity.principal, "arn:aws:iam::111122223333:root");
    }
}
