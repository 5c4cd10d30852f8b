//! Who may see what belongs to no account: the console, the trace, explanations.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use kernel::Chance;

use super::functions::Sealer;
use super::same;

/// The name of the cookie that a browser keeps.
const COOKIE_NAME: &str = "buswork_operator";

/// Who is an operator.
pub struct Operators(Who);

enum Who {
    /// Everybody who reaches this machine's loopback.
    Everybody,
    /// Who knows the token; nobody if there is none.
    Knowing { token: Option<String>, sealer: Sealer },
}

impl Operators {
    /// The development profile's.
    pub fn everybody() -> Operators {
        Operators(Who::Everybody)
    }

    /// The strict profile's.
    pub fn with_token(token: Option<String>, chance: &Chance) -> Operators {
        Operators(Who::Knowing { token, sealer: Sealer::new(chance) })
    }

    /// Whether a name that only resolves to this machine (DNS rebinding) could use what a browser may see: then only
    /// loopback's own names are answered.
    pub(crate) fn are_everybody(&self) -> bool {
        matches!(self.0, Who::Everybody)
    }

    /// Whether anybody can be one.
    pub(crate) fn exist(&self) -> bool {
        !matches!(self.0, Who::Knowing { token: None, .. })
    }

    /// Whether a request is an operator's: by `Authorization: Bearer`, or by the cookie of the console.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Who::Knowing { token, .. } = &self.0 else { return true };
        let Some(token) = token else { return false };
        let header = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let bearer = header(AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        if bearer.is_some_and(|given| same(given.trim(), token)) {
            return true;
        }
        let cookies = header(COOKIE).unwrap_or_default().split(';');
        let ours = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        let mut given = ours.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value);
        given.any(|value| self.cookie_value(token).is_some_and(|right| same(&right, value)))
    }

    /// The cookie for a browser whose person knows the token. It ends with the browser's session, or with this process.
    pub(crate) fn cookie(&self, given: &str) -> Option<String> {
        let Who::Knowing { token: Some(token), .. } = &self.0 else { return None };
        let value = self.cookie_value(token).filter(|_| same(given, token))?;
        Some(format!("{COOKIE_NAME}={value}; Path=/_buswork; HttpOnly; SameSite=Strict"))
    }

    fn cookie_value(&self, token: &str) -> Option<String> {
        match &self.0 {
            Who::Everybody => None,
            Who::Knowing { sealer, .. } => Some(hex::encode(sealer.seal("cookie", token))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn operators_know_the_token() {
        let chance = Chance::seeded(1);
        let operators = Operators::with_token(Some("a-long-operator-token".to_owned()), &chance);
        assert!(operators.allow(&headers("authorization", "Bearer a-long-operator-token")));
        assert!(!operators.allow(&headers("authorization", "Bearer another")));
        assert!(!operators.allow(&HeaderMap::new()));
        assert_eq!(operators.cookie("another"), None);
        let cookie = operators.cookie("a-long-operator-token").unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict") && !cookie.contains("a-long"));
        let pair = cookie.split(';').next().unwrap();
        assert!(operators.allow(&headers("cookie", &format!("other=1; {pair}"))));
        assert!(!operators.allow(&headers("cookie", "buswork_operator=00")));
        let nobody = Operators::with_token(None, &chance);
        assert!(!nobody.exist() && !nobody.allow(&headers("authorization", "Bearer ")));
        assert!(Operators::everybody().allow(&HeaderMap::new()));
    }
}
