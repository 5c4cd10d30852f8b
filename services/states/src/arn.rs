//! Names of machines and executions, and their ARNs.

use base::{Arn, Fault};
use kernel::Scope;
use serde::{Deserialize, Serialize};

use crate::fault;

/// Characters that no name may hold, besides white space and control characters.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html>
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// Refuses a name with characters that AWS forbids.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || FORBIDDEN.contains(c);
    if name.is_empty() || name.chars().count() > 80 || name.contains(bad) {
        return Err(fault::invalid_name(name));
    }
    Ok(())
}

/// The ARN of a state machine.
pub(crate) fn machine_arn(scope: &Scope, name: &str) -> String {
    format!("arn:aws:states:{}:{}:stateMachine:{name}", scope.region, scope.account)
}

/// The name of the machine that an ARN means.
///
/// # Errors
/// `InvalidArn` if it is none; `StateMachineDoesNotExist` if it is one of another place, or of a version or an alias,
/// which no machine has.
pub(crate) fn machine_name(scope: &Scope, text: &str) -> Result<String, Fault> {
    let arn = parse(text)?;
    let name = arn.resource_after("stateMachine").ok_or_else(|| wrong_type(&arn))?;
    if name.is_empty() || arn.resource.contains('/') {
        return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}")));
    }
    if name.contains(':') || !is_here(scope, &arn) {
        return Err(fault::machine_does_not_exist(text));
    }
    Ok(name.to_owned())
}

/// An execution within its account and region: `machine:name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ExecutionId(String);

impl ExecutionId {
    pub(crate) fn new(machine: &str, name: &str) -> ExecutionId {
        ExecutionId(format!("{machine}:{name}"))
    }

    /// The execution that an ARN means.
    ///
    /// # Errors
    /// `InvalidArn` if it is none, `ExecutionDoesNotExist` if it is one of another place.
    pub(crate) fn parse(scope: &Scope, text: &str) -> Result<ExecutionId, Fault> {
        let arn = parse(text)?;
        let rest = arn.resource_after("execution").ok_or_else(|| wrong_type(&arn))?;
        match rest.split_once(':') {
            Some((machine, name)) if !machine.is_empty() && !name.is_empty() => {}
            _ => return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}"))),
        }
        if !is_here(scope, &arn) {
            return Err(fault::execution_does_not_exist(text));
        }
        Ok(ExecutionId(rest.to_owned()))
    }

    /// `machine:name`, from a task token; `None` if it is no such thing.
    pub(crate) fn from_key(text: &str) -> Option<ExecutionId> {
        text.contains(':').then(|| ExecutionId(text.to_owned()))
    }

    pub(crate) fn key(&self) -> String {
        self.0.clone()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn machine(&self) -> &str {
        self.0.split_once(':').map_or("", |(machine, _)| machine)
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }

    pub(crate) fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:states:{}:{}:execution:{}", scope.region, scope.account, self.0)
    }

    pub(crate) fn machine_arn(&self, scope: &Scope) -> String {
        machine_arn(scope, self.machine())
    }
}

/// Refuses what is no ARN of a role.
pub(crate) fn check_role(text: &str) -> Result<(), Fault> {
    let arn = parse_any(text)?;
    if arn.service != "iam" || arn.resource_after("role").is_none() {
        return Err(fault::invalid_arn(&format!("Invalid Role Arn: '{text}'")));
    }
    Ok(())
}

fn is_here(scope: &Scope, arn: &Arn) -> bool {
    arn.region == scope.region.as_str() && arn.account == scope.account.as_str()
}

fn parse(text: &str) -> Result<Arn, Fault> {
    let arn = parse_any(text)?;
    if arn.service == "states" { Ok(arn) } else { Err(wrong_type(&arn)) }
}

fn parse_any(text: &str) -> Result<Arn, Fault> {
    text.parse().map_err(|_| fault::invalid_arn(&format!("Invalid ARN prefix: {text}")))
}

fn wrong_type(arn: &Arn) -> Fault {
    let kind = arn.resource.split([':', '/']).next().unwrap_or_default();
    fault::invalid_arn(&format!("Resource type not valid in this context: {kind}"))
}

#[cfg(test)]
mod tests {
    use base::{AccountId, Region};

    use super::*;

    fn scope() -> Scope {
        Scope { account: AccountId::default(), region: Region::default() }
    }

    #[test]
    fn machines() {
        let check = |text: &str, expected: &str| {
            let found = machine_name(&scope(), text).unwrap_or_else(|fault| fault.to_string());
            assert_eq!(found, expected, "{text}");
        };
        check("arn:aws:states:us-east-1:000000000000:stateMachine:m", "m");
        check("m", "InvalidArn: Invalid Arn: 'Invalid ARN prefix: m'");
        check(
            "arn:aws:states:us-east-1:000000000000:execution:m:e",
            "InvalidArn: Invalid Arn: 'Resource type not valid in this context: execution'",
        );
        let elsewhere = "arn:aws:states:eu-west-1:000000000000:stateMachine:m";
        check(elsewhere, &format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{elsewhere}'"));
        let version = "arn:aws:states:us-east-1:000000000000:stateMachine:m:1";
        check(version, &format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{version}'"));
    }

    #[test]
    fn executions_have_a_machine_and_a_name() {
        let text = "arn:aws:states:us-east-1:000000000000:execution:m:e";
        let id = ExecutionId::parse(&scope(), text).unwrap();
        assert_eq!((id.machine(), id.name(), id.arn(&scope())), ("m", "e", text.to_owned()));
        assert!(ExecutionId::parse(&scope(), "arn:aws:states:us-east-1:000000000000:execution:m").is_err());
    }

    #[test]
    fn names() {
        for good in ["a", "A-b_c.1", "größe", "a=b+c@d!e'f(g)"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "x".repeat(81);
        for bad in ["", "a b", "a:b", "a/b", "a\u{7f}", "a\u{9f}", "a\n", "{", "$", &long] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
