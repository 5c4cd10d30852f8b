//! Tokens of pages: each says what the answer before it ended with.

use base::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault;

/// What a token begins with, under its base64.
const AFTER: &str = "after:";

/// The token of an answer that ends with `last`.
pub(crate) fn after(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{AFTER}{last}"))
}

/// What the answer ended with whose token this is.
///
/// # Errors
/// `InvalidParameter` if it is no token.
pub(crate) fn last_of(token: &str) -> Result<String, Fault> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let last = text.as_deref().and_then(|text| text.strip_prefix(AFTER)).map(str::to_owned);
    last.ok_or_else(|| fault::invalid("NextToken"))
}
