//! Tokens of pages of lists: a token says what the page ended with, and shows by its form that it was given out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a token begins with, under its base64.
const AFTER: &str = "after:";

/// The token of a page that ends with `last`.
pub fn token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{AFTER}{last}"))
}

/// What the page ended with whose token this is; `None` if it is no token.
pub fn last_of(token: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix(AFTER).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_nothing_else_is() {
        for last in ["", "q", "a/b \u{e4}"] {
            assert_eq!(last_of(&token(last)).as_deref(), Some(last));
        }
        for other in ["", "q", "nonsense!", "bm93aGVyZQ"] {
            assert_eq!(last_of(other), None, "{other}");
        }
    }
}
