//! Versions and aliases: what a qualified ARN stands for.
//!
//! A version is a name for one revision, given once and never moved. An alias leads to one version or, by weight, to two.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html>

use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::RoutingConfigurationListItem;
use crate::arn::{MachineRef, Qualifier, machine_arn};
use crate::fault;
use crate::keys::{AliasKey, MachineKey, VersionKey};
use crate::machine::{StateMachine, find_active_named};

/// The most versions of a machine.
pub(crate) const VERSIONS_MAX: usize = 1_000;
/// The most aliases of a machine.
pub(crate) const ALIASES_MAX: usize = 100;

/// A published version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    #[serde(rename = "r")]
    pub revision: Uuid,
    #[serde(rename = "c")]
    pub created_at: Timestamp,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
store::stored!(Version, format = 1);

/// An alias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    /// One or two versions with their weights, which are 100 together.
    #[serde(rename = "r")]
    pub routes: Vec<(u32, u8)>,
    #[serde(rename = "c")]
    pub created_at: Timestamp,
    #[serde(rename = "u")]
    pub updated_at: Timestamp,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
store::stored!(Alias, format = 1);

impl Alias {
    /// The version that `chance` leads to.
    fn version(&self, chance: u64) -> Option<u32> {
        let point = chance % 100;
        let mut below = 0;
        self.routes.iter().find_map(|(version, weight)| {
            below += u64::from(*weight);
            (point < below).then_some(*version)
        })
    }

    /// As answers show it.
    pub(crate) fn routing(&self, machine_arn: &str) -> Vec<RoutingConfigurationListItem> {
        let item = |(version, weight): &(u32, u8)| RoutingConfigurationListItem {
            state_machine_version_arn: format!("{machine_arn}:{version}"),
            weight: i32::from(*weight),
        };
        self.routes.iter().map(item).collect()
    }
}

/// What a start by some ARN runs.
pub(crate) struct Start {
    pub key: MachineKey,
    pub machine: StateMachine,
    pub revision: Uuid,
    pub version: Option<u32>,
    pub alias: Option<String>,
}

/// What a start by that ARN runs. An alias chooses its version anew each time.
pub(crate) async fn resolve(tx: &mut Tx, arn: &str) -> Result<Start> {
    let MachineRef { name, qualifier } = MachineRef::parse(tx.scope(), arn)?;
    let (key, machine) = find_active_named(tx, name, arn).await?;
    let (number, alias) = match qualifier {
        None => {
            let revision = machine.revision;
            return Ok(Start { key, machine, revision, version: None, alias: None });
        }
        Some(Qualifier::Version(number)) => (Some(number), None),
        Some(Qualifier::Alias(alias)) => {
            let found = tx.get(&AliasKey { machine: key.name.clone(), name: alias.clone() }).await?;
            let found = found.ok_or_else(|| fault::machine_does_not_exist(arn))?;
            (found.version(tx.random()), Some(alias))
        }
    };
    let number = number.ok_or_else(|| fault::machine_does_not_exist(arn))?;
    let version = tx.get(&VersionKey { machine: key.name.clone(), number }).await?;
    let version = version.ok_or_else(|| fault::machine_does_not_exist(arn))?;
    Ok(Start { key, machine, revision: version.revision, version: Some(number), alias })
}

/// Gives the machine's newest revision a number. If it has one, that one is answered again.
pub(crate) async fn publish(
    tx: &mut Tx,
    key: &MachineKey,
    machine: &mut StateMachine,
    description: Option<String>,
) -> Result<(u32, Version)> {
    let newest = newest(tx, &key.name).await?;
    if let Some((number, known)) = newest.filter(|(_, known)| known.revision == machine.revision) {
        if known.description != description {
            let why = "Failed to publish the state machine version: the current revision was already published \
                       with another description.";
            return Err(fault::conflict(why).into());
        }
        return Ok((number, known));
    }
    let all = tx.scan::<VersionKey>(Parts::of(&key.name), VERSIONS_MAX).await?;
    if all.len() >= VERSIONS_MAX {
        let why = format!("The state machine has the maximum number of versions: {VERSIONS_MAX}");
        return Err(fault::quota(why).into());
    }
    machine.last_version += 1;
    let version = Version { revision: machine.revision, created_at: tx.now(), description };
    tx.put(&VersionKey { machine: key.name.clone(), number: machine.last_version }, &version)?;
    tx.put(key, machine)?;
    Ok((machine.last_version, version))
}

