//! Pages: how many, and the tokens that name where the next one begins.

use base::Fault;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault;

/// The size of a page where the caller gives none, or 0.
const PAGE_DEFAULT: usize = 100;

/// The page size that `maxResults` asks for; the schema bounds it by 1,000.
pub(crate) fn size(max_results: Option<i32>) -> usize {
    match max_results {
        None | Some(0) => PAGE_DEFAULT,
        Some(size) => usize::try_from(size).unwrap_or(PAGE_DEFAULT),
    }
}

/// A token that names `place`.
pub(crate) fn token(place: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(place)?))
}

/// The place that a token names.
///
/// # Errors
/// `InvalidToken` for what we never gave out.
pub(crate) fn place<T: DeserializeOwned>(token: &str) -> Result<T, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| fault::invalid_token())?;
    serde_json::from_slice(&bytes).map_err(|_| fault::invalid_token())
}
