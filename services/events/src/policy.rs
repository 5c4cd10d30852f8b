//! The resource policy of a bus: who from outside its account may do what with it.
//!
//! A call from the bus's own account is not its policy's business here. A call from another account needs a statement
//! that allows it, as soon as the bus has a policy; a bus without one takes events from every account of this server.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>

use base::Fault;
use serde_json::{Map, Value, json};

use crate::fault;

/// The largest policy, in characters. AWS's quota.
const CHARACTERS_MAX: usize = 10_240;

/// What somebody wants to do with a bus.
pub(crate) struct Wish<'a> {
    pub account: &'a str,
    pub action: &'a str,
    /// The ARN of the bus or of the rule.
    pub resource: &'a str,
    pub source: Option<&'a str>,
    pub detail_type: Option<&'a str>,
}

/// The policy, if it is one.
pub(crate) fn parse(text: &str) -> Result<Value, Fault> {
    if text.chars().count() > CHARACTERS_MAX {
        return Err(Fault::new(
            "PolicyLengthExceededException",
            "The policy is longer than 10240 characters.",
        ));
    }
    let malformed = || fault::invalid_parameter("Policy", "The policy is not well-formed.");
    let policy: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    let statements = statements(&policy);
    let fine = |statement: &Value| {
        matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
            && statement.get("Principal").is_some()
            && statement.get("Action").is_some()
            && unknown_condition(statement).is_none()
    };
    if let Some(name) = statements.iter().find_map(|statement| unknown_condition(statement)) {
        return Err(fault::not_honoured(&format!("The condition {name} of a policy")));
    }
    if statements.is_empty() || !statements.iter().all(|statement| fine(statement)) {
        return Err(malformed());
    }
    Ok(policy)
}

/// The policy with one statement more, or in the place of the one of its id.
pub(crate) fn with_statement(policy: Option<&str>, statement: Value) -> Result<String, Fault> {
    let mut statements: Vec<Value> = match policy {
        Some(text) => statements(&parse(text)?).into_iter().cloned().collect(),
        None => Vec::new(),
    };
    statements.retain(|known| known["Sid"] != statement["Sid"]);
    statements.push(statement);
    let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    parse(&text)?;
    Ok(text)
}

/// The policy without a statement; `None` if nothing is left. A statement that is not there is a fault.
pub(crate) fn without_statement(policy: Option<&str>, id: &str) -> Result<Option<String>, Fault> {
    let missing = || {
        Fault::new(
            "ResourceNotFoundException",
            format!("Statement with the provided id {id} does not exist."),
        )
    };
    let parsed = parse(policy.ok_or_else(missing)?)?;
    let all = statements(&parsed);
    let left: Vec<&Value> = all.iter().copied().filter(|statement| statement["Sid"] != id).collect();
    if left.len() == all.len() {
        return Err(missing());
    }
    Ok((!left.is_empty()).then(|| json!({ "Version": "2012-10-17", "Statement": left }).to_string()))
}

/// Whether a caller of another account may do it: a deny wins, and something must allow it.
pub(crate) fn allows(policy: &str, wish: &Wish<'_>) -> bool {
    let Ok(policy) = parse(policy) else { return false };
    let applying: Vec<&str> = statements(&policy)
        .into_iter()
        .filter(|statement| applies(statement, wish))
        .filter_map(|statement| statement["Effect"].as_str())
        .collect();
    !applying.contains(&"Deny") && applying.contains(&"Allow")
}

fn statements(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        Value::Object(_) => vec![&policy["Statement"]],
        _ => Vec::new(),
    }
}

fn applies(statement: &Value, wish: &Wish<'_>) -> bool {
    let action = texts(&statement["Action"]).into_iter().any(|action| like(action, wish.action));
    let principals = match &statement["Principal"] {
        Value::Object(kinds) => kinds.get("AWS").map(texts).unwrap_or_default(),
        other => texts(other),
    };
    let is_me = |principal: &str| {
        principal == "*"
            || principal == wish.account
            || principal.split(':').nth(4).is_some_and(|account| account == wish.account)
    };
    // A statement without a resource is about everything of the bus.
    let resources = statement.get("Resource").map(texts);
    let resource = resources.is_none_or(|all| all.into_iter().any(|resource| like(resource, wish.resource)));
    action && resource && principals.into_iter().any(is_me) && holds(statement, wish)
}

