use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::{Arn, Fault};
use kernel::{Call, Delivery, Result, TargetKind, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Version as RowVersion;

use crate::api::Type;
use crate::content;
use crate::infer::Shape;
use crate::keys::{DiscovererKey, RegistryKey, Schema, SchemaKey};
use crate::name::{self, DISCOVERED};
use crate::ops::{create_schema, discoverers};
use crate::version::{self, VERSIONS_MAX};

/// The internal operation by which an event comes to a discoverer.
pub(crate) const DISCOVER: &str = "DiscoverEvent";

/// Longer content cannot be registered.
const CONTENT_CHARS_MAX: usize = 100_000;

/// A discoverer as the target of its bus's managed rule.
pub(crate) const DISCOVERER: TargetKind = TargetKind {
    service: "schemas",
    name: "schema discoverer",
    serves: |arn| arn.resource.starts_with("discoverer/"),
    call,
    at_once: |_| false,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DiscoverEvent {
    discoverer: String,
    event: String,
}

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let discoverer = arn.resource.strip_prefix("discoverer/").unwrap_or_default().to_owned();
    let input = DiscoverEvent { discoverer, event: delivery.payload };
    Call::new("schemas", DISCOVER, &input).map_err(|error| Fault::validation(error.to_string()))
}

/// An event, as far as discovery looks at it.
#[derive(Deserialize)]
pub(crate) struct Seen {
    pub source: String,
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    pub detail: Value,
}

/// What is known of the newest versions, so that an event which shows nothing new reads one row. Each entry is checked
/// against the row of its schema. A row that the transaction wrote itself has no version yet, and may never get one:
/// nothing is known of it.
#[derive(Default)]
pub(crate) struct Known(Mutex<HashMap<String, (RowVersion, Arc<Shape>)>>);

impl Known {
    fn get(&self, name: &str, row: RowVersion) -> Option<Arc<Shape>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(name)
            .filter(|(version, _)| row != RowVersion(0) && *version == row)
            .map(|(_, shape)| Arc::clone(shape))
    }

    fn put(&self, name: String, row: RowVersion, shape: &Arc<Shape>) {
        if row != RowVersion(0) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (row, Arc::clone(shape)));
        }
    }
}

/// Learns from an event: a new schema, a new version, or nothing.
pub(crate) async fn discover(tx: &mut Tx, input: DiscoverEvent) -> Result<()> {
    let found = tx.peek(&DiscovererKey { id: input.discoverer }).await?;
    // Events that were on their way when the discoverer was stopped teach it nothing more.
    let Some(_) = found.filter(|discoverer| discoverer.started) else { return Ok(()) };
    let Ok(event) = serde_json::from_str::<Seen>(&input.event) else { return Ok(()) };
    let key = version::key(DISCOVERED, &name::discovered_schema(&event.source, &event.detail_type));
    let seen = Shape::of(&event.detail);
    let Some((schema, row)) = tx.get_versioned(&key).await? else {
        return begin(tx, &key, &event, &seen).await;
    };
    let known = known(tx, &key, row).await?;
    let merged = known.as_ref().clone().or(seen);
    if merged == *known {
        return Ok(());
    }
    write(tx, &key, schema, &event, &merged).await
}

async fn known(tx: &mut Tx, key: &SchemaKey, row: RowVersion) -> Result<Arc<Shape>> {
    let cache = tx.state::<Known>()?;
    let name = format!("{}/{}/{}", tx.scope().account, tx.scope().region, key.name);
    if let Some(shape) = cache.get(&name, row) {
        return Ok(shape);
    }
    let newest = version::find(tx, &key.registry, &key.name, None).await?;
    let content: Value = serde_json::from_str(&newest.version.content)?;
    let shape = Arc::new(Shape::of_detail(&content));
    cache.put(name, row, &shape);
    Ok(shape)
}

async fn begin(tx: &mut Tx, key: &SchemaKey, event: &Seen, shape: &Shape) -> Result<()> {
    let registry = RegistryKey { name: DISCOVERED.to_owned() };
    if tx.get(&registry).await?.is_none() {
        tx.put(&registry, &discoverers::discovered())?;
    }
    create_schema::check_room(tx, &registry).await?;
    let description = Some(format!("Schema for event type {} of {}", event.detail_type, event.source));
    let description = description.filter(|text| text.chars().count() <= 256);
    let schema = create_schema::fresh(tx, description, [].into());
    write(tx, key, schema, event, shape).await
}

/// Writes a version. A schema that is full loses its oldest one; content that is too long is not kept, and the trace
/// says so.
async fn write(tx: &mut Tx, key: &SchemaKey, schema: Schema, event: &Seen, shape: &Shape) -> Result<()> {
    let document = shape.document(&event.source, &event.detail_type).to_string();
    if document.chars().count() > CONTENT_CHARS_MAX || content::check(Type::OpenApi3, &document).is_err() {
        let why = format!("the schema would be longer than {CONTENT_CHARS_MAX} characters");
        tx.fact("schema", &key.name, Some(serde_json::json!({ "not-discovered": why })));
        return Ok(());
    }
    let schema = if schema.versions >= VERSIONS_MAX {
        let oldest = version::list(tx, key, 0, 1).await?.into_iter().next();
        match oldest {
            Some(oldest) => {
                version::remove(tx, key, schema.clone(), oldest.number).await?;
                Schema { versions: schema.versions - 1, ..schema }
            }
            None => schema,
        }
    } else {
        schema
    };
    let schema = version::add(tx, key, schema, Type::OpenApi3, document)?;
    let detail = serde_json::json!({ "registry": DISCOVERED, "version": schema.newest.to_string() });
    tx.fact("schema", &key.name, Some(detail));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_of_a_row_that_is_not_committed() {
        let known = Known::default();
        let shape = Arc::new(Shape::of(&serde_json::json!({ "a": 1 })));
        known.put("s".to_owned(), RowVersion(0), &shape);
        assert!(known.get("s", RowVersion(0)).is_none());
        known.put("s".to_owned(), RowVersion(7), &shape);
        assert_eq!(known.get("s", RowVersion(7)), Some(shape));
        assert!(known.get("s", RowVersion(8)).is_none());
    }
}
