//! The table that a restore makes of its source's settings, or AWS's refusal.
//!
//! Indexes, capacity and encryption come along unless the request overrides them. What AWS leaves to be set up again is
//! left out here too: tags, streams, time to live, deletion protection, point-in-time recovery.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_restores.html>

use base::{Fault, Timestamp};
use uuid::Uuid;

use super::create::{billing, global_index, invalid, key_names, unsupported};
use super::describe::key_schema;
use super::{Index, KeyNames, Table};
use crate::api::{self, BillingMode, ProjectionType};

/// What a restore may ask to be otherwise than in the source.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `BillingModeOverride`
    pub billing: Option<BillingMode>,
    /// `GlobalSecondaryIndexOverride`: those that come along
    pub globals: Option<Vec<api::GlobalSecondaryIndex>>,
    /// `LocalSecondaryIndexOverride`: those that come along
    pub locals: Option<Vec<api::LocalSecondaryIndex>>,
    /// `ProvisionedThroughputOverride`
    pub provisioned: Option<api::ProvisionedThroughput>,
    /// `OnDemandThroughputOverride`
    pub on_demand: Option<api::OnDemandThroughput>,
    /// `SSESpecificationOverride`
    pub sse: Option<api::SSESpecification>,
    /// `VectorIndexOverride`, which is refused
    pub vectors: Option<Vec<api::VectorIndex>>,
}

/// The table `name` with the settings of `source`. `space` gives a fresh space at each call.
pub fn restore(
    source: &Table,
    name: &str,
    overrides: Overrides,
    (id, now): (Uuid, Timestamp),
    mut space: impl FnMut() -> u64,
) -> Result<Table, Fault> {
    super::check_name("TargetTableName", name)?;
    if overrides.vectors.is_some_and(|indexes| !indexes.is_empty()) {
        return Err(unsupported("VectorIndexOverride", "vector indexes are"));
    }
    let mode = overrides.billing.unwrap_or(source.billing.mode);
    let on_demand = mode == BillingMode::PayPerRequest;
    let billing = billing(
        Some(mode),
        overrides.provisioned.or_else(|| source.billing.provisioned.clone().filter(|_| !on_demand)),
        overrides.on_demand.or_else(|| source.billing.on_demand.clone().filter(|_| on_demand)),
        source.billing.warm.clone(),
        now,
    )?;
    let mut indexes = locals(source, overrides.locals)?;
    for wanted in globals(source, overrides.globals, on_demand)? {
        indexes.push(global_index(wanted, &billing, 0)?);
    }
    indexes.iter_mut().for_each(|index| index.space = space());
    let mut table = Table {
        name: name.to_owned(),
        id,
        space: space(),
        created: now,
        attributes: source.attributes.clone(),
        keys: source.keys.clone(),
        indexes,
        billing,
        class: source.class,
        sse: overrides.sse.or_else(|| source.sse.clone()),
        deletion_protection: false,
        ttl_attribute: None,
        tags: Default::default(),
        stream: None,
        history: None,
        restored: None,
    };
    let Table { attributes, keys, indexes, .. } = &mut table;
    attributes.retain(|name, _| {
        keys.iter().chain(indexes.iter().flat_map(|index| index.keys.iter())).any(|key| key == name)
    });
    Ok(table)
}

/// The local indexes that come along.
fn locals(source: &Table, wanted: Option<Vec<api::LocalSecondaryIndex>>) -> Result<Vec<Index>, Fault> {
    let all = source.indexes.iter().filter(|index| index.local);
    let Some(wanted) = wanted else { return Ok(all.cloned().collect()) };
    let given = |index: &api::LocalSecondaryIndex| {
        same(source, true, &index.index_name, &key_names(&index.key_schema)?, &index.projection).cloned()
    };
    wanted.iter().map(given).collect()
}

