//! Who may do what with a topic: its own account everything, other accounts what its policy allows them.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html>

use base::Fault;
use kernel::{Caller, Tx};
use serde_json::{Map, Value};

use crate::topic;

/// The principal of a call that nobody signed, where such calls are told apart.
pub const ANONYMOUS: &str = "anonymous";

/// Whether an operation may be called without a signature: what it needs is in its input, or it has conditions of its own.
pub fn is_open(operation: &str) -> bool {
    matches!(operation, "ConfirmSubscription" | "Unsubscribe")
}

/// For whom an operation is, with its name as policies write it.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// The topic's account.
    Owner(&'a str),
    /// The topic's account, and whom its policy allows.
    Allowed(&'a str),
    /// The operation has conditions of its own.
    Anybody,
}

/// Whether the caller is of the account that the transaction is in now.
pub(crate) fn is_owner(tx: &Tx) -> bool {
    is_of(tx.caller(), tx.scope().account.as_str())
}

/// Whether a caller is of an account, and has proved it.
pub(crate) fn is_of(caller: &Caller, account: &str) -> bool {
    caller.account.as_str() == account && caller.principal != ANONYMOUS
}

/// Refuses whom the topic's policy does not let do it.
pub(crate) fn check(tx: &Tx, name: &str, policy: &str, who: Who<'_>) -> Result<(), Fault> {
    let ok = match who {
        Who::Anybody => true,
        Who::Owner(_) => is_owner(tx),
        Who::Allowed(action) => {
            is_owner(tx) || allows(policy, tx.caller(), action, &topic::arn(tx, name).to_string())
        }
    };
    match who {
        Who::Owner(action) | Who::Allowed(action) if !ok => Err(denied(tx, name, action)),
        _ => Ok(()),
    }
}

/// The fault of a caller who may not.
pub(crate) fn denied(tx: &Tx, name: &str, action: &str) -> Fault {
    let message = format!(
        "User: {} is not authorized to perform: SNS:{action} on resource: {}",
        tx.caller().principal,
        topic::arn(tx, name)
    );
    Fault::new("AuthorizationErrorException", message).with_status(403)
}

/// Whether a policy lets somebody of another account do it: a statement must allow it, and none deny it.
///
/// Conditions are not judged: a statement that has one allows nothing, and denies whatever else it names.
fn allows(policy: &str, caller: &Caller, action: &str, resource: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Map<String, Value>>(policy) else { return false };
    let statements = match policy.get("Statement") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let action = format!("sns:{action}").to_ascii_lowercase();
    let has = |effect: &str| {
        statements.iter().any(|statement| {
            let names = texts(&statement["Action"]).any(|name| like(&name.to_ascii_lowercase(), &action))
                && (statement["Resource"].is_null()
                    || texts(&statement["Resource"]).any(|name| like(name, resource)))
                && is_for(&statement["Principal"], caller);
            // What says to whom or what it does not apply is not judged either.
            let denies_others = effect == "Deny"
                && ["NotPrincipal", "NotAction", "NotResource"]
                    .iter()
                    .any(|name| !statement[*name].is_null());
            let judged =
                effect == "Deny" || (statement["Condition"].is_null() && statement["NotResource"].is_null());
            statement["Effect"] == effect && (denies_others || names && judged)
        })
    };
    has("Allow") && !has("Deny")
}

/// `*`, an account, its root, or the caller's own user or role.
fn is_for(principal: &Value, caller: &Caller) -> bool {
    let account = caller.account.as_str();
    let root = format!("arn:aws:iam::{account}:root");
    // arn:aws:sts::account:assumed-role/role/session
    let role = caller.principal.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    let role = role.map(|role| format!("arn:aws:iam::{account}:role/{role}"));
    let named = match principal {
        Value::Object(kinds) => kinds.get("AWS").unwrap_or(&Value::Null),
        other => other,
    };
    texts(named).any(|name| {
        name == "*"
            || name == account
            || name == root
            || name == caller.principal
            || role.as_deref() == Some(name)
    })
}

/// A single text, or those of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let all = match value {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter().filter_map(Value::as_str)
}

/// `*` stands for any text, `?` for any character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                // The last star takes one more.
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:000000000000:t";

    #[test]
    fn a_policy_allows_what_it_names_to_whom_it_names() {
        let account = AccountId::parse("111111111111").unwrap();
        let mut caller = Caller::root_user(account, Region::default(), Uuid::nil());
        caller.principal = "arn:aws:sts::111111111111:assumed-role/writer/s".to_owned();
        let statement = |effect: &str, principal: Value, action: &str, more: Value| {
            let mut all =
                json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": TOPIC });
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let none = json!({});
        let allow = |principal: Value| statement("Allow", principal, "SNS:Publish", json!({}));
        let everybody = allow(json!("*"));
        let condition = json!({ "Condition": { "StringEquals": { "AWS:SourceOwner": "111111111111" } } });
        for (statements, expected) in [
            (json!([]), false),
            (json!([everybody]), true),
            (everybody.clone(), true),
            (json!([allow(json!({ "AWS": "111111111111" }))]), true),
            (json!([allow(json!({ "AWS": ["x", "arn:aws:iam::111111111111:root"] }))]), true),
            (json!([allow(json!({ "AWS": "arn:aws:iam::111111111111:role/writer" }))]), true),
            (json!([allow(json!({ "AWS": "arn:aws:iam::111111111111:role/reader" }))]), false),
            (json!([allow(json!({ "AWS": "222222222222" }))]), false),
            (json!([allow(json!({ "Service": "s3.amazonaws.com" }))]), false),
            (json!([statement("Allow", json!("*"), "sns:Pub*", none.clone())]), true),
            (json!([statement("Allow", json!("*"), "SNS:Subscribe", none.clone())]), false),
            (json!([statement("Allow", json!("*"), "*", json!({ "Resource": "arn:*:other" }))]), false),
            (json!([statement("Allow", json!("*"), "*", condition.clone())]), false),
            (json!([everybody, statement("Deny", json!({ "AWS": "111111111111" }), "*", none)]), false),
            (json!([everybody, statement("Deny", json!("*"), "SNS:Publish", condition)]), false),
        ] {
            let policy = json!({ "Statement": statements }).to_string();
            assert_eq!(allows(&policy, &caller, "Publish", TOPIC), expected, "{policy}");
        }
        assert!(!allows("", &caller, "Publish", TOPIC));
    }

    #[test]
    fn stars_and_question_marks_stand_for_others() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("*b*b", "abab", true),
            ("a", "ab", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
