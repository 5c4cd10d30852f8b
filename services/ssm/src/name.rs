//! Names of parameters, and what requests call versions of them.
//!
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>

use base::{Arn, Fault};
use kernel::Scope;

use crate::fault;

/// The most levels of a name: `/1/2/…/15`.
const LEVELS_MAX: usize = 15;
/// The most characters of a name, its ARN's beginning included.
const ARN_CHARACTERS_MAX: usize = 1_011;

/// What a request calls a parameter: `name`, `name:3`, `name:label`, or an ARN with or without such a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The names that are meant, likeliest first: an ARN does not tell `name` from `/name`.
    pub names: Vec<String>,
    pub selector: Option<Selector>,
}

/// Which version of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    Number(u64),
    Label(String),
}

impl Selector {
    /// As answers carry it, `:3` or `:label`.
    pub(crate) fn text(&self) -> String {
        match self {
            Selector::Number(number) => format!(":{number}"),
            Selector::Label(label) => format!(":{label}"),
        }
    }
}

impl Reference {
    /// Reads what a request calls a parameter.
    ///
    /// # Errors
    /// `ParameterNotFound`: an ARN of another service, account or region.
    pub(crate) fn parse(text: &str, here: &Scope) -> Result<Reference, Fault> {
        let Some(_) = text.strip_prefix("arn:") else {
            let (name, selector) = split_selector(text);
            return Ok(Reference { names: vec![name.to_owned()], selector });
        };
        let arn: Arn = text.parse().map_err(|_| fault::not_found(text))?;
        let ours = arn.service == "ssm"
            && arn.account_id().as_ref() == Some(&here.account)
            && arn.region_name().as_ref() == Some(&here.region);
        let rest = arn.resource.strip_prefix("parameter/").filter(|_| ours);
        let (path, selector) = split_selector(rest.ok_or_else(|| fault::not_found(text))?);
        let rooted = format!("/{path}");
        let names = if path.contains('/') { vec![rooted] } else { vec![path.to_owned(), rooted] };
        Ok(Reference { names, selector })
    }
}

fn split_selector(text: &str) -> (&str, Option<Selector>) {
    let Some((name, selector)) = text.split_once(':') else { return (text, None) };
    let selector = match selector.parse() {
        Ok(number) => Selector::Number(number),
        Err(_) => Selector::Label(selector.to_owned()),
    };
    (name, Some(selector))
}

/// The ARN of a parameter.
pub(crate) fn arn(here: &Scope, name: &str) -> String {
    let resource = format!("parameter/{}", name.trim_start_matches('/'));
    Arn::new("ssm", &here.region, &here.account, resource).to_string()
}

