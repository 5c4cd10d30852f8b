//! How callers name a function: `name`, `name:qualifier`, a partial ARN, a whole ARN, and a separate qualifier.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html> (URI request parameters)

use base::{Arn, Fault};
use kernel::Scope;

use crate::{api, fault};

/// The version that is edited; the others are snapshots of it.
pub(crate) const LATEST: &str = "$LATEST";

/// A function, and which version or alias of it, if the caller says so.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct FunctionRef {
    pub name: String,
    pub qualifier: Option<String>,
}

impl FunctionRef {
    /// Parses what a caller gave; `scope` is where the call happens.
    pub(crate) fn parse(text: &str, qualifier: Option<&str>, scope: &Scope) -> Result<FunctionRef, Fault> {
        let rest = local_part(text, scope)?;
        let (name, suffix) = match rest.split_once(':') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (rest, None),
        };
        if let (Some(suffix), Some(qualifier)) = (suffix, qualifier)
            && suffix != qualifier
        {
            let message = format!(
                "The derived qualifier from the function name does not match the specified qualifier: {qualifier}"
            );
            return Err(api::error::invalid_parameter_value_exception(message));
        }
        let qualifier = qualifier.or(suffix).map(str::to_owned);
        Ok(FunctionRef { name: name.to_owned(), qualifier })
    }

    /// The ARN as the caller named the function: with the qualifier if there is one.
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        match &self.qualifier {
            Some(qualifier) => qualified_arn(scope, &self.name, qualifier),
            None => arn(scope, &self.name),
        }
    }

    /// The qualifier, or `$LATEST`.
    pub(crate) fn qualifier_or_latest(&self) -> &str {
        self.qualifier.as_deref().unwrap_or(LATEST)
    }
}

/// What follows `function:`; refuses ARNs of other accounts and regions, whose functions are not here.
fn local_part<'t>(text: &'t str, scope: &Scope) -> Result<&'t str, Fault> {
    let elsewhere = || fault::function_not_found(text);
    if let Some(rest) = text.strip_prefix("arn:") {
        let mut parts = rest.splitn(5, ':');
        let (_, service, region, account) = (parts.next(), parts.next(), parts.next(), parts.next());
        let here = service == Some("lambda")
            && region == Some(scope.region.as_str())
            && account == Some(scope.account.as_str());
        let resource = parts.next().and_then(|resource| resource.strip_prefix("function:"));
        return resource.filter(|_| here).ok_or_else(elsewhere);
    }
    match text.split_once(":function:") {
        Some((account, rest)) if account == scope.account.as_str() => Ok(rest),
        Some(_) => Err(elsewhere()),
        None => Ok(text.strip_prefix("function:").unwrap_or(text)),
    }
}

/// `arn:aws:lambda:…:function:name`.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    Arn::new("lambda", &scope.region, &scope.account, format!("function:{name}")).to_string()
}

/// `arn:aws:lambda:…:function:name:qualifier`.
pub(crate) fn qualified_arn(scope: &Scope, name: &str, qualifier: &str) -> String {
    Arn::new("lambda", &scope.region, &scope.account, format!("function:{name}:{qualifier}")).to_string()
}

/// A version's number: 0 is `$LATEST`; `None` if the qualifier is an alias.
pub(crate) fn version_number(qualifier: &str) -> Option<u64> {
    if qualifier == LATEST { Some(0) } else { qualifier.parse().ok().filter(|number| *number > 0) }
}

/// A version's number as AWS shows it.
pub(crate) fn version_text(number: u64) -> String {
    if number == 0 { LATEST.to_owned() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    fn scope() -> Scope {
        Scope { account: AccountId::default(), region: Region::default() }
    }

    #[test]
    fn all_forms_name_the_same() {
        for (text, qualifier, expected) in [
            ("f", None, ("f", None)),
            ("f:live", None, ("f", Some("live"))),
            ("f", Some("2"), ("f", Some("2"))),
            ("f:2", Some("2"), ("f", Some("2"))),
            ("function:f", None, ("f", None)),
            ("000000000000:function:f:$LATEST", None, ("f", Some("$LATEST"))),
            ("arn:aws:lambda:us-east-1:000000000000:function:f", None, ("f", None)),
            ("arn:aws:lambda:us-east-1:000000000000:function:f:7", None, ("f", Some("7"))),
        ] {
            let found = FunctionRef::parse(text, qualifier, &scope()).unwrap();
            assert_eq!((found.name.as_str(), found.qualifier.as_deref()), expected, "{text}");
        }
    }

    #[test]
    fn functions_elsewhere_are_not_found_and_contradictions_refused() {
        for (text, qualifier) in [
            ("arn:aws:lambda:eu-west-1:000000000000:function:f", None),
            ("arn:aws:lambda:us-east-1:111111111111:function:f", None),
            ("111111111111:function:f", None),
            ("arn:aws:sqs:us-east-1:000000000000:f", None),
            ("f:1", Some("2")),
        ] {
            assert!(FunctionRef::parse(text, qualifier, &scope()).is_err(), "{text}");
        }
    }
}
