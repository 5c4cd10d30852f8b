//! Buses: their names and where they are.

use base::{AccountId, Arn, Fault, Region};
use kernel::{Result, Scope, Tx};

use crate::fault;
use crate::keys::{Bus, BusKey};

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

fn untouched_default() -> Bus {
    let epoch = base::Timestamp::from_millis(0);
    Bus { description: None, created_at: epoch, modified_at: epoch, tags: [].into() }
}