/// Refuses a name that no parameter may have.
pub(crate) fn check(name: &str, here: &Scope) -> Result<(), Fault> {
    let rooted = name.starts_with('/');
    let levels: Vec<&str> = name.strip_prefix('/').unwrap_or(name).split('/').collect();
    if levels.len() > LEVELS_MAX {
        return Err(fault::too_deep());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if levels.iter().any(|level| level.is_empty() || !level.chars().all(plain)) {
        let message = match name.contains(':') {
            true => {
                "Invalid parameter name. Please use correct syntax for referencing a version/label \
                 <name>:<version/label>"
            }
            false => {
                "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it can \
                 consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers \
                 and the following 3 symbols .-_"
            }
        };
        return Err(Fault::validation(message));
    }
    if levels.len() > 1 && !rooted {
        return Err(Fault::validation(
            "Parameter name must be a fully qualified name: a name with slashes begins with one.",
        ));
    }
    let first = levels.first().map(|level| level.to_ascii_lowercase()).unwrap_or_default();
    if rooted && matches!(first.as_str(), "aws" | "ssm") || !rooted && first.starts_with("aws") {
        let message = format!("No access to reserved parameter name: {name}.");
        return Err(Fault::new("AccessDeniedException", message));
    }
    if first.starts_with("aws") || first.starts_with("ssm") {
        let message = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
        return Err(Fault::validation(message));
    }
    if arn(here, name).chars().count() > ARN_CHARACTERS_MAX {
        let message = format!("Parameter name exceeds {ARN_CHARACTERS_MAX} characters with its ARN.");
        return Err(Fault::validation(message));
    }
    Ok(())
}

/// The path under which names are looked for, without a slash at its end.
///
/// # Errors
/// It does not begin with a slash, or is no path.
pub(crate) fn path(text: &str) -> Result<&str, Fault> {
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if text.starts_with('/') && trimmed.chars().all(plain) && !trimmed.contains("//") {
        return Ok(trimmed);
    }
    let message = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a \
                   forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only \
                   letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special \
                   characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". \
                   Valid example: /get/parameters2-/by1./path0_.";
    Err(Fault::validation(message))
}

/// Whether a name stands below `path`: directly, or with `deep` at any depth. Names without slashes stand at the root.
pub(crate) fn is_below(name: &str, path: &str, deep: bool) -> bool {
    let rest = match name.strip_prefix(path) {
        Some(rest) if rest.starts_with('/') => &rest[1..],
        Some(rest) if path.is_empty() => rest,
        _ => return false,
    };
    !rest.is_empty() && (deep || !rest.contains('/'))
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    fn here() -> Scope {
        Scope { account: AccountId::default(), region: Region::default() }
    }

    #[test]
    fn references_name_versions_and_labels() {
        let named = |names: &[&str], selector| Reference {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            selector,
        };
        let arn = arn(&here(), "/a/b");
        for (text, expected) in [
            ("a", named(&["a"], None)),
            ("/a/b:3", named(&["/a/b"], Some(Selector::Number(3)))),
            ("/a/b:live", named(&["/a/b"], Some(Selector::Label("live".to_owned())))),
            (arn.as_str(), named(&["/a/b"], None)),
            (&format!("{arn}:2"), named(&["/a/b"], Some(Selector::Number(2)))),
            (&arn.replace("a/b", "a"), named(&["a", "/a"], None)),
        ] {
            assert_eq!(Reference::parse(text, &here()), Ok(expected), "{text}");
        }
        let other = arn.replace("000000000000", "111122223333");
        assert_eq!(Reference::parse(&other, &here()).unwrap_err().code, "ParameterNotFound");
    }

    #[test]
    fn names_keep_to_the_rules() {
        for name in ["a", "/a", "/a/b.c-d_e", "/cdk-bootstrap/hnb659fds/version", "/app/aws/x"] {
            assert_eq!(check(name, &here()), Ok(()), "{name}");
        }
        let deep = "/a".repeat(16);
        for (name, code) in [
            ("a/b", "ValidationException"),
            ("/a//b", "ValidationException"),
            ("/a/", "ValidationException"),
            ("a b", "ValidationException"),
            ("ssmx", "ValidationException"),
            ("/aws/x", "AccessDeniedException"),
            ("AWSx", "AccessDeniedException"),
            (deep.as_str(), "HierarchyLevelLimitExceededException"),
        ] {
            assert_eq!(check(name, &here()).unwrap_err().code, code, "{name}");
        }
    }

    #[test]
    fn paths_hold_what_stands_below_them() {
        for (name, path, deep, expected) in [
            ("/a/b", "/a", false, true),
            ("/a/b/c", "/a", false, false),
            ("/a/b/c", "/a", true, true),
            ("/ab/c", "/a", true, false),
            ("/a", "/a", true, false),
            ("/a", "", false, true),
            ("a", "", false, true),
            ("/a/b", "", false, false),
        ] {
            assert_eq!(is_below(name, path, deep), expected, "{name} below {path}");
        }
        assert_eq!(path("/a/b/"), Ok("/a/b"));
        assert_eq!(path("/"), Ok(""));
        assert!(path("a/b").is_err());
    }
}
