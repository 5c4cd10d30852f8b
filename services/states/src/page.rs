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

/// A token that names a place in the list `of`: which list, whose, and what of it is shown.
pub(crate) fn token(of: &str, place: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(of, place))?))
}

/// The place that a token of the list `of` names.
///
/// # Errors
/// `InvalidToken` for what we never gave out, or for another list.
pub(crate) fn place<T: DeserializeOwned>(of: &str, token: &str) -> Result<T, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| fault::invalid_token())?;
    let (given_for, place): (String, T) =
        serde_json::from_slice(&bytes).map_err(|_| fault::invalid_token())?;
    if given_for != of { Err(fault::invalid_token()) } else { Ok(place) }
}
