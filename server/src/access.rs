//! Who may call: the profile, the access keys and what a request is signed with.
//!
//! Knows signatures and keys. Knows no policy: whoever signs with a key of an account may do everything in that account.
//! In the development profile nothing is proven: a key says by its digits which account it means.

mod functions;
mod keys;
mod operators;
mod refusal;

use std::sync::Arc;

use base::{AccountId, Fault};
use kernel::{Chance, Kernel};
use serde::Deserialize;
use wire::sigv4::BodyProof;
use wire::{Request, Signature, sigv4};

pub use functions::FunctionKeys;
pub use keys::AccessKey;
pub use operators::Operators;
pub use refusal::Refused;

use keys::ConfiguredKeys;

/// How access keys of temporary credentials begin.
pub(crate) const TEMPORARY: &str = "ASIA";
/// How access keys of IAM's users begin.
const OF_USERS: &str = "AKIA";

/// What is asked of callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Any credentials are accepted, and only this machine is listened to.
    #[default]
    Development,
    /// Every request is signed with a known key, or refused.
    Strict,
}

/// The settings that say who may call.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    /// The profile.
    pub profile: Profile,
    /// The keys of the configuration.
    pub access_keys: Vec<AccessKey>,
    /// What opens the console and the trace in the strict profile.
    pub operator_token: Option<String>,
}

/// Who is let in.
pub struct Access {
    profile: Profile,
    keys: ConfiguredKeys,
    functions: Arc<FunctionKeys>,
    operators: Operators,
}

/// Whom a signature proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that is acted in.
    pub account: AccountId,
    /// The ARN of who acts.
    pub principal: String,
}

/// An access key with what proves its use.
#[derive(Clone, Debug)]
struct Known {
    secret: String,
    identity: Identity,
}

impl Access {
    /// What `settings` ask.
    pub fn new(settings: AccessSettings, chance: &Chance) -> Access {
        let AccessSettings { profile, access_keys, operator_token } = settings;
        let operators = match profile {
            Profile::Development => Operators::everybody(),
            Profile::Strict => Operators::with_token(operator_token, chance),
        };
        let functions = Arc::new(FunctionKeys::new(chance));
        Access { profile, keys: ConfiguredKeys::new(access_keys), functions, operators }
    }

    /// Whether signatures are verified.
    pub fn is_strict(&self) -> bool {
        self.profile == Profile::Strict
    }

    /// Who may see the console and the trace.
    pub fn operators(&self) -> &Operators {
        &self.operators
    }

    /// The credentials of functions.
    pub(crate) fn functions(&self) -> &Arc<FunctionKeys> {
        &self.functions
    }

    /// Proves who signed a request, its body and its chunks included.
    ///
    /// # Errors
    /// Nobody whom this server knows, or not this request, or not now.
    pub async fn prove(&self, kernel: &Kernel, request: &Request<'_>) -> Result<Identity, Refused> {
        let signature = Signature::parse(request).map_err(Refused::Signature)?.ok_or(Refused::Missing)?;
        let known = self.known(kernel, &signature).await?;
        sigv4::verify(&signature, request, &known.secret, kernel.clock().now())
            .map_err(Refused::Signature)?;
        Ok(known.identity)
    }

    /// Proves the head of a request whose body has not come yet; what must hold of the body.
    ///
    /// # Errors
    /// As [`Access::prove`].
    pub async fn prove_head(
        &self,
        kernel: &Kernel,
        head: &Request<'_>,
    ) -> Result<(Identity, BodyProof), Refused> {
        let signature = Signature::parse(head).map_err(Refused::Signature)?.ok_or(Refused::Missing)?;
        let known = self.known(kernel, &signature).await?;
        let proof = sigv4::verify_head(&signature, head, &known.secret, kernel.clock().now());
        Ok((known.identity, proof.map_err(Refused::Signature)?))
    }

