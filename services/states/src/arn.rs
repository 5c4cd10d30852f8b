//! Names of machines, executions and activities, and their ARNs.

use base::{Arn, Fault};
use kernel::Scope;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// What the ARN of a machine names: the machine, or one of its versions or aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MachineRef {
    pub name: String,
    pub qualifier: Option<Qualifier>,
}

/// The last part of a qualified ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Qualifier {
    Version(u32),
    Alias(String),
}

impl MachineRef {
    /// # Errors
    /// `InvalidArn` if it is no machine's; `StateMachineDoesNotExist` if it is one of another place.
    pub(crate) fn parse(scope: &Scope, text: &str) -> Result<MachineRef, Fault> {
        let arn = parse(text)?;
        let rest = arn.resource_after("stateMachine").ok_or_else(|| wrong_type(&arn))?;
        let mut parts = rest.split(':');
        let (name, qualifier) = (parts.next().unwrap_or_default(), parts.next());
        let bad = name.is_empty() || qualifier.is_some_and(str::is_empty) || parts.next().is_some();
        if bad || arn.resource.contains('/') {
            return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}")));
        }
        if !is_here(scope, &arn) {
            return Err(fault::machine_does_not_exist(text));
        }
        let qualifier = qualifier.map(|text| match text.parse() {
            Ok(number) => Qualifier::Version(number),
            Err(_) => Qualifier::Alias(text.to_owned()),
        });
        Ok(MachineRef { name: name.to_owned(), qualifier })
    }
}

/// The name of the machine that an unqualified ARN means.
///
/// # Errors
/// Those of [`MachineRef::parse`]; `StateMachineDoesNotExist` if it names a version or an alias.
pub(crate) fn machine_name(scope: &Scope, text: &str) -> Result<String, Fault> {
    match MachineRef::parse(scope, text)? {
        MachineRef { name, qualifier: None } => Ok(name),
        MachineRef { .. } => Err(fault::machine_does_not_exist(text)),
    }
}

/// The ARN of an activity.
pub(crate) fn activity_arn(scope: &Scope, name: &str) -> String {
    format!("arn:aws:states:{}:{}:activity:{name}", scope.region, scope.account)
}

/// The name of the activity that an ARN means.
///
/// # Errors
/// `InvalidArn` if it is none, `ActivityDoesNotExist` if it is one of another place.
pub(crate) fn activity_name(scope: &Scope, text: &str) -> Result<String, Fault> {
    let arn = parse(text)?;
    let name = arn.resource_after("activity").ok_or_else(|| wrong_type(&arn))?;
    if name.is_empty() || name.contains([':', '/']) {
        return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}")));
    }
    if !is_here(scope, &arn) {
        return Err(fault::activity_does_not_exist(text));
    }
    Ok(name.to_owned())
}

/// The ARN of a map run.
pub(crate) fn map_run_arn(scope: &Scope, id: &str) -> String {
    format!("arn:aws:states:{}:{}:mapRun:{id}", scope.region, scope.account)
}

/// The id of the map run that an ARN means: `machine/label:uuid`.
///
/// # Errors
/// `InvalidArn` if it is none, `ResourceNotFound` if it is one of another place.
pub(crate) fn map_run_id(scope: &Scope, text: &str) -> Result<String, Fault> {
    let arn = parse(text)?;
    let id = arn.resource_after("mapRun").ok_or_else(|| wrong_type(&arn))?;
    if !id.contains('/') || id.matches(':').count() != 1 {
        return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}")));
    }
    if !is_here(scope, &arn) {
        return Err(fault::resource_not_found(text));
    }
    Ok(id.to_owned())
}

/// Whether an ARN is an activity's.
pub(crate) fn is_activity(text: &str) -> bool {
    text.parse::<Arn>().is_ok_and(|arn| arn.resource_after("activity").is_some())
}

/// An execution within its account and region: `machine:name`, or `machine:name:id` for an EXPRESS one, whose name is not
/// its own. The machine of a map run's children is `machine/label`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ExecutionId(String);

impl ExecutionId {
    pub(crate) fn new(machine: &str, name: &str) -> ExecutionId {
        ExecutionId(format!("{machine}:{name}"))
    }

    pub(crate) fn express(machine: &str, name: &str, id: Uuid) -> ExecutionId {
        ExecutionId(format!("{machine}:{name}:{id}"))
    }

    /// The execution that an ARN means.
    ///
    /// # Errors
    /// `InvalidArn` if it is none, or one of an EXPRESS execution, `ExecutionDoesNotExist` if it is one of another
    /// place.
    pub(crate) fn parse(scope: &Scope, text: &str) -> Result<ExecutionId, Fault> {
        Self::parse_as(scope, text, "execution", 1)
    }

    /// The same for an EXPRESS execution.
    pub(crate) fn parse_express(scope: &Scope, text: &str) -> Result<ExecutionId, Fault> {
        Self::parse_as(scope, text, "express", 2)
    }

    fn parse_as(scope: &Scope, text: &str, kind: &str, colons: usize) -> Result<ExecutionId, Fault> {
        let arn = parse(text)?;
        let rest = arn.resource_after(kind).ok_or_else(|| wrong_type(&arn))?;
        if rest.split(':').any(str::is_empty) || rest.matches(':').count() != colons {
            return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {text}")));
        }
        if !is_here(scope, &arn) {
            return Err(fault::execution_does_not_exist(text));
        }
        Ok(ExecutionId(rest.to_owned()))
    }

    /// The key's text, from a task token; `None` if it is no such thing.
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
        self.0.split(':').next().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// What names it within its machine: its name, and what tells it apart if it is an EXPRESS one.
    pub(crate) fn local(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, local)| local)
    }

    /// What tells EXPRESS executions of one name apart; `None` for any other.
    pub(crate) fn express_id(&self) -> Option<Uuid> {
        self.0.split(':').nth(2).and_then(|id| id.parse().ok())
    }

    pub(crate) fn is_express(&self) -> bool {
        self.0.matches(':').count() == 2
    }

    pub(crate) fn arn(&self, scope: &Scope) -> String {
        let kind = if self.is_express() { "express" } else { "execution" };
        format!("arn:aws:states:{}:{}:{kind}:{}", scope.region, scope.account, self.0)
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
        let text = "arn:aws:states:us-east-1:000000000000:express:m:e:01890c5e-7a3b-7000-8000-000000000001";
        let id = ExecutionId::parse_express(&scope(), text).unwrap();
        assert_eq!((id.machine(), id.name(), id.arn(&scope())), ("m", "e", text.to_owned()));
        assert!(id.is_express() && id.express_id().is_some());
        let refused = ExecutionId::parse(&scope(), text).unwrap_err().to_string();
        assert_eq!(refused, "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'");
    }

    #[test]
    fn versions_and_aliases() {
        let check = |qualifier: &str, expected: Option<Qualifier>| {
            let text = format!("arn:aws:states:us-east-1:000000000000:stateMachine:m{qualifier}");
            let found = MachineRef::parse(&scope(), &text).unwrap();
            assert_eq!(found, MachineRef { name: "m".to_owned(), qualifier: expected });
        };
        check("", None);
        check(":12", Some(Qualifier::Version(12)));
        check(":PROD", Some(Qualifier::Alias("PROD".to_owned())));
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
