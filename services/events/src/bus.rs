//! Buses: their names and where they are.

use base::{AccountId, Arn, Fault, Region};
use kernel::{Result, Scope, Tx};

use crate::fault;
use crate::keys::{Bus, BusKey, RuleKey, Rules, RulesKey};
use crate::policy::{self, Wish};
use crate::rule;

/// The bus that is always there.
pub(crate) const DEFAULT: &str = "default";

/// The bus's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str) -> String {
    Arn::new("events", &tx.scope().region, &tx.scope().account, format!("event-bus/{name}")).to_string()
}

/// The name in a bus's name or ARN. An ARN takes the transaction to its account and region.
pub(crate) fn enter(tx: &mut Tx, name_or_arn: Option<&str>) -> Result<String, Fault> {
    let Some(text) = name_or_arn else { return Ok(DEFAULT.to_owned()) };
    let Some((account, region, name)) = parse_arn(text) else { return Ok(text.to_owned()) };
    tx.enter(Scope { account, region });
    Ok(name)
}

/// The same for somebody who means to administer it, for which `action` is the name, e.g. `events:PutRule`. In another
/// account, the policy of the bus must allow it.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>
pub(crate) async fn enter_to(
    tx: &mut Tx,
    name_or_arn: Option<&str>,
    action: &str,
    rule: Option<&str>,
) -> Result<String> {
    let home = tx.scope().account.clone();
    let name = enter(tx, name_or_arn)?;
    if tx.scope().account == home {
        return Ok(name);
    }
    let bus_arn = arn(tx, &name);
    let rule = rule.map(|rule| rule::arn(tx, &RuleKey { bus: name.clone(), name: rule.to_owned() }));
    let resource = rule.as_deref().unwrap_or(&bus_arn);
    let wish = Wish { account: home.as_str(), action, resource, source: None, detail_type: None };
    // Who may not use a bus is not told whether there is one.
    let found = tx.peek(&BusKey { name: name.clone() }).await?;
    let policy = found.and_then(|bus| bus.policy);
    if policy.is_some_and(|policy| policy::allows(&policy, &wish)) {
        return Ok(name);
    }
    Err(Fault::access_denied(format!(
        "Account {home} is not authorized to perform: {action} on resource: {resource} because no resource-based policy allows the {action} action"
    ))
    .into())
}

/// The name in a bus's ARN, which is the input member `what` and must be of the transaction's account and region.
pub(crate) fn of_arn(tx: &Tx, what: &str, text: &str) -> Result<String, Fault> {
    match parse_arn(text) {
        Some((account, region, name)) if tx.scope().account == account && tx.scope().region == region => {
            Ok(name)
        }
        _ => Err(fault::invalid_parameter(what, "Must contain an event bus ARN of this account and region.")),
    }
}

/// The name in a bus's name or ARN.
pub(crate) fn name_in(name_or_arn: &str) -> &str {
    name_or_arn.rsplit_once(":event-bus/").map_or(name_or_arn, |(_, name)| name)
}

fn parse_arn(text: &str) -> Option<(AccountId, Region, String)> {
    let arn: Arn = text.parse().ok()?;
    let name = arn.resource.strip_prefix("event-bus/").filter(|_| arn.service == "events")?;
    Some((arn.account_id()?, arn.region_name()?, name.to_owned()))
}

/// The bus of that name, if there is one, unguarded; the default bus is made up where it has no row.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<Bus> {
    match tx.peek(&BusKey { name: name.to_owned() }).await? {
        Some(bus) => Ok(bus),
        None if name == DEFAULT => Ok(untouched_default()),
        None => Err(fault::no_such_bus(name).into()),
    }
}

/// The same, guarded: for operations that must not outlive the bus.
pub(crate) async fn find_guarded(tx: &mut Tx, name: &str) -> Result<Bus> {
    match tx.get(&BusKey { name: name.to_owned() }).await? {
        Some(bus) => Ok(bus),
        None if name == DEFAULT => Ok(untouched_default()),
        None => Err(fault::no_such_bus(name).into()),
    }
}

/// Refuses an event from another account that the bus's policy does not allow.
pub(crate) fn check_sender(
    tx: &Tx,
    name: &str,
    bus: &Bus,
    account: &str,
    source: Option<&str>,
    detail_type: Option<&str>,
) -> Result<(), Fault> {
    let Some(policy) = bus.policy.as_ref().filter(|_| tx.scope().account.as_str() != account) else {
        return Ok(());
    };
    let arn = arn(tx, name);
    let wish = Wish { account, action: "events:PutEvents", resource: &arn, source, detail_type };
    if policy::allows(policy, &wish) {
        return Ok(());
    }
    Err(Fault::access_denied(format!(
        "Account {account} is not authorized to perform: events:PutEvents on resource: {arn} because no resource-based policy allows the events:PutEvents action"
    )))
}

fn untouched_default() -> Bus {
    Bus::default()
}

/// Writes the bus. Its compiled rules, which hold some of its settings, are made anew.
pub(crate) async fn write(tx: &mut Tx, name: &str, bus: &Bus) -> Result<()> {
    let key = RulesKey { bus: name.to_owned() };
    let rules = tx.get(&key).await?.unwrap_or(Rules { count: 0 });
    tx.put(&key, &rules)?;
    tx.put(&BusKey { name: name.to_owned() }, bus)
}
