//! The operations.

use std::time::Duration;

use base::{AccountId, Arn, Fault, Region};
use kernel::{Call, Effect, NewTask, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{
    AssumeRoleInput, AssumeRoleOutput, AssumedRoleUser, Credentials, FederatedUser, GetAccessKeyInfoInput,
    GetAccessKeyInfoOutput, GetCallerIdentityInput, GetCallerIdentityOutput, GetFederationTokenInput,
    GetFederationTokenOutput, GetSessionTokenInput, GetSessionTokenOutput,
};
use crate::keys::{Session, SessionKey};

/// The internal operation that removes credentials that have expired.
pub(crate) const EXPIRE: &str = "ExpireSession";
/// The internal operation that says whose an access key is, for the server's front door.
pub const IDENTIFY: &str = "IdentifyAccessKey";

/// How long credentials that have expired are known as such.
const TOLD: Duration = Duration::from_secs(86_400);

/// Whose an access key is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identified {
    /// The session, if the key is of temporary credentials, also for a day after they expired.
    pub session: Option<Session>,
}

/// Who calls.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
pub(crate) async fn get_caller_identity(
    tx: &mut Tx,
    _: GetCallerIdentityInput,
) -> Result<GetCallerIdentityOutput> {
    let caller = tx.caller();
    let account = caller.account.to_string();
    let user_id = match caller.principal.rsplit_once("assumed-role/") {
        Some((_, role_and_session)) => role_id(role_and_session),
        None => account.clone(),
    };
    let (user_id, arn) = (Some(user_id), Some(caller.principal.clone()));
    Ok(GetCallerIdentityOutput { user_id, account: Some(account), arn })
}

/// Temporary credentials of a role.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) async fn assume_role(tx: &mut Tx, input: AssumeRoleInput) -> Result<AssumeRoleOutput> {
    let arn: Arn = input.role_arn.parse().map_err(|_| invalid_arn(&input.role_arn))?;
    let (account, role) = match (arn.account_id(), arn.resource_after("role")) {
        (Some(account), Some(role)) if arn.service == "iam" => {
            (account, role.rsplit('/').next().unwrap_or(role))
        }
        _ => return Err(invalid_arn(&input.role_arn).into()),
    };
    refuse_what_is_not_honoured(&input)?;
    let lifetime = duration(input.duration_seconds, 3_600, 43_200)?;
    let session_name = &input.role_session_name;
    let principal = format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}");
    let user_id = role_id(&format!("{role}/{session_name}"));
    let user = AssumedRoleUser { assumed_role_id: user_id.clone(), arn: principal.clone() };
    let who = Who { account, principal, user_id };
    let credentials = issue(tx, who, lifetime, input.minimum_session_token_size)?;
    Ok(AssumeRoleOutput {
        credentials: Some(credentials),
        assumed_role_user: Some(user),
        source_identity: input.source_identity,
        ..AssumeRoleOutput::default()
    })
}

/// Temporary credentials of the caller.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
pub(crate) async fn get_session_token(
    tx: &mut Tx,
    input: GetSessionTokenInput,
) -> Result<GetSessionTokenOutput> {
    refuse([
        ("SerialNumber of GetSessionToken", input.serial_number.is_some()),
        ("TokenCode of GetSessionToken", input.token_code.is_some()),
    ])?;
    let lifetime = duration(input.duration_seconds, 43_200, 129_600)?;
    let account = tx.caller().account.clone();
    let user_id = account.to_string();
    let who = Who { account, principal: tx.caller().principal.clone(), user_id };
    let credentials = issue(tx, who, lifetime, input.minimum_session_token_size)?;
    Ok(GetSessionTokenOutput { credentials: Some(credentials), ..GetSessionTokenOutput::default() })
}

/// Temporary credentials of somebody whom the caller vouches for.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>
pub(crate) async fn get_federation_token(
    tx: &mut Tx,
    input: GetFederationTokenInput,
) -> Result<GetFederationTokenOutput> {
    refuse([
        ("Policy of GetFederationToken", input.policy.is_some()),
        ("PolicyArns of GetFederationToken", input.policy_arns.as_ref().is_some_and(|arns| !arns.is_empty())),
    ])?;
    if tx.caller().principal.contains(":assumed-role/") {
        let message = "Cannot call GetFederationToken with session credentials";
        return Err(Fault::access_denied(message).into());
    }
    let lifetime = duration(input.duration_seconds, 43_200, 129_600)?;
    let account = tx.caller().account.clone();
    let principal = format!("arn:aws:sts::{account}:federated-user/{}", input.name);
    let user_id = format!("{account}:{}", input.name);
    let user = FederatedUser { federated_user_id: user_id.clone(), arn: principal.clone() };
    let who = Who { account, principal, user_id };
    let credentials = issue(tx, who, lifetime, input.minimum_session_token_size)?;
    Ok(GetFederationTokenOutput {
        credentials: Some(credentials),
        federated_user: Some(user),
        ..GetFederationTokenOutput::default()
    })
}

