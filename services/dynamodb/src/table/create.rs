//! From a CreateTable request to a table, or AWS's refusal.

use std::collections::{BTreeMap, BTreeSet};

use base::{Fault, Timestamp};
use uuid::Uuid;

use super::{Billing, Index, KeyNames, Table};
use crate::api;
use crate::api::{BillingMode, KeyType, ProjectionType};
use crate::stream;

const LOCAL_MAX: usize = 5;
const GLOBAL_MAX: usize = 20;
const TAGS_MAX: usize = 50;

/// `One or more parameter values were invalid: …`
pub(super) fn invalid(text: impl std::fmt::Display) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: {text}"))
}

/// What AWS has and we do not, refused by name.
pub(super) fn unsupported(parameter: &str, what: &str) -> Fault {
    Fault::validation(format!("{parameter}: {what} not implemented by Buswork"))
}

/// Checks the name of a table or index.
pub fn check_name(what: &str, name: &str) -> Result<(), Fault> {
    if !(3..=255).contains(&name.len()) {
        let text = format!("{what} must be at least 3 characters long and at most 255 characters long");
        return Err(Fault::validation(text));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
        return Err(Fault::validation(
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain \
             only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
        ));
    }
    Ok(())
}

/// The table that the request describes. `space` gives a fresh space at each call.
pub fn create(
    input: api::CreateTableInput,
    id: Uuid,
    now: Timestamp,
    mut space: impl FnMut() -> u64,
) -> Result<Table, Fault> {
    refuse_unsupported(&input)?;
    check_name("TableName", &input.table_name)?;
    let definitions = input.attribute_definitions.unwrap_or_default();
    let attributes: BTreeMap<_, _> =
        definitions.iter().map(|d| (d.attribute_name.clone(), d.attribute_type)).collect();
    if attributes.len() < definitions.len() {
        return Err(invalid("Duplicate AttributeName in AttributeDefinitions"));
    }
    let keys = key_names(&input.key_schema.unwrap_or_default())?;
    let billing = billing(
        input.billing_mode,
        input.provisioned_throughput,
        input.on_demand_throughput,
        input.warm_throughput,
        now,
    )?;
    let mut indexes = Vec::new();
    for local in input.local_secondary_indexes.unwrap_or_default() {
        indexes.push(local_index(local, &keys, space())?);
    }
    for global in input.global_secondary_indexes.unwrap_or_default() {
        indexes.push(global_index(global, &billing, space())?);
    }
    check_indexes(&indexes)?;
    check_attributes(&attributes, &keys, &indexes)?;
    let tags = input.tags.unwrap_or_default();
    if tags.len() > TAGS_MAX {
        return Err(invalid("Too many tags: the limit is 50 for a resource"));
    }
    Ok(Table {
        name: input.table_name,
        id,
        space: space(),
        created: now,
        attributes,
        keys,
        indexes,
        billing,
        class: input.table_class,
        sse: input.sse_specification,
        deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
        ttl_attribute: None,
        tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        stream: None,
        history: None,
        restored: None,
    })
}

fn refuse_unsupported(input: &api::CreateTableInput) -> Result<(), Fault> {
    stream::check(input.stream_specification.as_ref())?;
    if input.resource_policy.is_some() {
        return Err(unsupported("ResourcePolicy", "resource policies are"));
    }
    if input.global_table_source_arn.is_some() || input.global_table_settings_replication_mode.is_some() {
        return Err(unsupported("GlobalTableSourceArn", "global tables are"));
    }
    if input.vector_indexes.as_ref().is_some_and(|indexes| !indexes.is_empty()) {
        return Err(unsupported("VectorIndexes", "vector indexes are"));
    }
    Ok(())
}

/// The keys that a `KeySchema` names.
pub(super) fn key_names(schema: &[api::KeySchemaElement]) -> Result<KeyNames, Fault> {
    let hashes = schema.iter().filter(|element| element.key_type == KeyType::Hash).count();
    if schema.len() > 2
        || hashes > 1 && schema.len() > 1 && schema[0].attribute_name != schema[1].attribute_name
    {
        return Err(unsupported("KeySchema", "keys of several partition or sort attributes are"));
    }
    let mut elements = schema.iter();
    let hash = elements.next().filter(|element| element.key_type == KeyType::Hash);
    let hash = hash.ok_or_else(|| {
        Fault::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    })?;
    let range = match elements.next() {
        None => None,
        Some(element) if element.attribute_name == hash.attribute_name => {
            let text = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
            return Err(Fault::validation(text));
        }
        Some(element) if element.key_type == KeyType::Range => Some(element.attribute_name.clone()),
        Some(_) => {
            let text = "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type";
            return Err(Fault::validation(text));
        }
    };
    Ok(KeyNames { hash: hash.attribute_name.clone(), range })
}

