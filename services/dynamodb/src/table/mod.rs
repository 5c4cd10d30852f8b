//! Tables: what is stored of one, and what it says of items, keys and indexes. Pure.

mod create;
mod describe;
mod restore;
mod update;

use std::collections::BTreeMap;

use base::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api;
use crate::api::ScalarAttributeType;
use crate::keys::Address;
use crate::stream;
use crate::value::{AttributeType, AttributeValue, Item};

pub use create::{check_name, create};
pub use describe::{Estimate, arn, describe};
pub(crate) use describe::{key_schema, sse_description};
pub use restore::{Overrides, restore};
pub use update::{Planned, update};

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its `TableId`.
    pub id: Uuid,
    /// The space of its items.
    pub space: u64,
    /// When it was made.
    pub created: Timestamp,
    /// The types of the key attributes, its own and its indexes'.
    pub attributes: BTreeMap<String, ScalarAttributeType>,
    /// Its keys.
    pub keys: KeyNames,
    /// Its indexes, local ones first.
    pub indexes: Vec<Index>,
    /// On demand or provisioned.
    pub billing: Billing,
    /// `TableClass`, if given.
    pub class: Option<api::TableClass>,
    /// `SSESpecification`, if given.
    pub sse: Option<api::SSESpecification>,
    /// Whether DeleteTable is refused.
    pub deletion_protection: bool,
    /// The attribute that says when items expire, if they do.
    pub ttl_attribute: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Its latest stream, enabled or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<stream::Latest>,
    /// The log that its writers keep what was before in, while somebody needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<u64>,
    /// What it was restored from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
}
store::stored!(Table, format = 1);

/// What a table was restored from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The source's ARN; a backup's source if it was a backup.
    pub table: String,
    /// The backup's ARN.
    pub backup: Option<String>,
    /// The moment that the items are of.
    pub at: Timestamp,
    /// Whether items are still being copied; nobody reads or writes the table until then.
    pub in_progress: bool,
}

/// How throughput is paid for. It is stored and shown; nothing is throttled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Billing {
    /// The mode.
    pub mode: api::BillingMode,
    /// When it last became on demand.
    pub on_demand_since: Option<Timestamp>,
    /// Capacity of a provisioned table.
    pub provisioned: Option<api::ProvisionedThroughput>,
    /// Bounds of an on-demand table.
    pub on_demand: Option<api::OnDemandThroughput>,
    /// Warm throughput, if given.
    pub warm: Option<api::WarmThroughput>,
}

/// The names of the key attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNames {
    /// The partition key.
    pub hash: String,
    /// The sort key.
    pub range: Option<String>,
}

impl KeyNames {
    /// Both, the partition key first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.hash.as_str()).chain(self.range.as_deref())
    }
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it is a local one.
    pub local: bool,
    /// The space of its entries.
    pub space: u64,
    /// Its keys.
    pub keys: KeyNames,
    /// Which attributes its entries carry.
    pub projection: api::Projection,
    /// Capacity, if provisioned.
    pub provisioned: Option<api::ProvisionedThroughput>,
    /// Bounds, if on demand.
    pub on_demand: Option<api::OnDemandThroughput>,
    /// Warm throughput, if given.
    pub warm: Option<api::WarmThroughput>,
    /// Whether items from before the index are still being entered.
    pub backfilling: bool,
}

impl Index {
    /// Whether entries are whole items.
    pub fn projects_all(&self) -> bool {
        matches!(self.projection.projection_type, None | Some(api::ProjectionType::All))
    }

    /// Whether entries carry the attribute.
    pub fn projects(&self, table: &Table, name: &str) -> bool {
        self.projects_all()
            || self.keys.iter().chain(table.keys.iter()).any(|key| key == name)
            || self.projection.non_key_attributes.iter().flatten().any(|attribute| attribute == name)
    }