/// The global indexes that come along, as if they were to be made.
fn globals(
    source: &Table,
    wanted: Option<Vec<api::GlobalSecondaryIndex>>,
    on_demand: bool,
) -> Result<Vec<api::GlobalSecondaryIndex>, Fault> {
    let as_it_is = |index: &Index| api::GlobalSecondaryIndex {
        index_name: index.name.clone(),
        key_schema: key_schema(&index.keys),
        projection: index.projection.clone(),
        provisioned_throughput: index.provisioned.clone().filter(|_| !on_demand),
        on_demand_throughput: index.on_demand.clone().filter(|_| on_demand),
        warm_throughput: index.warm.clone(),
    };
    let Some(wanted) = wanted else {
        return Ok(source.indexes.iter().filter(|index| !index.local).map(as_it_is).collect());
    };
    for index in &wanted {
        same(source, false, &index.index_name, &key_names(&index.key_schema)?, &index.projection)?;
    }
    Ok(wanted)
}

/// The index of the source that an override names; it may be left out, not changed.
fn same<'t>(
    source: &'t Table,
    local: bool,
    name: &str,
    keys: &KeyNames,
    projection: &api::Projection,
) -> Result<&'t Index, Fault> {
    let found = source.indexes.iter().find(|index| index.name == name && index.local == local);
    let kind = |projection: &api::Projection| projection.projection_type.unwrap_or(ProjectionType::All);
    let attributes = |projection: &api::Projection| {
        let mut names = projection.non_key_attributes.clone().unwrap_or_default();
        names.sort();
        names
    };
    let alike = |index: &&Index| {
        index.keys == *keys
            && kind(&index.projection) == kind(projection)
            && attributes(&index.projection) == attributes(projection)
    };
    found.filter(alike).ok_or_else(|| {
        invalid(format_args!(
            "Index {name} is not an index of the source table; a restore can only leave indexes out"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Table {
        let input = serde_json::json!({
            "TableName": "source", "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 2 },
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "g", "AttributeType": "N" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-g", "KeySchema": [{ "AttributeName": "g", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "ALL" },
                "ProvisionedThroughput": { "ReadCapacityUnits": 3, "WriteCapacityUnits": 4 } }],
            "DeletionProtectionEnabled": true, "Tags": [{ "Key": "a", "Value": "b" }],
        });
        let input = serde_json::from_value(input).unwrap();
        super::super::create(input, Uuid::nil(), Timestamp::from_millis(0), || 1).unwrap()
    }

    fn restored(overrides: Overrides) -> Result<Table, Fault> {
        let mut next = 10;
        restore(&source(), "target", overrides, (Uuid::nil(), Timestamp::from_millis(5)), || {
            next += 1;
            next
        })
    }

    #[test]
    fn settings_come_along_but_those_that_aws_leaves_out() {
        let table = restored(Overrides::default()).unwrap();
        assert_eq!((table.name.as_str(), table.deletion_protection, table.tags.len()), ("target", false, 0));
        assert_eq!(table.billing.provisioned.map(|given| given.write_capacity_units), Some(2));
        assert_eq!(table.indexes[0].provisioned.as_ref().map(|given| given.read_capacity_units), Some(3));
        assert_ne!(table.indexes[0].space, table.space);
    }

    #[test]
    fn overrides_are_honoured() {
        let overrides = Overrides {
            billing: Some(BillingMode::PayPerRequest),
            globals: Some(Vec::new()),
            ..Overrides::default()
        };
        let table = restored(overrides).unwrap();
        assert_eq!((table.billing.mode, table.billing.provisioned), (BillingMode::PayPerRequest, None));
        assert_eq!((table.indexes.len(), table.attributes.len()), (0, 1));
        let overrides = Overrides { billing: Some(BillingMode::PayPerRequest), ..Overrides::default() };
        assert_eq!(restored(overrides).unwrap().indexes[0].provisioned, None);
    }

    #[test]
    fn an_index_can_only_be_left_out() {
        let changed = serde_json::json!([{
            "IndexName": "by-g", "KeySchema": [{ "AttributeName": "g", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" } }]);
        let overrides =
            Overrides { globals: serde_json::from_value(changed).unwrap(), ..Overrides::default() };
        assert_eq!(restored(overrides).unwrap_err().code, "ValidationException");
    }
}
