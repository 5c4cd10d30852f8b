//! Access keys of users. In the strict profile they sign requests as those of the configuration do.

use base::{AccountId, Fault};
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{
    AccessKey as Shown, AccessKeyMetadata, CreateAccessKeyInput, CreateAccessKeyOutput, DeleteAccessKeyInput,
    DeleteAccessKeyOutput, ListAccessKeysInput, ListAccessKeysOutput, StatusType, UpdateAccessKeyInput,
    UpdateAccessKeyOutput,
};
use crate::holder::find;
use crate::keys::{AccessKey, AccessKeyKey, User, UserKey};
use crate::ops::user::{arn, name_or_caller};
use crate::paging::page;
use crate::{enter_everywhere, enter_global, fault};

/// The internal operation that says whose an access key is, for the server's front door and for STS.
pub const IDENTIFY: &str = "IdentifyUserKey";

/// The most access keys of a user.
const PER_USER_MAX: usize = 2;

/// Whose an access key is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identified {
    /// The key, if a user has it and it is active.
    pub key: Option<UserKeyFacts>,
}

/// What proves the use of a user's access key, and whom it proves.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserKeyFacts {
    /// The account of the user.
    pub account: AccountId,
    /// The user's ARN.
    pub principal: String,
    /// The secret access key.
    pub secret: String,
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>
pub(crate) async fn create_access_key(
    tx: &mut Tx,
    input: CreateAccessKeyInput,
) -> Result<CreateAccessKeyOutput> {
    let (user_key, mut user) = find_user(tx, input.user_name).await?;
    let key = AccessKeyKey { id: format!("AKIA{}", letters(tx, 16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")) };
    user.access_keys.insert(key.id.clone());
    if user.access_keys.len() > PER_USER_MAX {
        let message = format!("Cannot exceed quota for AccessKeysPerUser: {PER_USER_MAX}");
        return Err(fault::limit_exceeded(message).into());
    }
    const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let secret = letters(tx, 40, SECRET);
    let access_key = AccessKey {
        account: tx.caller().account.clone(),
        user: user_key.name.clone(),
        principal: arn(tx, &user_key.name, &user),
        secret: secret.clone(),
        active: true,
        created_at: tx.now(),
    };
    tx.put(&user_key, &user)?;
    enter_everywhere(tx);
    tx.put(&key, &access_key)?;
    Ok(CreateAccessKeyOutput {
        access_key: Shown {
            user_name: user_key.name,
            access_key_id: key.id,
            status: StatusType::Active,
            secret_access_key: secret,
            create_date: Some(access_key.created_at),
        },
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>
pub(crate) async fn update_access_key(
    tx: &mut Tx,
    input: UpdateAccessKeyInput,
) -> Result<UpdateAccessKeyOutput> {
    let active = match input.status {
        StatusType::Active => true,
        StatusType::Inactive => false,
        StatusType::Expired => return Err(fault::invalid_input("A key cannot be set to Expired.").into()),
    };
    let (_, user) = find_user(tx, input.user_name).await?;
    let (key, access_key) = find_key(tx, &user, input.access_key_id).await?;
    tx.put(&key, &AccessKey { active, ..access_key })?;
    Ok(UpdateAccessKeyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html>
pub(crate) async fn delete_access_key(
    tx: &mut Tx,
    input: DeleteAccessKeyInput,
) -> Result<DeleteAccessKeyOutput> {
    let (user_key, mut user) = find_user(tx, input.user_name).await?;
    let (key, _) = find_key(tx, &user, input.access_key_id).await?;
    tx.delete(&key);
    user.access_keys.remove(&key.id);
    enter_global(tx);
    tx.put(&user_key, &user)?;
    Ok(DeleteAccessKeyOutput {})
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>
pub(crate) async fn list_access_keys(
    tx: &mut Tx,
    input: ListAccessKeysInput,
) -> Result<ListAccessKeysOutput> {
    let (user_key, user) = find_user(tx, input.user_name).await?;
    let ids = user.access_keys.iter().cloned();
    let (ids, marker) = page(ids, String::clone, input.marker.as_deref(), input.max_items);
    let mut access_key_metadata = Vec::with_capacity(ids.len());
    for id in ids {
        let (key, access_key) = find_key(tx, &user, id).await?;
        let status = if access_key.active { StatusType::Active } else { StatusType::Inactive };
        access_key_metadata.push(AccessKeyMetadata {
            user_name: Some(user_key.name.clone()),
            access_key_id: Some(key.id),
            status: Some(status),
            create_date: Some(access_key.created_at),
        });
    }
    Ok(ListAccessKeysOutput { access_key_metadata, is_truncated: Some(marker.is_some()), marker })
}

/// Whose an access key is.
pub(crate) async fn identify(tx: &mut Tx, id: String) -> Result<Identified> {
    enter_everywhere(tx);
    let found = tx.peek(&AccessKeyKey { id }).await?.filter(|key| key.active);
    let facts =
        |key: AccessKey| UserKeyFacts { account: key.account, principal: key.principal, secret: key.secret };
    Ok(Identified { key: found.map(facts) })
}

async fn find_user(tx: &mut Tx, name: Option<String>) -> Result<(UserKey, User)> {
    let name = name_or_caller(tx, name)?;
    find::<UserKey>(tx, name).await
}

/// A user's key, guarded; from here on rows are those of all accounts.
async fn find_key(tx: &mut Tx, user: &User, id: String) -> Result<(AccessKeyKey, AccessKey)> {
    let missing = || -> Fault { fault::no_such(format!("The Access Key with id {id} cannot be found.")) };
    if !user.access_keys.contains(&id) {
        return Err(missing().into());
    }
    enter_everywhere(tx);
    let key = AccessKeyKey { id: id.clone() };
    let access_key = tx.get(&key).await?.ok_or_else(missing)?;
    Ok((key, access_key))
}

/// Letters by chance. The alphabet's length divides 256, so that each is as likely.
fn letters(tx: &Tx, count: usize, alphabet: &[u8]) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let random = tx.random().to_be_bytes();
        let letter = |byte: &u8| alphabet[usize::from(*byte) % alphabet.len()] as char;
        text.extend(random.iter().take(count - text.len()).map(letter));
    }
    text
}
