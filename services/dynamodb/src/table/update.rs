//! What an UpdateTable request makes of a table, or AWS's refusal.

use base::{Fault, Timestamp};

use super::create::{billing, check_attributes, check_indexes, global_index, invalid, unsupported};
use super::{Index, Table};
use crate::api;
use crate::api::BillingMode;
use crate::stream;

/// A changed table and what has to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The table as it becomes.
    pub table: Table,
    /// Spaces of indexes that have to be filled.
    pub fill: Vec<u64>,
    /// Spaces of indexes that have to be emptied.
    pub empty: Vec<u64>,
}

/// Applies the request to `table`.
pub fn update(
    mut table: Table,
    input: api::UpdateTableInput,
    now: Timestamp,
    mut space: impl FnMut() -> u64,
) -> Result<Planned, Fault> {
    refuse_unsupported(&input)?;
    check_something_changes(&input)?;
    for definition in input.attribute_definitions.iter().flatten() {
        let before = table.attributes.insert(definition.attribute_name.clone(), definition.attribute_type);
        if before.is_some_and(|before| before != definition.attribute_type) {
            return Err(invalid(format_args!(
                "Attribute {} is a key and cannot change its type",
                definition.attribute_name
            )));
        }
    }
    update_billing(&mut table, &input, now)?;
    if let Some(protected) = input.deletion_protection_enabled {
        table.deletion_protection = protected;
    }
    table.class = input.table_class.or(table.class);
    table.sse = input.sse_specification.or(table.sse);
    let mut planned = Planned { table, fill: Vec::new(), empty: Vec::new() };
    for change in input.global_secondary_index_updates.unwrap_or_default() {
        planned.change_index(change, &mut space)?;
    }
    planned.drop_unused_attributes();
    let table = &planned.table;
    check_indexes(&table.indexes)?;
    check_attributes(&table.attributes, &table.keys, &table.indexes)?;
    Ok(planned)
}

fn refuse_unsupported(input: &api::UpdateTableInput) -> Result<(), Fault> {
    stream::check(input.stream_specification.as_ref())?;
    let given = [
        ("ReplicaUpdates", "global tables are", input.replica_updates.is_some()),
        ("MultiRegionConsistency", "global tables are", input.multi_region_consistency.is_some()),
        ("GlobalTableWitnessUpdates", "global tables are", input.global_table_witness_updates.is_some()),
        (
            "GlobalTableSettingsReplicationMode",
            "global tables are",
            input.global_table_settings_replication_mode.is_some(),
        ),
        (
            "DisassociationProtectionEnabled",
            "global tables are",
            input.disassociation_protection_enabled.is_some(),
        ),
        ("VectorIndexUpdates", "vector indexes are", input.vector_index_updates.is_some()),
    ];
    match given.into_iter().find(|(_, _, given)| *given) {
        Some((parameter, what, _)) => Err(unsupported(parameter, what)),
        None => Ok(()),
    }
}

/// A request that names nothing to change is refused, as at AWS; attributes alone are nothing.
fn check_something_changes(input: &api::UpdateTableInput) -> Result<(), Fault> {
    let named = [
        input.provisioned_throughput.is_some(),
        input.billing_mode.is_some(),
        input.stream_specification.is_some(),
        input.global_secondary_index_updates.as_ref().is_some_and(|updates| !updates.is_empty()),
        input.sse_specification.is_some(),
        input.table_class.is_some(),
        input.deletion_protection_enabled.is_some(),
        input.on_demand_throughput.is_some(),
        input.warm_throughput.is_some(),
    ];
    if named.contains(&true) {
        return Ok(());
    }
    Err(Fault::validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
         SSESpecification or ReplicaUpdates is required",
    ))
}

fn update_billing(table: &mut Table, input: &api::UpdateTableInput, now: Timestamp) -> Result<(), Fault> {
    let mode = input.billing_mode.unwrap_or(table.billing.mode);
    let given = input.provisioned_throughput.clone();
    let kept = table.billing.provisioned.clone().filter(|_| mode == BillingMode::Provisioned);
    let on_demand = input.on_demand_throughput.clone().or_else(|| table.billing.on_demand.clone());
    let warm = input.warm_throughput.clone().or_else(|| table.billing.warm.clone());
    let since = table.billing.on_demand_since;
    let became = mode == BillingMode::PayPerRequest && table.billing.mode != BillingMode::PayPerRequest;
    table.billing = billing(Some(mode), given.or(kept), on_demand, warm, now)?;
    table.billing.on_demand_since = if became { Some(now) } else { since };
    if mode == BillingMode::PayPerRequest {
        table.indexes.iter_mut().for_each(|index| index.provisioned = None);
    }
    Ok(())
}

impl Planned {
    fn change_index(
        &mut self,
        change: api::GlobalSecondaryIndexUpdate,
        space: &mut impl FnMut() -> u64,
    ) -> Result<(), Fault> {
        match (change.create, change.update, change.delete) {
            (Some(create), None, None) => {
                let wanted = api::GlobalSecondaryIndex {
                    index_name: create.index_name,
                    key_schema: create.key_schema,
                    projection: create.projection,
                    provisioned_throughput: create.provisioned_throughput,
                    on_demand_throughput: create.on_demand_throughput,
                    warm_throughput: create.warm_throughput,
                };
                let index = global_index(wanted, &self.table.billing, space())?;
                self.fill.push(index.space);
                self.table.indexes.push(Index { backfilling: true, ..index });
                Ok(())
            }
            (None, Some(update), None) => {
                let index = self.global_mut(&update.index_name)?;
                index.provisioned = update.provisioned_throughput.or_else(|| index.provisioned.take());
                index.on_demand = update.on_demand_throughput.or_else(|| index.on_demand.take());
                index.warm = update.warm_throughput.or_else(|| index.warm.take());
                Ok(())
            }
            (None, None, Some(delete)) => {
                let space = self.global_mut(&delete.index_name)?.space;
                self.table.indexes.retain(|index| index.space != space);
                self.empty.push(space);
                Ok(())
            }
            _ => Err(invalid(
                "Exactly one of Create, Update and Delete must be specified for a GlobalSecondaryIndexUpdate",
            )),
        }
    }

    fn global_mut(&mut self, name: &str) -> Result<&mut Index, Fault> {
        let found = self.table.indexes.iter_mut().find(|index| !index.local && index.name == name);
        found.ok_or_else(|| {
            let text = format!("Requested resource not found: Index: {name} not found");
            Fault::new("ResourceNotFoundException", text)
        })
    }

    /// A definition goes with the last index that needs it.
    fn drop_unused_attributes(&mut self) {
        if self.empty.is_empty() {
            return;
        }
        let Table { attributes, keys, indexes, .. } = &mut self.table;
        attributes.retain(|name, _| {
            keys.iter().chain(indexes.iter().flat_map(|index| index.keys.iter())).any(|key| key == name)
        });
    }
}
