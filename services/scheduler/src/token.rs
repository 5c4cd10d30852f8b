//! Client tokens of what is deleted: the same deletion under the same token again answers as the first one did.

use std::time::Duration;

use kernel::{Call, NewTask, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::TokenKey;
use crate::{NAME, PRINCIPAL};

/// The internal operation that forgets a token.
pub(crate) const FORGET: &str = "ForgetToken";

/// How long a token is remembered; AWS does not say.
const KEPT: Duration = Duration::from_secs(86_400);

/// Which token, and of which resource's deletion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    resource: String,
    token: String,
}

impl Token {
    fn key(self) -> TokenKey {
        TokenKey { resource: self.resource, token: self.token }
    }
}

/// The token of a deletion of the resource with this ARN, if the request has one.
pub(crate) fn of(resource: String, token: Option<String>) -> Option<Token> {
    Some(Token { resource, token: token? })
}

/// Whether the resource was deleted under this token.
pub(crate) async fn is_known(tx: &mut Tx, token: Option<&Token>) -> Result<bool> {
    match token {
        Some(token) => Ok(tx.get(&token.clone().key()).await?.is_some()),
        None => Ok(false),
    }
}

/// Remembers the token for a day.
pub(crate) fn remember(tx: &mut Tx, token: Option<Token>) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    tx.put(&token.clone().key(), &())?;
    let Scope { account, region } = tx.scope().clone();
    let caller = Some(tx.caller().as_service(PRINCIPAL, account, region));
    let call = Call::new(NAME, FORGET, &token)?;
    tx.enqueue_quietly(tx.now() + KEPT, NewTask { caller, ..NewTask::new(call) })?;
    Ok(())
}

/// Forgets a token.
pub(crate) async fn forget(tx: &mut Tx, token: Token) -> Result<()> {
    tx.delete(&token.key());
    Ok(())
}
