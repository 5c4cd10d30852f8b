//! Credentials of functions' processes: made, never stored.
//!
//! The session token says whose they are and is sealed with a secret of this process; key and secret follow from it. They
//! cease with the process, as the functions that hold them do.

use base::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use kernel::Chance;
use lambda::runtime::Credentials;
use sha2::Sha256;

use super::{Identity, Known, TEMPORARY, same};

/// The alphabet of access keys.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Makes credentials of functions, and knows them again.
pub struct FunctionKeys(Sealer);

/// Codes that only this process makes.
#[derive(Clone)]
pub(super) struct Sealer([u8; 32]);

impl Sealer {
    pub(super) fn new(chance: &Chance) -> Sealer {
        let mut secret = [0; 32];
        for part in secret.chunks_mut(8) {
            part.copy_from_slice(&chance.next_u64().to_be_bytes()[..part.len()]);
        }
        Sealer(secret)
    }

    /// The code of a text, for one purpose.
    pub(super) fn seal(&self, purpose: &str, text: &str) -> [u8; 32] {
        // HMAC takes keys of any length, so the other branch is never taken.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0)
            .unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&Default::default()));
        for part in [purpose, "\n", text] {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl FunctionKeys {
    /// With a secret of its own.
    pub fn new(chance: &Chance) -> FunctionKeys {
        FunctionKeys(Sealer::new(chance))
    }

    /// The credentials of a function that acts in a role.
    pub fn issue(&self, account: &AccountId, role: &str, function: &str) -> Credentials {
        let role = role.rsplit('/').next().unwrap_or(role);
        let principal = format!("arn:aws:sts::{account}:assumed-role/{role}/{function}");
        let claim = URL_SAFE_NO_PAD.encode(format!("{account}\n{principal}"));
        let session_token = format!("{claim}.{}", URL_SAFE_NO_PAD.encode(self.0.seal("token", &claim)));
        Credentials {
            access_key_id: self.access_key(&claim),
            secret_access_key: self.secret(&claim),
            session_token,
        }
    }

    /// Whose they are, if they were issued here.
    pub(super) fn find(&self, access_key: &str, token: &str) -> Option<Known> {
        let (claim, seal) = token.split_once('.')?;
        let issued = same(&URL_SAFE_NO_PAD.encode(self.0.seal("token", claim)), seal)
            && same(&self.access_key(claim), access_key);
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claim).ok()?).ok()?;
        let (account, principal) = text.split_once('\n').filter(|_| issued)?;
        let identity = Identity { account: AccountId::parse(account)?, principal: principal.to_owned() };
        Some(Known { secret: self.secret(claim), identity })
    }

    fn access_key(&self, claim: &str) -> String {
        let code = self.0.seal("key", claim);
        let letters = code.iter().take(16).map(|byte| LETTERS[usize::from(byte % 32)] as char);
        TEMPORARY.chars().chain(letters).collect()
    }

    fn secret(&self, claim: &str) -> String {
        STANDARD.encode(self.0.seal("secret", claim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_issued_is_known_again_and_nothing_else() {
        let keys = FunctionKeys::new(&Chance::seeded(1));
        let account = AccountId::parse("111122223333").unwrap();
        let issued = keys.issue(&account, "arn:aws:iam::111122223333:role/path/writer", "write");
        let known = keys.find(&issued.access_key_id, &issued.session_token).unwrap();
        assert_eq!(known.secret, issued.secret_access_key);
        assert_eq!(known.identity.principal, "arn:aws:sts::111122223333:assumed-role/writer/write");
        assert_eq!(known.identity.account, account);
        let other = keys.issue(&account, "arn:aws:iam::111122223333:role/writer", "read");
        assert_ne!(other.secret_access_key, issued.secret_access_key);
        assert!(keys.find(&other.access_key_id, &issued.session_token).is_none());
        assert!(keys.find(&issued.access_key_id, "").is_none());
        let forged = format!("{}x", issued.session_token);
        assert!(keys.find(&issued.access_key_id, &forged).is_none());
        let elsewhere = FunctionKeys::new(&Chance::seeded(2));
        assert!(elsewhere.find(&issued.access_key_id, &issued.session_token).is_none());
    }
}