    /// The attributes of `item` that its entry carries.
    pub fn project(&self, table: &Table, item: &Item) -> Item {
        let kept = item.iter().filter(|(name, _)| self.projects(table, name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

const KEY_MISMATCH: &str = "The provided key element does not match the schema";
/// From "Quotas in Amazon DynamoDB", partition keys and sort keys.
const HASH_BYTES_MAX: usize = 2048;
const RANGE_BYTES_MAX: usize = 1024;

impl Table {
    /// Whether its items are still being restored.
    pub fn is_restoring(&self) -> bool {
        self.restored.as_ref().is_some_and(|restored| restored.in_progress)
    }

    /// The index of that name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The type of a key attribute.
    fn kind_of(&self, name: &str) -> AttributeType {
        match self.attributes.get(name) {
            Some(ScalarAttributeType::N) => AttributeType::N,
            Some(ScalarAttributeType::B) => AttributeType::B,
            _ => AttributeType::S,
        }
    }

    /// Where an item goes; refuses one whose key attributes are missing or unfit.
    pub fn address_of_item(&self, item: &Item) -> Result<Address, Fault> {
        let part = |name: &str| {
            let value = item.get(name).ok_or_else(|| {
                Fault::validation(format!(
                    "One or more parameter values were invalid: Missing the key {name} in the item"
                ))
            })?;
            let (expected, actual) = (self.kind_of(name), value.kind());
            if expected != actual {
                return Err(Fault::validation(format!(
                    "One or more parameter values were invalid: Type mismatch for key {name} expected: {} actual: {}",
                    expected.letters(),
                    actual.letters()
                )));
            }
            check_key_value(name, value)?;
            Ok(ordered(value))
        };
        self.address(part)
    }

    /// Where the item of a `Key` parameter stands; refuses a key of another shape.
    pub fn address_of_key(&self, key: &Item) -> Result<Address, Fault> {
        if key.len() != self.keys.iter().count() {
            return Err(Fault::validation(KEY_MISMATCH));
        }
        self.address(|name| {
            let value = key.get(name).filter(|value| value.kind() == self.kind_of(name));
            let value = value.ok_or_else(|| Fault::validation(KEY_MISMATCH))?;
            check_key_value(name, value)?;
            Ok(ordered(value))
        })
    }

    fn address(&self, part: impl Fn(&str) -> Result<Vec<u8>, Fault>) -> Result<Address, Fault> {
        let partition = part(&self.keys.hash)?;
        let sort = self.keys.range.as_deref().map_or(Ok(Vec::new()), part)?;
        check_key_sizes(partition.len(), sort.len())?;
        Ok(Address { partition, sort })
    }

    /// Where the entry of `item` stands in `index`; `None` if the item has not all of the index's keys.
    pub fn address_in_index(&self, index: &Index, item: &Item) -> Option<Address> {
        let partition = ordered(item.get(&index.keys.hash)?);
        let sort = match &index.keys.range {
            Some(range) => ordered(item.get(range)?),
            None => Vec::new(),
        };
        Some(Address { partition, sort })
    }

    /// Refuses an item whose values cannot stand in an index.
    pub fn check_index_keys(&self, item: &Item) -> Result<(), Fault> {
        for index in &self.indexes {
            for name in index.keys.iter() {
                let Some(value) = item.get(name) else { continue };
                let (expected, actual) = (self.kind_of(name), value.kind());
                if expected != actual {
                    return Err(Fault::validation(format!(
                        "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {} \
                         Actual: {} IndexName: {}",
                        expected.letters(),
                        actual.letters(),
                        index.name
                    )));
                }
            }
            check_index_values(index, item)?;
            if let Some(address) = self.address_in_index(index, item) {
                check_key_sizes(address.partition.len(), address.sort.len())?;
            }
        }
        Ok(())
    }

    /// Refuses empty values of key attributes, the table's and its indexes', before anything else is said of the item.
    pub fn check_no_empty_keys(&self, item: &Item) -> Result<(), Fault> {
        for name in self.keys.iter() {
            if let Some(value) = item.get(name) {
                check_key_value(name, value)?;
            }
        }
        self.indexes.iter().try_for_each(|index| check_index_values(index, item))
    }

    /// The key attributes of an item, with those of an index if it was read from one.
    pub fn key_of(&self, item: &Item, index: Option<&Index>) -> Item {
        let index_keys = index.into_iter().flat_map(|index| index.keys.iter());
        let names = self.keys.iter().chain(index_keys);
        names.filter_map(|name| item.get(name).map(|value| (name.to_owned(), value.clone()))).collect()
    }

    /// Checks the values that a key condition compares an attribute with.
    pub fn check_condition_type(&self, name: &str, values: &[&AttributeValue]) -> Result<(), Fault> {
        for value in values {
            if value.kind() != self.kind_of(name) {
                return Err(Fault::validation(
                    "One or more parameter values were invalid: Condition parameter type does not match schema type",
                ));
            }
            if empty_kind(value).is_some() {
                check_key_value(name, value)?;
            }
        }
        Ok(())
    }

    /// When the item expires, in seconds since the epoch.
    pub fn expiry_of(&self, item: &Item) -> Option<i64> {
        match item.get(self.ttl_attribute.as_deref()?)? {
            AttributeValue::N(at) => at.as_i64(),
            _ => None,
        }
    }
}

/// A key attribute's value as bytes in its order.
pub fn ordered(value: &AttributeValue) -> Vec<u8> {
    match value {
        AttributeValue::S(text) => text.as_bytes().to_vec(),
        AttributeValue::B(bytes) => bytes.clone(),
        AttributeValue::N(number) => {
            let mut out = Vec::with_capacity(24);
            number.encode_ordered(&mut out);
            out
        }
        // No key attribute is of another type; the checks above see to it.
        _ => Vec::new(),
    }
}

fn empty_kind(value: &AttributeValue) -> Option<&'static str> {
    match value {
        AttributeValue::S(text) if text.is_empty() => Some("string"),
        AttributeValue::B(bytes) if bytes.is_empty() => Some("binary"),
        _ => None,
    }
}

/// Refuses empty values of an index's keys.
fn check_index_values(index: &Index, item: &Item) -> Result<(), Fault> {
    for name in index.keys.iter() {
        if let Some(kind) = item.get(name).and_then(empty_kind) {
            return Err(Fault::validation(format!(
                "One or more parameter values are not valid. A value specified for a secondary index key is not \
                 supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: \
                 {}, IndexKey: {name}",
                index.name
            )));
        }
    }
    Ok(())
}

fn check_key_value(name: &str, value: &AttributeValue) -> Result<(), Fault> {
    match empty_kind(value) {
        None => Ok(()),
        Some(kind) => Err(Fault::validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty {kind} value. Key: {name}"
        ))),
    }
}

fn check_key_sizes(partition: usize, sort: usize) -> Result<(), Fault> {
    if partition > HASH_BYTES_MAX {
        return Err(Fault::validation(format!(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit \
             of{HASH_BYTES_MAX} bytes"
        )));
    }
    if sort > RANGE_BYTES_MAX {
        return Err(Fault::validation(format!(
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size \
             limit of {RANGE_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}