/// The billing that the parameters say together.
pub(super) fn billing(
    mode: Option<BillingMode>,
    provisioned: Option<api::ProvisionedThroughput>,
    on_demand: Option<api::OnDemandThroughput>,
    warm: Option<api::WarmThroughput>,
    now: Timestamp,
) -> Result<Billing, Fault> {
    let mode = mode.unwrap_or(BillingMode::Provisioned);
    match (mode, &provisioned) {
        (BillingMode::Provisioned, None) => Err(invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (BillingMode::PayPerRequest, Some(_)) => Err(invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        _ => Ok(Billing {
            mode,
            on_demand_since: (mode == BillingMode::PayPerRequest).then_some(now),
            provisioned,
            on_demand,
            warm,
        }),
    }
}

fn check_projection(projection: &api::Projection) -> Result<(), Fault> {
    let attributes = projection.non_key_attributes.as_ref().is_some_and(|names| !names.is_empty());
    match (projection.projection_type, attributes) {
        (None, _) => Err(invalid("Unknown ProjectionType: null")),
        (Some(ProjectionType::Include), false) => {
            Err(invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"))
        }
        (Some(ProjectionType::All), true) => {
            Err(invalid("ProjectionType is ALL, but NonKeyAttributes is specified"))
        }
        (Some(ProjectionType::KeysOnly), true) => {
            Err(invalid("ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"))
        }
        _ => Ok(()),
    }
}

fn local_index(index: api::LocalSecondaryIndex, table: &KeyNames, space: u64) -> Result<Index, Fault> {
    check_name("IndexName", &index.index_name)?;
    let keys = key_names(&index.key_schema)?;
    let name = index.index_name;
    if table.range.is_none() {
        return Err(invalid(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ));
    }
    if keys.hash != table.hash {
        return Err(invalid(format_args!(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index hash \
             key: {}, table hash key: {}",
            keys.hash, table.hash
        )));
    }
    if keys.range.is_none() {
        return Err(invalid(format_args!("Index KeySchema does not have a range key for index: {name}")));
    }
    check_projection(&index.projection)?;
    Ok(Index {
        name,
        local: true,
        space,
        keys,
        projection: index.projection,
        provisioned: None,
        on_demand: None,
        warm: None,
        backfilling: false,
    })
}

/// A global index; `billing` is its table's.
pub(super) fn global_index(
    index: api::GlobalSecondaryIndex,
    billing: &Billing,
    space: u64,
) -> Result<Index, Fault> {
    check_name("IndexName", &index.index_name)?;
    let keys = key_names(&index.key_schema)?;
    check_projection(&index.projection)?;
    let name = index.index_name;
    match (billing.mode, &index.provisioned_throughput) {
        (BillingMode::Provisioned, None) => {
            return Err(invalid(format_args!("ProvisionedThroughput is not specified for index: {name}")));
        }
        (BillingMode::PayPerRequest, Some(_)) => {
            return Err(invalid(format_args!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            )));
        }
        _ => {}
    }
    Ok(Index {
        name,
        local: false,
        space,
        keys,
        projection: index.projection,
        provisioned: index.provisioned_throughput,
        on_demand: index.on_demand_throughput,
        warm: index.warm_throughput,
        backfilling: false,
    })
}

/// Numbers and names of all indexes together.
pub(super) fn check_indexes(indexes: &[Index]) -> Result<(), Fault> {
    let locals = indexes.iter().filter(|index| index.local).count();
    if locals > LOCAL_MAX {
        return Err(invalid("Number of LocalSecondaryIndexes exceeds per-table limit of 5"));
    }
    if indexes.len() - locals > GLOBAL_MAX {
        return Err(invalid("GlobalSecondaryIndex count exceeds the per-table limit of 20"));
    }
    let mut names = BTreeSet::new();
    match indexes.iter().find(|index| !names.insert(index.name.as_str())) {
        Some(twice) => Err(invalid(format_args!("Duplicate index name: {}", twice.name))),
        None => Ok(()),
    }
}

/// Every key has a definition, and every definition is of a key.
pub(super) fn check_attributes(
    attributes: &BTreeMap<String, api::ScalarAttributeType>,
    keys: &KeyNames,
    indexes: &[Index],
) -> Result<(), Fault> {
    let listed = |names: &[&str]| names.join(", ");
    let defined: Vec<&str> = attributes.keys().map(String::as_str).collect();
    for names in std::iter::once(keys).chain(indexes.iter().map(|index| &index.keys)) {
        if names.iter().any(|name| !attributes.contains_key(name)) {
            let names: Vec<&str> = names.iter().collect();
            return Err(invalid(format_args!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], \
                 AttributeDefinitions: [{}]",
                listed(&names),
                listed(&defined)
            )));
        }
    }
    let used: BTreeSet<&str> =
        keys.iter().chain(indexes.iter().flat_map(|index| index.keys.iter())).collect();
    if used.len() == attributes.len() {
        return Ok(());
    }
    if indexes.is_empty() {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions",
        ));
    }
    let used: Vec<&str> = used.into_iter().collect();
    Err(invalid(format_args!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        listed(&defined),
        listed(&used)
    )))
}
