//! Client tokens: a request that comes again under its token answers as the first one did.

use std::time::Duration;

use kernel::{Result, Tx};
use serde::Serialize;

use crate::fault;
use crate::keys::{Token, TokenKey};

/// How long a token is remembered.
pub(crate) const KEPT: Duration = Duration::from_secs(86_400);

/// The ARN of what a request under this token made, if there was one; one with other parameters is refused. `request` is
/// the request without its token.
pub(crate) async fn known(
    tx: &mut Tx,
    token: Option<&String>,
    request: &impl Serialize,
) -> Result<Option<String>> {
    let Some(token) = token else { return Ok(None) };
    let Some(known) = tx.get(&TokenKey { token: token.clone() }).await? else { return Ok(None) };
    if known.at + KEPT <= tx.now() {
        return Ok(None);
    }
    if known.request == serde_json::to_string(request)? {
        Ok(Some(known.arn))
    } else {
        Err(fault::token_mismatch().into())
    }
}

/// Remembers what a request made.
pub(crate) fn remember(
    tx: &mut Tx,
    token: Option<String>,
    request: &impl Serialize,
    arn: &str,
) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    let row = Token { at: tx.now(), request: serde_json::to_string(request)?, arn: arn.to_owned() };
    tx.put(&TokenKey { token }, &row)
}
