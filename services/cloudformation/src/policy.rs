//! Stack policies: which updates of which resources are allowed. Pure.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>

use base::{Document, Fault};

use crate::stack::invalid;

/// What an update does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Modify,
    Replace,
    Delete,
}

impl Deed {
    fn action(self) -> &'static str {
        match self {
            Deed::Modify => "Update:Modify",
            Deed::Replace => "Update:Replace",
            Deed::Delete => "Update:Delete",
        }
    }
}

/// A policy that reads.
#[derive(Debug)]
pub(crate) struct Policy(Vec<Statement>);

#[derive(Debug)]
struct Statement {
    allows: bool,
    actions: Choice,
    resources: Choice,
    /// The condition on `ResourceType`, if there is one.
    kinds: Option<Vec<String>>,
}

/// One of these patterns, or none of them.
#[derive(Debug)]
struct Choice {
    patterns: Vec<String>,
    negated: bool,
}

impl Choice {
    fn takes(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| is_like(pattern, text)) != self.negated
    }
}

impl Policy {
    /// Reads a policy's text.
    ///
    /// # Errors
    /// It is no policy of a stack.
    pub(crate) fn parse(text: &str) -> Result<Policy, Fault> {
        let wrong = |why: &str| invalid(format!("Error validating stack policy: {why}"));
        let document: Document = serde_json::from_str(text).map_err(|_| wrong("Invalid stack policy"))?;
        let statements = match document.get("Statement") {
            Some(Document::Array(statements)) => statements.clone(),
            Some(one @ Document::Object(_)) => vec![one.clone()],
            _ => return Err(wrong("Invalid stack policy")),
        };
        statements.iter().map(statement).collect::<Result<_, _>>().map(Policy).map_err(|why| wrong(&why))
    }

    /// Refuses what the policy does not allow. A policy denies what no statement allows.
    ///
    /// # Errors
    /// The statement that denies, or that there is none that allows.
    pub(crate) fn check(&self, deed: Deed, logical_id: &str, kind: &str) -> Result<(), String> {
        let resource = format!("LogicalResourceId/{logical_id}");
        let concerns = |statement: &Statement| {
            let kinds = statement.kinds.as_ref();
            statement.actions.takes(deed.action())
                && statement.resources.takes(&resource)
                && kinds.is_none_or(|kinds| kinds.iter().any(|pattern| is_like(pattern, kind)))
        };
        let of_it = |allows: bool| self.0.iter().position(|it| it.allows == allows && concerns(it));
        let action = deed.action();
        match (of_it(false), of_it(true)) {
            (Some(index), _) => Err(format!(
                "Action denied by stack policy: Statement [#{}] does not allow [{action}] for resource [{resource}]",
                index + 1
            )),
            (None, None) => Err(format!(
                "Action not allowed by stack policy: no statement allows [{action}] for resource [{resource}]"
            )),
            (None, Some(_)) => Ok(()),
        }
    }
}

fn statement(document: &Document) -> Result<Statement, String> {
    let allows = match document.get("Effect").and_then(Document::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("Effect must be Allow or Deny".to_owned()),
    };
    let everybody =
        |principal: &Document| *principal == *"*" || principal.get("AWS").is_some_and(|aws| *aws == *"*");
    if !document.get("Principal").is_some_and(everybody) {
        return Err("Principal must be *".to_owned());
    }
    let kinds = match document.get("Condition") {
        None => None,
        Some(condition) => {
            let test = condition.get("StringEquals").or_else(|| condition.get("StringLike"));
            let kinds = test.and_then(|test| test.get("ResourceType")).map(texts);
            Some(kinds.ok_or("Condition must be StringEquals or StringLike of ResourceType")?)
        }
    };
    let actions = choice(document, "Action", "NotAction")?;
    let known = |action: &String| action.starts_with("Update:") || action == "*";
    if !actions.patterns.iter().all(known) {
        return Err("Action must begin with Update:".to_owned());
    }
    Ok(Statement { allows, actions, resources: choice(document, "Resource", "NotResource")?, kinds })
}

fn choice(document: &Document, name: &str, not: &str) -> Result<Choice, String> {
    match (document.get(name), document.get(not)) {
        (Some(some), None) => Ok(Choice { patterns: texts(some), negated: false }),
        (None, Some(others)) => Ok(Choice { patterns: texts(others), negated: true }),
        _ => Err(format!("one of {name} and {not} is required")),
    }
}

fn texts(document: &Document) -> Vec<String> {
    match document {
        Document::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Document::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// `*` is any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_allow_and_deny() {
        let open = r#"{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}"#;
        let deny = |rest: &str| {
            format!(r#"{{"Statement": [{open}, {{"Effect": "Deny", "Principal": "*", {rest}}}]}}"#)
        };
        for (policy, deed, expected) in [
            (format!(r#"{{"Statement": {open}}}"#), Deed::Delete, Ok(())),
            (deny(r#""Action": "Update:Replace", "Resource": "LogicalResourceId/A*""#), Deed::Modify, Ok(())),
            (
                deny(r#""Action": ["Update:Replace", "Update:Delete"], "Resource": "LogicalResourceId/A*""#),
                Deed::Replace,
                Err("Statement [#2] does not allow [Update:Replace] for resource [LogicalResourceId/Abc]"),
            ),
            (deny(r#""Action": "Update:*", "NotResource": "LogicalResourceId/A*c""#), Deed::Modify, Ok(())),
            (
                deny(
                    r#""Action": "Update:*", "Resource": "*", "Condition": {"StringEquals": {"ResourceType": ["AWS::SQS::Queue"]}}"#,
                ),
                Deed::Modify,
                Err("Statement [#2]"),
            ),
            (r#"{"Statement": []}"#.to_owned(), Deed::Modify, Err("no statement allows [Update:Modify]")),
        ] {
            let found = Policy::parse(&policy).unwrap().check(deed, "Abc", "AWS::SQS::Queue");
            match expected {
                Ok(()) => assert_eq!(found, Ok(()), "{policy}"),
                Err(part) => assert!(found.unwrap_err().contains(part), "{policy}"),
            }
        }
        for wrong in [
            "",
            "{}",
            r#"{"Statement": [{"Effect": "Allow", "Principal": "me", "Action": "Update:*", "Resource": "*"}]}"#,
        ] {
            assert!(Policy::parse(wrong).unwrap_err().message.starts_with("Error validating stack policy"));
        }
    }
}
