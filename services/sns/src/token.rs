//! Tokens of pages: each says what the answer before it ended with.

use base::Fault;

use crate::fault;

/// What the answer ended with whose token this is.
///
/// # Errors
/// `InvalidParameter` if it is no token.
pub(crate) fn last_of(token: &str) -> Result<String, Fault> {
    let last = base::page::last_of(token);
    last.ok_or_else(|| fault::invalid("NextToken"))
}
