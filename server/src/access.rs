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

/// Whom an access key proves or, in the development profile, claims: a user to whom IAM gave it.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn user_of(kernel: &Kernel, access_key: &str) -> Result<Option<Identity>, Fault> {
    Ok(user(kernel, access_key).await?.map(|known| known.identity))
}

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
async fn session(kernel: &Kernel, access_key: &str, token: &str) -> Result<Known, Refused> {
    let answer = kernel.ask(kernel.house_caller(), "sts", sts::IDENTIFY, &access_key.into()).await;
    let identified: sts::Identified = serde_json::from_value(answer.map_err(Refused::Signature)?)
        .map_err(|error| Refused::Signature(kernel.to_fault(error.into())))?;
    let session = identified.session.ok_or(Refused::UnknownKey)?;
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
