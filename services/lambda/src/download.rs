//! Where a package can be downloaded: an address that anyone may follow who has it, for ten minutes.
//!
//! It bears the package's digest and when it ends, sealed with a secret of this process, so that nothing is stored. On AWS it
//! is a presigned URL of S3; here it leads to the server itself. A restart ends it early.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html>

use std::sync::OnceLock;
use std::time::Duration;

use base::{AccountId, Fault, Region, Timestamp};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use kernel::{Caller, Kernel, Result, Scope, Tx};
use sha2::Sha256;

use crate::keys::{PackageKey, PackageUse};
use crate::package;
use crate::state::Functions;

/// How long an address holds.
const HOLDS: Duration = Duration::from_secs(600);

/// Knows the addresses again that it has sealed.
#[derive(Default)]
pub(crate) struct Seal(OnceLock<[u8; 32]>);

impl Seal {
    fn mac(secret: &[u8; 32], claim: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so the other branch is never taken.
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret)
            .unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&Default::default()));
        mac.update(claim.as_bytes());
        mac
    }

    /// The signature of a claim. `chance` makes the secret when there is none.
    fn sign(&self, claim: &str, chance: impl Fn() -> u64) -> String {
        let secret = self.0.get_or_init(|| {
            let mut secret = [0; 32];
            for part in secret.chunks_exact_mut(8) {
                part.copy_from_slice(&chance().to_be_bytes());
            }
            secret
        });
        hex::encode(Seal::mac(secret, claim).finalize().into_bytes())
    }

    fn knows(&self, claim: &str, signature: &str) -> bool {
        let signature = hex::decode(signature).unwrap_or_default();
        self.0.get().is_some_and(|secret| Seal::mac(secret, claim).verify_slice(&signature).is_ok())
    }
}

/// What an address says.
fn claim(scope: &Scope, sha256: &str, expires: &str) -> String {
    format!("{}/{}/{sha256}/{expires}", scope.account, scope.region)
}

/// The address of a package.
pub(crate) fn location(tx: &Tx, package: &PackageUse) -> Result<String> {
    let functions = tx.state::<Functions>()?;
    let expires = (tx.now() + HOLDS).as_millis().to_string();
    let claim = claim(tx.scope(), &package.sha256, &expires);
    let signature = functions.0.downloads.sign(&claim, || tx.random());
    Ok(format!("{}/_buswork/lambda/{claim}/{signature}", tx.endpoint()))
}

/// The package at an address: what follows `/_buswork/lambda/` in it.
///
/// # Errors
/// `AccessDenied` (403): the address is none of ours, or has ended. `NoSuchKey` (404): the package is gone.
pub async fn fetch(kernel: &Kernel, functions: &Functions, address: &str) -> Result<Bytes, Fault> {
    let denied = |message: &str| Fault::new("AccessDenied", message.to_owned()).with_status(403);
    let parts: Vec<&str> = address.split('/').collect();
    let [account, region, sha256, expires, signature] = parts[..] else {
        return Err(denied("Access Denied"));
    };
    let (Some(account), Some(region)) = (AccountId::parse(account), Region::parse(region)) else {
        return Err(denied("Access Denied"));
    };
    let caller = Caller::root_user(account, region, kernel.new_id());
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    if !functions.0.downloads.knows(&claim(&scope, sha256, expires), signature) {
        return Err(denied("Access Denied"));
    }
    let ends = expires.parse().map(Timestamp::from_millis).unwrap_or_default();
    if ends <= kernel.clock().now() {
        return Err(denied("Request has expired"));
    }
    let there =
        kernel.transact(crate::NAME, caller.clone(), "ReadPackage", is_there, sha256.to_owned()).await;
    if !there.map_err(|error| kernel.to_fault(error))? {
        return Err(Fault::new("NoSuchKey", "The package does not exist any more.").with_status(404));
    }
    package::read(kernel, caller, sha256.to_owned()).await.map_err(|error| kernel.to_fault(error))
}

async fn is_there(tx: &mut Tx, sha256: String) -> Result<bool> {
    Ok(tx.peek(&PackageKey { sha256 }).await?.is_some())
}