async fn newest(tx: &mut Tx, machine: &str) -> Result<Option<(u32, Version)>> {
    let found = tx.scan_back::<VersionKey>(Parts::of(machine), 1).await?;
    Ok(found.into_iter().next().map(|(key, version)| (key.number, version)))
}

/// The aliases of a machine in the order of their names, after a name.
pub(crate) async fn aliases(
    tx: &mut Tx,
    machine: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(AliasKey, Alias)>> {
    match after {
        None => tx.scan(Parts::of(machine), limit).await,
        Some(name) => {
            let after = AliasKey { machine: machine.to_owned(), name };
            tx.scan_after(Parts::of(machine), &after, limit, Direction::Forward).await
        }
    }
}

fn arns(given: &[RoutingConfigurationListItem]) -> Vec<&str> {
    given.iter().map(|item| item.state_machine_version_arn.as_str()).collect()
}

fn unfit(why: &str, received: &[&str]) -> Fault {
    Fault::validation(format!("Routing configuration {why}. Received: [{}]", received.join(", ")))
}

/// The machine and the routes of a routing configuration.
///
/// # Errors
/// `ValidationException` if the weights are not 100 together, the versions are twice the same, or of two machines;
/// `ResourceNotFound` if one is not there.
pub(crate) async fn routes(
    tx: &mut Tx,
    given: &[RoutingConfigurationListItem],
) -> Result<(MachineKey, StateMachine, Vec<(u32, u8)>)> {
    let mut machine: Option<String> = None;
    let mut found: Vec<(u32, u8)> = Vec::new();
    for item in given {
        let arn = &item.state_machine_version_arn;
        let MachineRef { name, qualifier: Some(Qualifier::Version(number)) } =
            MachineRef::parse(tx.scope(), arn)?
        else {
            return Err(unfit("must contain state machine version ARNs", &arns(given)).into());
        };
        if machine.as_ref().is_some_and(|machine| *machine != name) {
            let why = "Routing configuration must contain versions of the same state machine";
            return Err(Fault::validation(why).into());
        }
        if found.iter().any(|(known, _)| *known == number) {
            return Err(unfit("must contain distinct state machine version ARNs", &arns(given)).into());
        }
        machine = Some(name);
        found.push((number, u8::try_from(item.weight).unwrap_or_default()));
    }
    if found.iter().map(|(_, weight)| u32::from(*weight)).sum::<u32>() != 100 {
        let weights: Vec<String> = given.iter().map(|item| item.weight.to_string()).collect();
        let why = format!(
            "Sum of routing configuration weights must equal 100. Received: [{}]",
            weights.join(", ")
        );
        return Err(Fault::validation(why).into());
    }
    let name = machine.unwrap_or_default();
    let arn = machine_arn(tx.scope(), &name);
    let (key, machine) =
        find_active_named(tx, name, &arn).await.map_err(|_| fault::resource_not_found(&arn))?;
    for (number, _) in &found {
        // Guarded: a version cannot go while an alias comes to lead to it.
        if tx.get(&VersionKey { machine: key.name.clone(), number: *number }).await?.is_none() {
            return Err(fault::resource_not_found(&format!("{arn}:{number}")).into());
        }
    }
    Ok((key, machine, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_percentages() {
        let alias = |routes: &[(u32, u8)]| Alias {
            routes: routes.to_vec(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
            description: None,
        };
        let counted = |routes: &[(u32, u8)], version: u32| {
            (0..100).filter(|chance| alias(routes).version(*chance) == Some(version)).count()
        };
        assert_eq!(counted(&[(1, 90), (2, 10)], 1), 90);
        assert_eq!(counted(&[(1, 90), (2, 10)], 2), 10);
        assert_eq!(counted(&[(7, 100)], 7), 100);
        assert_eq!(counted(&[(1, 0), (2, 100)], 1), 0);
    }
}