/// Which account an access key belongs to: of a session, or of a user of IAM's.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>
pub(crate) async fn get_access_key_info(
    effect: &Effect,
    input: GetAccessKeyInfoInput,
) -> Result<GetAccessKeyInfoOutput> {
    let id = input.access_key_id;
    let session = effect.transact("IdentifyAccessKey", identify, id.clone()).await?.session;
    if let Some(session) = session {
        return Ok(GetAccessKeyInfoOutput { account: Some(session.account.to_string()) });
    }
    let input = serde_json::Value::String(id.clone());
    let answer = effect.kernel().ask(effect.caller().clone(), "iam", "IdentifyUserKey", &input).await?;
    match answer["key"]["account"].as_str() {
        Some(account) => Ok(GetAccessKeyInfoOutput { account: Some(account.to_owned()) }),
        None => Err(Fault::new("ValidationError", format!("The access key {id} is not known here.")).into()),
    }
}

/// Which session an access key belongs to.
pub(crate) async fn identify(tx: &mut Tx, access_key: String) -> Result<Identified> {
    tx.enter(everywhere());
    let session = tx.peek(&SessionKey { access_key }).await?;
    Ok(Identified { session })
}

/// Removes credentials whose time has passed: a day ago, so that who still uses them is told.
pub(crate) async fn expire(tx: &mut Tx, access_key: String) -> Result<()> {
    tx.enter(everywhere());
    tx.delete(&SessionKey { access_key });
    Ok(())
}

/// Whom credentials are of.
struct Who {
    account: AccountId,
    principal: String,
    user_id: String,
}

/// The characters of a session token, unless more are asked for.
const TOKEN: usize = 356;

fn issue(tx: &mut Tx, who: Who, lifetime: Duration, token_min: Option<i32>) -> Result<Credentials> {
    let Who { account, principal, user_id } = who;
    let access_key = format!("ASIA{}", letters(tx, 16));
    let expires_at = tx.now() + lifetime;
    let token = letters(tx, token_min.map_or(TOKEN, |min| TOKEN.max(min.unsigned_abs() as usize)));
    let session = Session { account, secret: letters(tx, 40), token, principal, user_id, expires_at };
    tx.enter(everywhere());
    tx.put(&SessionKey { access_key: access_key.clone() }, &session)?;
    tx.enqueue_quietly(expires_at + TOLD, NewTask::new(Call::new("sts", EXPIRE, &access_key)?))?;
    Ok(Credentials {
        access_key_id: access_key,
        secret_access_key: session.secret,
        session_token: session.token,
        expiration: expires_at,
    })
}

/// An access key names its account, so sessions stand in one place for all accounts and regions.
fn everywhere() -> Scope {
    Scope { account: AccountId::default(), region: Region::default() }
}

/// Upper-case letters and digits of RFC 4648's alphabet, by chance.
fn letters(tx: &Tx, count: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let random = tx.random().to_be_bytes();
        text.extend(
            random.iter().take(count - text.len()).map(|byte| ALPHABET[usize::from(byte % 32)] as char),
        );
    }
    text
}

/// A role's id is derived from its name: the same for every session of the role.
fn role_id(role_and_session: &str) -> String {
    let (role, session) = role_and_session.split_once('/').unwrap_or((role_and_session, ""));
    let hash = role.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("AROA{hash:016X}:{session}")
}

fn duration(asked: Option<i32>, default: u64, max: u64) -> Result<Duration, Fault> {
    let seconds = asked.map_or(default, |seconds| u64::from(seconds.unsigned_abs()));
    if seconds <= max {
        return Ok(Duration::from_secs(seconds));
    }
    let message = format!("The requested DurationSeconds exceeds the MaxSessionDuration of {max} seconds.");
    Err(Fault::new("ValidationError", message))
}

fn invalid_arn(text: &str) -> Fault {
    Fault::new("ValidationError", format!("{text} is invalid"))
}

fn refuse_what_is_not_honoured(input: &AssumeRoleInput) -> Result<(), Fault> {
    refuse([
        ("Policy of AssumeRole", input.policy.is_some()),
        ("PolicyArns of AssumeRole", input.policy_arns.as_ref().is_some_and(|arns| !arns.is_empty())),
        ("SerialNumber of AssumeRole", input.serial_number.is_some()),
        ("TokenCode of AssumeRole", input.token_code.is_some()),
        (
            "ProvidedContexts of AssumeRole",
            input.provided_contexts.as_ref().is_some_and(|contexts| !contexts.is_empty()),
        ),
    ])
}

fn refuse<const N: usize>(refused: [(&str, bool); N]) -> Result<(), Fault> {
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(Fault::new("ValidationError", format!("{name} is not implemented by Buswork")))
        }
        None => Ok(()),
    }
}