    /// Whom a request claims to come from in the development profile, where nothing is proven: the function or the session that
    /// was given its temporary credentials, the user that has its access key. `None` if its key is nobody's here.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn claimed(
        &self,
        kernel: &Kernel,
        signature: &Signature<'_>,
    ) -> Result<Option<Identity>, Fault> {
        let access_key = signature.access_key.as_ref();
        if !access_key.starts_with(TEMPORARY) {
            return Ok(user(kernel, access_key).await?.map(|known| known.identity));
        }
        let function =
            signature.session_token.as_deref().and_then(|token| self.functions.find(access_key, token));
        if let Some(known) = function {
            return Ok(Some(known.identity));
        }
        let found = session_of(kernel, access_key).await?;
        let lasting = found.filter(|session| session.expires_at > kernel.clock().now());
        Ok(lasting.map(|session| Identity { account: session.account, principal: session.principal }))
    }

    async fn known(&self, kernel: &Kernel, signature: &Signature<'_>) -> Result<Known, Refused> {
        let access_key = signature.access_key.as_ref();
        if let Some(known) = self.keys.find(access_key) {
            return Ok(known);
        }
        if !access_key.starts_with(TEMPORARY) {
            return user(kernel, access_key).await.map_err(Refused::Signature)?.ok_or(Refused::UnknownKey);
        }
        let token = signature.session_token.as_deref().ok_or(Refused::UnknownKey)?;
        if let Some(known) = self.functions.find(access_key, token) {
            return Ok(known);
        }
        session(kernel, access_key, token).await
    }
}

/// A user to whom IAM gave an access key.
async fn user(kernel: &Kernel, access_key: &str) -> Result<Option<Known>, Fault> {
    if !access_key.starts_with(OF_USERS) {
        return Ok(None);
    }
    let answer = kernel.ask(kernel.house_caller(), "iam", iam::IDENTIFY, &access_key.into()).await?;
    let identified: iam::Identified =
        serde_json::from_value(answer).map_err(|error| kernel.to_fault(error.into()))?;
    Ok(identified.key.map(|key| Known {
        secret: key.secret,
        identity: Identity { account: key.account, principal: key.principal },
    }))
}

/// Temporary credentials that STS gave.
async fn session_of(kernel: &Kernel, access_key: &str) -> Result<Option<sts::Session>, Fault> {
    let answer = kernel.ask(kernel.house_caller(), "sts", sts::IDENTIFY, &access_key.into()).await?;
    let identified: sts::Identified =
        serde_json::from_value(answer).map_err(|error| kernel.to_fault(error.into()))?;
    Ok(identified.session)
}

async fn session(kernel: &Kernel, access_key: &str, token: &str) -> Result<Known, Refused> {
    let session = session_of(kernel, access_key).await.map_err(Refused::Signature)?;
    let session = session.ok_or(Refused::UnknownKey)?;
    if !same(&session.token, token) {
        return Err(Refused::BadToken);
    }
    if session.expires_at <= kernel.clock().now() {
        return Err(Refused::Expired);
    }
    let identity = Identity { account: session.account, principal: session.principal };
    Ok(Known { secret: session.secret, identity })
}

/// Whether two secrets are the same; how long it takes says nothing of where they differ.
fn same(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0, |seen, (one, other)| seen | (one ^ other));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use kernel::{Clock, Service};

    use super::*;

    fn kernel() -> Kernel {
        let engine = store::open(&store::Location::Memory).unwrap();
        let services: Vec<Service> = vec![iam::service(), sts::service()];
        let start = base::Timestamp::from_millis(1_800_000_000_000);
        Kernel::new(engine, Clock::virtual_at(start), Chance::seeded(1), services)
    }

    async fn claimed(access: &Access, key: &str, token: &str) -> Option<Identity> {
        let scope = format!("{key}/20270115/eu-central-1/sts/aws4_request");
        let proof =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={}", "0".repeat(64));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&proof).unwrap());
        headers.insert("x-amz-date", HeaderValue::from_static("20270115T080000Z"));
        headers.insert("x-amz-security-token", HeaderValue::from_str(token).unwrap());
        let request =
            Request { method: "POST", path: "/", query: "", headers: &headers, body: bytes::Bytes::new() };
        let signature = Signature::parse(&request).unwrap().unwrap();
        access.claimed(&kernel(), &signature).await.unwrap()
    }

    #[tokio::test]
    async fn a_function_is_known_by_its_credentials_without_proof() {
        let access = Access::new(AccessSettings::default(), &Chance::seeded(2));
        let account = AccountId::parse("111122223333").unwrap();
        let given = access.functions().issue(&account, "arn:aws:iam::111122223333:role/path/writer", "write");
        let principal = "arn:aws:sts::111122223333:assumed-role/writer/write".to_owned();
        let identity = Identity { account, principal };
        assert_eq!(claimed(&access, &given.access_key_id, &given.session_token).await, Some(identity));
        assert_eq!(claimed(&access, &given.access_key_id, "another").await, None);
        assert_eq!(claimed(&access, "111122223333", "").await, None);
    }
}
