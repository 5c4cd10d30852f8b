//! Versions of schemas: found, added and removed; and what the policies of event buses are told of it.

use base::Fault;
use kernel::{Call, Direction, NewTask, Parts, Result, RetryPolicy, RetryWhen, Tx};
use serde::Serialize;

use crate::api::Type;
use crate::aws;
use crate::content;
use crate::fault;
use crate::keys::{BindingKey, RegistryKey, Schema, SchemaKey, Version, VersionKey};
use crate::name::AWS_REGISTRY;

/// The most versions of a schema; AWS's default quota.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub(crate) const VERSIONS_MAX: u32 = 100;
/// Code bindings of a version: as many as there are languages.
const BINDINGS_MAX: usize = 16;

/// The internal operation of `events` that hears of new and deleted versions.
const REFRESH: &str = "RefreshValidationPolicies";

/// What the policies of event buses are told of a schema.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refresh<'r> {
    registry_name: &'r str,
    schema_name: &'r str,
    /// The newest version and its content as a schema of draft 4; none if the schema is gone.
    schema_version: Option<String>,
    content: Option<String>,
}

/// A version with its number.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub number: u32,
    pub version: Version,
}

/// The version of a schema that is asked for, or the newest. Also of `aws.events`.
pub(crate) async fn find(
    tx: &mut Tx,
    registry: &str,
    schema: &str,
    version: Option<&str>,
) -> Result<Numbered> {
    if registry == AWS_REGISTRY {
        return Ok(find_aws(schema, version)?);
    }
    let Some(found) = tx.peek(&key(registry, schema)).await? else {
        return Err(missing(tx, registry, schema).await?.into());
    };
    let number = match version {
        Some(text) => parse(schema, text)?,
        None => found.newest,
    };
    let key = VersionKey { registry: registry.to_owned(), schema: schema.to_owned(), number };
    match tx.peek(&key).await? {
        Some(version) => Ok(Numbered { number, version }),
        None => Err(fault::no_such_version(schema, &number.to_string()).into()),
    }
}

fn find_aws(schema: &str, version: Option<&str>) -> Result<Numbered, Fault> {
    let found = aws::find(schema).ok_or_else(|| fault::no_such_schema(schema))?;
    if let Some(text) = version
        && parse(schema, text)? != aws::VERSION
    {
        return Err(fault::no_such_version(schema, text));
    }
    let version =
        Version { kind: Type::OpenApi3, content: found.content.clone(), created_at: aws::created_at() };
    Ok(Numbered { number: aws::VERSION, version })
}

/// The schema, guarded.
pub(crate) async fn find_schema(tx: &mut Tx, registry: &str, name: &str) -> Result<(SchemaKey, Schema)> {
    let key = key(registry, name);
    match tx.get(&key).await? {
        Some(schema) => Ok((key, schema)),
        None => Err(missing(tx, registry, name).await?.into()),
    }
}

/// Says what is missing: the registry or only the schema.
async fn missing(tx: &mut Tx, registry: &str, schema: &str) -> Result<Fault> {
    let known = tx.peek(&RegistryKey { name: registry.to_owned() }).await?.is_some();
    Ok(if known { fault::no_such_schema(schema) } else { fault::no_such_registry(registry) })
}

pub(crate) fn key(registry: &str, schema: &str) -> SchemaKey {
    SchemaKey { registry: registry.to_owned(), name: schema.to_owned() }
}

fn parse(schema: &str, text: &str) -> Result<u32, Fault> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| fault::no_such_version(schema, text))
}

/// Adds a version to a schema, which is written with it. The content was checked.
pub(crate) fn add(
    tx: &mut Tx,
    key: &SchemaKey,
    schema: Schema,
    kind: Type,
    content: String,
) -> Result<Schema> {
    let number = schema.given + 1;
    let version_key = VersionKey { registry: key.registry.clone(), schema: key.name.clone(), number };
    let version = Version { kind, content, created_at: tx.now() };
    tx.put(&version_key, &version)?;
    let schema = Schema {
        modified_at: tx.now(),
        newest: number,
        given: number,
        versions: schema.versions + 1,
        ..schema
    };
    tx.put(key, &schema)?;
    tell(tx, key, Some(&Numbered { number, version }))?;
    Ok(schema)
}

/// Removes a version with its code bindings; the schema's row is written.
pub(crate) async fn remove(tx: &mut Tx, key: &SchemaKey, schema: Schema, number: u32) -> Result<()> {
    let version_key = VersionKey { registry: key.registry.clone(), schema: key.name.clone(), number };
    tx.delete(&version_key);
    for (binding, _) in tx.scan::<BindingKey>(below(key).and(&number), BINDINGS_MAX).await? {
        tx.delete(&binding);
    }
    let newest = tx.scan_back::<VersionKey>(below(key), 1).await?.into_iter().next();
    let changed = schema.newest == number;
    let schema = Schema {
        newest: newest.as_ref().map_or(0, |(key, _)| key.number),
        versions: schema.versions.saturating_sub(1),
        modified_at: tx.now(),
        ..schema
    };
    tx.put(key, &schema)?;
    match newest.filter(|_| changed) {
        Some((newest, version)) => tell(tx, key, Some(&Numbered { number: newest.number, version })),
        None => Ok(()),
    }
}

/// Removes a schema with all that is below it.
pub(crate) async fn remove_schema(tx: &mut Tx, key: &SchemaKey) -> Result<()> {
    for (version, _) in tx.scan::<VersionKey>(below(key), VERSIONS_MAX as usize).await? {
        tx.delete(&version);
    }
    let bindings = VERSIONS_MAX as usize * BINDINGS_MAX;
    for (binding, _) in tx.scan::<BindingKey>(below(key), bindings).await? {
        tx.delete(&binding);
    }
    tx.delete(key);
    tell(tx, key, None)
}

/// The versions of a schema, oldest first, behind `after`.
pub(crate) async fn list(tx: &mut Tx, key: &SchemaKey, after: u32, limit: usize) -> Result<Vec<Numbered>> {
    let after = VersionKey { registry: key.registry.clone(), schema: key.name.clone(), number: after };
    let rows = tx.scan_after::<VersionKey>(below(key), &after, limit, Direction::Forward).await?;
    Ok(rows.into_iter().map(|(key, version)| Numbered { number: key.number, version }).collect())
}

fn below(key: &SchemaKey) -> Parts {
    Parts::of(&key.registry).and(&key.name)
}

/// Event buses may check events against the newest version. They are told in the order of the changes; where nobody
/// serves event buses, nobody needs to know.
fn tell(tx: &mut Tx, key: &SchemaKey, newest: Option<&Numbered>) -> Result<()> {
    let content = newest.map(|newest| content::to_draft_4(newest.version.kind, &newest.version.content));
    let refresh = Refresh {
        registry_name: &key.registry,
        schema_name: &key.name,
        schema_version: newest.map(|newest| newest.number.to_string()),
        content: content.transpose()?.map(|content| content.to_string()),
    };
    let call = Call::new("events", REFRESH, &refresh)?;
    let order = format!("schemas|{}|{}|{}|{}", tx.scope().account, tx.scope().region, key.registry, key.name);
    let retry = RetryPolicy { when: RetryWhen::NotPermanent, ..RetryPolicy::internal() };
    tx.enqueue_quietly(tx.now(), NewTask { order: Some(order), retry, ..NewTask::new(call) })?;
    Ok(())
}
