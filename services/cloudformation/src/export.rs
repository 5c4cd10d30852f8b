//! Exports: outputs under names that are unique in an account and region, and who imports them.

use std::collections::{BTreeMap, BTreeSet};

use base::Fault;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::keys::ExportKey;
use crate::stack::{Stack, StackOutput, invalid};

/// An exported output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Export {
    /// The ARN of the stack that exports it.
    pub stack_arn: String,
    pub stack_name: String,
    pub value: String,
    /// The stacks that import it: ids and names.
    pub importers: BTreeMap<String, String>,
}
store::stored!(Export, format = 1);

impl Export {
    fn users(&self) -> String {
        self.importers.values().map(String::as_str).collect::<Vec<_>>().join(" and ")
    }
}

fn key(name: &str) -> ExportKey {
    ExportKey { name: name.to_owned() }
}

/// Makes the stack's exports those of `outputs`: takes new ones, changes values, gives up the rest.
///
/// # Errors
/// A name that another stack has, or an export in use that would change or go.
pub(crate) async fn replace(tx: &mut Tx, stack: &Stack, outputs: &[StackOutput]) -> Result<()> {
    let wanted: BTreeMap<&str, &str> = outputs
        .iter()
        .filter_map(|output| Some((output.export.as_deref()?, output.value.as_str())))
        .collect();
    // Nothing is written before all is checked: the caller goes on after a refusal.
    let mut given_up = Vec::new();
    for name in exported(stack).filter(|name| !wanted.contains_key(name)) {
        given_up.extend(check_given_up(tx, stack, name).await?);
    }
    let mut changed = Vec::new();
    for (name, value) in wanted {
        let export = match tx.get(&key(name)).await? {
            Some(export) if export.stack_arn != stack.arn => {
                return Err(taken(name, &export.stack_name).into());
            }
            Some(export) if export.value != value && !export.importers.is_empty() => {
                return Err(in_use(name, "updated", &export).into());
            }
            Some(export) => Export { value: value.to_owned(), ..export },
            None => Export {
                stack_arn: stack.arn.clone(),
                stack_name: stack.name.clone(),
                value: value.to_owned(),
                importers: BTreeMap::new(),
            },
        };
        changed.push((key(name), export));
    }
    given_up.iter().for_each(|key| tx.delete(key));
    changed.iter().try_for_each(|(key, export)| tx.put(key, export))
}

fn exported(stack: &Stack) -> impl Iterator<Item = &str> {
    stack.outputs.iter().filter_map(|output| output.export.as_deref())
}

fn in_use(name: &str, verb: &str, export: &Export) -> Fault {
    invalid(format!("Export {name} cannot be {verb} as it is in use by {}", export.users()))
}

fn taken(name: &str, by: &str) -> Fault {
    invalid(format!("Export with name {name} is already exported by stack {by}"))
}

/// Gives up all exports of a stack that goes.
///
/// # Errors
/// One is in use.
pub(crate) async fn give_up_all(tx: &mut Tx, stack: &Stack) -> Result<()> {
    let mut given_up = Vec::new();
    for name in exported(stack) {
        given_up.extend(check_given_up(tx, stack, name).await?);
    }
    given_up.iter().for_each(|key| tx.delete(key));
    Ok(())
}

async fn check_given_up(tx: &mut Tx, stack: &Stack, name: &str) -> Result<Option<ExportKey>> {
    match tx.get(&key(name)).await? {
        Some(export) if export.stack_arn == stack.arn => match export.importers.is_empty() {
            true => Ok(Some(key(name))),
            false => Err(in_use(name, "deleted", &export).into()),
        },
        _ => Ok(None),
    }
}

/// Enters the stack as importer of `names` and returns the values; what nobody exports is left out.
pub(crate) async fn import(
    tx: &mut Tx,
    stack: &Stack,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for name in names {
        let Some(mut export) = tx.get(&key(name)).await? else { continue };
        values.insert(name.clone(), export.value.clone());
        export.importers.insert(stack.id.clone(), stack.name.clone());
        tx.put(&key(name), &export)?;
    }
    Ok(values)
}

/// Strikes the stack off the importers of `names`.
pub(crate) async fn forget(tx: &mut Tx, stack: &Stack, names: impl Iterator<Item = &String>) -> Result<()> {
    for name in names {
        let Some(mut export) = tx.get(&key(name)).await? else { continue };
        export.importers.remove(&stack.id);
        tx.put(&key(name), &export)?;
    }
    Ok(())
}
