//! Pages: a token is the last name of the page before it.

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault;

/// The name behind which a page begins; an empty token is the first page's.
///
/// # Errors
/// The token is none of ours.
pub(crate) fn behind(token: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.map(Some).ok_or_else(|| fault::invalid("The PaginationToken is invalid."))
}

/// The token of the page behind `last`. Behind the last page it is empty, as AWS's.
pub(crate) fn token(last: Option<&str>) -> String {
    last.map(|name| URL_SAFE_NO_PAD.encode(name)).unwrap_or_default()
}

/// A page of `names`, which are sorted, and the next one's token.
///
/// # Errors
/// As [`behind`].
pub(crate) fn of(
    names: impl IntoIterator<Item = String>,
    asked: Option<&str>,
    page_size: usize,
) -> Result<(Vec<String>, String), Fault> {
    let behind = behind(asked)?;
    let rest = names.into_iter().filter(|name| behind.as_ref().is_none_or(|behind| name > behind));
    let mut page: Vec<String> = rest.take(page_size + 1).collect();
    let more = page.len() > page_size;
    page.truncate(page_size);
    let next = token(page.last().filter(|_| more).map(String::as_str));
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_an_empty_token() {
        let names = || ["a", "b", "c"].map(str::to_owned);
        let (first, next) = of(names(), None, 2).unwrap();
        assert_eq!(first, ["a", "b"]);
        let (second, end) = of(names(), Some(&next), 2).unwrap();
        assert_eq!((second, end), (vec!["c".to_owned()], String::new()));
        assert_eq!(of(names(), Some(""), 3).unwrap(), (names().to_vec(), String::new()));
        assert_eq!(of(names(), Some("?"), 2).unwrap_err().code, "InvalidParameterException");
    }
}
