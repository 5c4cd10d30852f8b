//! What makes a policy document well formed, and how documents are given back.

use base::Fault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::fault;

/// RFC 3986's unreserved characters stay.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which elements a statement must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Attached to a role: what it may do.
    Identity,
    /// Of a role itself: who may assume it.
    Trust,
}

/// Refuses a document that is no policy.
pub(crate) fn check(document: &str, kind: Kind) -> Result<(), Fault> {
    let parsed: Value = serde_json::from_str(document)
        .map_err(|_| fault::malformed_policy("This policy contains invalid Json"))?;
    let Some(policy) = parsed.as_object() else {
        return Err(fault::malformed_policy("Syntax errors in policy."));
    };
    if let Some(version) = policy.get("Version")
        && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
    {
        return Err(fault::malformed_policy("The policy must contain a valid version string"));
    }
    let statements: Vec<&Value> = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err(fault::malformed_policy("Syntax errors in policy.")),
    };
    statements.into_iter().try_for_each(|statement| check_statement(statement, kind))
}

fn check_statement(statement: &Value, kind: Kind) -> Result<(), Fault> {
    let has = |name: &str| statement.get(name).is_some();
    if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
        return Err(fault::malformed_policy("Syntax errors in policy."));
    }
    if !has("Action") && !has("NotAction") {
        return Err(fault::malformed_policy("Policy statement must contain actions."));
    }
    match kind {
        Kind::Identity if has("Principal") || has("NotPrincipal") => {
            Err(fault::malformed_policy("Policy document should not specify a principal."))
        }
        Kind::Identity if !has("Resource") && !has("NotResource") => {
            Err(fault::malformed_policy("Policy statement must contain resources."))
        }
        Kind::Trust if has("Resource") || has("NotResource") => {
            Err(fault::malformed_policy("Has prohibited field Resource"))
        }
        Kind::Trust if !has("Principal") && !has("NotPrincipal") => {
            Err(fault::malformed_policy("Missing required field Principal"))
        }
        _ => Ok(()),
    }
}

/// The most characters of a managed policy, white space aside.
const MANAGED_MAX: usize = 6_144;

/// Refuses a document that is too long for a managed policy.
pub(crate) fn check_size(document: &str) -> Result<(), Fault> {
    if document.chars().filter(|c| !c.is_whitespace()).count() <= MANAGED_MAX {
        return Ok(());
    }
    Err(fault::limit_exceeded(format!("Cannot exceed quota for PolicySize: {MANAGED_MAX}")))
}

/// A document as answers carry it: percent-encoded, which the SDKs undo.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_judged_by_their_kind() {
        let identity =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        let trust =
            r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"x"}}}"#;
        assert!(check(identity, Kind::Identity).is_ok());
        assert!(check(trust, Kind::Trust).is_ok());
        for (document, kind) in [
            (identity, Kind::Trust),
            (trust, Kind::Identity),
            ("{", Kind::Identity),
            ("[]", Kind::Identity),
            (r#"{"Version":"2020-01-01","Statement":[]}"#, Kind::Identity),
            (r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#, Kind::Identity),
            (r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#, Kind::Identity),
        ] {
            assert_eq!(check(document, kind).unwrap_err().code, "MalformedPolicyDocument", "{document}");
        }
    }

    #[test]
    fn answers_carry_documents_percent_encoded() {
        assert_eq!(encoded("{\"a\": 1}"), "%7B%22a%22%3A%201%7D");
    }
}