const OPERATORS: [&str; 4] = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"];
const KEYS: [&str; 3] = ["events:source", "events:detail-type", "aws:PrincipalAccount"];

/// A condition that nothing here can judge.
fn unknown_condition(statement: &Value) -> Option<&str> {
    let conditions = statement.get("Condition")?.as_object()?;
    let mut inside = conditions.iter().filter(|(operator, _)| OPERATORS.contains(&operator.as_str()));
    if let Some((operator, _)) =
        conditions.iter().find(|(operator, _)| !OPERATORS.contains(&operator.as_str()))
    {
        return Some(operator);
    }
    let known = |key: &str| KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    inside.find_map(|(_, keys)| keys.as_object()?.keys().find(|key| !known(key)).map(String::as_str))
}

fn holds(statement: &Value, wish: &Wish<'_>) -> bool {
    let none = Map::new();
    let conditions = statement["Condition"].as_object().unwrap_or(&none);
    conditions.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, wanted)| {
                let found = match key.to_ascii_lowercase().as_str() {
                    "events:source" => wish.source,
                    "events:detail-type" => wish.detail_type,
                    _ => Some(wish.account),
                };
                let equal = |wanted: &str| {
                    found.is_some_and(|found| {
                        if operator.ends_with("Like") { like(wanted, found) } else { wanted == found }
                    })
                };
                texts(wanted).into_iter().any(equal) != operator.contains("Not")
            })
        })
    })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether `text` is as `pattern` says, in which `*` stands for anything and `?` for one character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                p = at + 1;
                t = from + 1;
                star = Some((at, t));
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(policy: &Value, source: &str) -> bool {
        let wish = Wish {
            account: "111111111111",
            action: "events:PutEvents",
            resource: "arn:aws:events:eu-central-1:000000000000:event-bus/b",
            source: Some(source),
            detail_type: Some("T"),
        };
        allows(&policy.to_string(), &wish)
    }

    #[test]
    fn a_statement_applies_by_principal_action_and_condition() {
        let statement = |more: Value| {
            let mut statement =
                json!({ "Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents" });
            statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            statement
        };
        let policy = |statements: Vec<Value>| json!({ "Version": "2012-10-17", "Statement": statements });
        for (statements, expected) in [
            (vec![statement(json!({}))], true),
            (vec![statement(json!({ "Principal": { "AWS": "111111111111" } }))], true),
            (vec![statement(json!({ "Principal": { "AWS": ["arn:aws:iam::111111111111:root"] } }))], true),
            (vec![statement(json!({ "Principal": { "AWS": "222222222222" } }))], false),
            (vec![statement(json!({ "Action": "events:Put*" }))], true),
            (vec![statement(json!({ "Action": "events:PutRule" }))], false),
            (vec![statement(json!({ "Resource": "arn:aws:events:*:000000000000:event-bus/*" }))], true),
            (
                vec![statement(
                    json!({ "Resource": ["arn:aws:events:eu-central-1:000000000000:event-bus/c"] }),
                )],
                false,
            ),
            (vec![statement(json!({ "Condition": { "StringEquals": { "events:source": "a" } } }))], true),
            (vec![statement(json!({ "Condition": { "StringLike": { "events:source": "b*" } } }))], false),
            (
                vec![statement(json!({ "Condition": { "StringNotEquals": { "events:detail-type": "T" } } }))],
                false,
            ),
            (vec![statement(json!({})), statement(json!({ "Effect": "Deny" }))], false),
        ] {
            assert_eq!(allowed(&policy(statements.clone()), "a"), expected, "{statements:?}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let org = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } } } });
        assert!(parse(&org.to_string()).unwrap_err().message.contains("aws:PrincipalOrgID"));
        assert!(parse("{}").is_err() && parse("nonsense").is_err());
    }
}
