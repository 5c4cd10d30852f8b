//! Policies: put, deleted, listed, and told of new versions of their schemas.

use base::{Fault, Timestamp};
use kernel::{Effect, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{
    Policy, PolicyBySchemaKey, PolicyKey, PolicySchema, QuarantinedKey, Validations, ValidationsKey,
};
use super::schema::{self, Subject};
use super::{ANY, Mode, UsedSchema};
use crate::bus;
use crate::fault;

/// The internal operation that makes or changes a policy.
pub const PUT_VALIDATION_POLICY: &str = "PutValidationPolicy";
/// The internal operation that removes a policy.
pub const DELETE_VALIDATION_POLICY: &str = "DeleteValidationPolicy";
/// The internal operation that lists a bus's policies.
pub const LIST_VALIDATION_POLICIES: &str = "ListValidationPolicies";
/// The internal operation by which the schema registry tells of new and deleted versions.
pub(super) const REFRESH: &str = "RefreshValidationPolicies";

/// The most policies of a bus.
pub(super) const POLICIES_MAX: usize = 1_000;
/// How often a schema is read again because a new version came while the policy was written.
const READS_MAX: usize = 8;
/// Policies that one schema has, over all buses.
const USERS_MAX: usize = 100_000;
/// Events that a bus's end takes along in its own transaction.
const QUARANTINED_MAX: usize = 1_000;

/// A policy to put.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutValidationPolicyInput {
    /// The bus, by name or ARN; the default one if it is not given.
    #[serde(default)]
    pub event_bus_name: Option<String>,
    /// The source of the events; any if it is not given, or `*`.
    #[serde(default)]
    pub source: Option<String>,
    /// The detail type of the events; any if it is not given, or `*`.
    #[serde(default)]
    pub detail_type: Option<String>,
    /// What happens to events that break the schema.
    pub mode: Mode,
    /// The schema's registry. Not for `OFF`.
    #[serde(default)]
    pub registry_name: Option<String>,
    /// The schema. Not for `OFF`.
    #[serde(default)]
    pub schema_name: Option<String>,
    /// The version that the policy stays at; it follows the newest if it is not given, or `latest`.
    #[serde(default)]
    pub schema_version: Option<String>,
    /// What the schema describes; found out from the schema if it is not given.
    #[serde(default)]
    pub subject: Option<Subject>,
}

/// Which policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DeleteInput {
    #[serde(default)]
    event_bus_name: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    detail_type: Option<String>,
}

/// Whose policies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ListInput {
    #[serde(default)]
    event_bus_name: Option<String>,
}

/// All policies of a bus, by source and detail type.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListOutput {
    policies: Vec<ListedPolicy>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListedPolicy {
    /// The source, or `*`.
    pub source: String,
    /// The detail type, or `*`.
    pub detail_type: String,
    /// What happens to events that break the schema.
    pub mode: Mode,
    /// The version that events are checked against; none if nothing is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<UsedSchema>,
    /// Whether it stays at that version.
    pub pinned: bool,
    /// What the schema describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Whether the schema was deleted from its registry. It goes on being used.
    pub schema_deleted: bool,
    /// When the policy was put or got a new version.
    pub changed_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    content: String,
    schema_version: String,
}

/// Reads the schema from its registry and puts the policy. A version that comes between the two is read again, so that a
/// policy is never behind: what comes later is told by [`REFRESH`].
pub(super) async fn put_validation_policy(
    effect: &Effect,
    input: PutValidationPolicyInput,
) -> Result<ListedPolicy> {
    let pinned = input.schema_version.as_deref().is_some_and(|version| version != "latest");
    let wanted = match (input.mode, input.registry_name.clone(), input.schema_name.clone()) {
        (Mode::Off, None, None) => return effect.transact("PutValidationPolicy", write, (input, None)).await,
        (Mode::Off, ..) => return Err(fault::invalid("Mode OFF checks nothing and takes no schema.").into()),
        (_, Some(registry), Some(schema)) => (registry, schema),
        _ => return Err(fault::invalid("RegistryName and SchemaName must be given.").into()),
    };
    let version = input.schema_version.clone().filter(|_| pinned);
    let mut exported = export(effect, &wanted, version.as_deref()).await?;
    for _ in 0..READS_MAX {
        let (parsed, _) = schema::compile(&exported.content)?;
        let used = UsedSchema {
            registry_name: wanted.0.clone(),
            schema_name: wanted.1.clone(),
            schema_version: exported.schema_version.clone(),
        };
        let subject = input.subject.unwrap_or_else(|| Subject::guess(&parsed));
        let schema = PolicySchema { used, pinned, subject, text: exported.content.clone(), deleted: false };
        let put = effect.transact("PutValidationPolicy", write, (input.clone(), Some(schema))).await?;
        let again = export(effect, &wanted, version.as_deref()).await?;
        if again == exported {
            return Ok(put);
        }
        exported = again;
    }
    Err(Fault::throttling("the schema changes faster than it can be read").into())
}

async fn export(
    effect: &Effect,
    (registry, schema): &(String, String),
    version: Option<&str>,
) -> Result<Exported> {
    let mut input = json!({ "RegistryName": registry, "SchemaName": schema, "Type": "JSONSchemaDraft4" });
    if let Some(version) = version {
        input["SchemaVersion"] = version.into();
    }
    let answer = effect.call("schemas", "ExportSchema", serde_json::to_vec(&input)?.into()).await?;
    Ok(serde_json::from_slice(&answer)?)
}

async fn write(
    tx: &mut Tx,
    (input, schema): (PutValidationPolicyInput, Option<PolicySchema>),
) -> Result<ListedPolicy> {
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find_guarded(tx, &bus).await?;
    let any = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| ANY.to_owned());
    let key = PolicyKey { bus, source: any(input.source), detail_type: any(input.detail_type) };
    let before = tx.get(&key).await?;
    touch(tx, &key.bus, i64::from(before.is_none())).await?;
    if let Some(schema) = before.and_then(|before| before.schema) {
        tx.delete(&by_schema(&key, &schema.used));
    }
    if let Some(schema) = &schema {
        tx.put(&by_schema(&key, &schema.used), &())?;
    }
    let policy = Policy { mode: input.mode, schema, changed_at: tx.now() };
    tx.put(&key, &policy)?;
    Ok(show(key, policy))
}

fn by_schema(key: &PolicyKey, used: &UsedSchema) -> PolicyBySchemaKey {
    PolicyBySchemaKey {
        registry: used.registry_name.clone(),
        schema: used.schema_name.clone(),
        bus: key.bus.clone(),
        source: key.source.clone(),
        detail_type: key.detail_type.clone(),
    }
}

/// Counts, and makes what was compiled stale. A bus without policies has no such row.
async fn touch(tx: &mut Tx, bus: &str, by: i64) -> Result<()> {
    let key = ValidationsKey { bus: bus.to_owned() };
    let count = tx.get(&key).await?.map_or(0, |validations| validations.count);
    let count = u32::try_from(i64::from(count) + by).unwrap_or(0);
    if count as usize > POLICIES_MAX {
        return Err(fault::limit_exceeded().into());
    }
    if count == 0 {
        tx.delete(&key);
        return Ok(());
    }
    tx.put(&key, &Validations { count })
}

pub(super) async fn delete_validation_policy(tx: &mut Tx, input: DeleteInput) -> Result<ListedPolicy> {
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    let any = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| ANY.to_owned());
    let key = PolicyKey { bus, source: any(input.source), detail_type: any(input.detail_type) };
    let Some(policy) = tx.get(&key).await? else {
        let message = format!(
            "Event bus {} has no validation policy for source {} and detail type {}.",
            key.bus, key.source, key.detail_type
        );
        return Err(Fault::new("ResourceNotFoundException", message).into());
    };
    remove(tx, &key, &policy).await?;
    Ok(show(key, policy))
}

async fn remove(tx: &mut Tx, key: &PolicyKey, policy: &Policy) -> Result<()> {
    if let Some(schema) = &policy.schema {
        tx.delete(&by_schema(key, &schema.used));
    }
    tx.delete(key);
    touch(tx, &key.bus, -1).await
}

/// Removes what a bus that is deleted leaves: its policies, and the events in its quarantine.
pub(crate) async fn forget(tx: &mut Tx, bus: &str) -> Result<()> {
    for (key, policy) in tx.scan::<PolicyKey>(Parts::of(bus), POLICIES_MAX).await? {
        remove(tx, &key, &policy).await?;
    }
    for (key, _) in tx.scan::<QuarantinedKey>(Parts::of(bus), QUARANTINED_MAX).await? {
        tx.delete(&key);
    }
    Ok(())
}

pub(super) async fn list_validation_policies(tx: &mut Tx, input: ListInput) -> Result<ListOutput> {
    let bus = bus::enter(tx, input.event_bus_name.as_deref())?;
    bus::find(tx, &bus).await?;
    let rows = tx.scan::<PolicyKey>(Parts::of(&bus), POLICIES_MAX).await?;
    Ok(ListOutput { policies: rows.into_iter().map(|(key, policy)| show(key, policy)).collect() })
}

fn show(key: PolicyKey, policy: Policy) -> ListedPolicy {
    let schema = policy.schema.as_ref();
    ListedPolicy {
        source: key.source,
        detail_type: key.detail_type,
        mode: policy.mode,
        pinned: schema.is_some_and(|schema| schema.pinned),
        subject: schema.map(|schema| schema.subject),
        schema_deleted: schema.is_some_and(|schema| schema.deleted),
        changed_at: policy.changed_at,
        schema: policy.schema.map(|schema| schema.used),
    }
}

/// The newest version of a schema, or that there is none any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Refresh {
    registry_name: String,
    schema_name: String,
    schema_version: Option<String>,
    content: Option<String>,
}

/// Brings the policies that follow a schema to its newest version. Those that stay at a version learn only whether the
/// schema is still there.
pub(super) async fn refresh_validation_policies(tx: &mut Tx, input: Refresh) -> Result<()> {
    let newest = input.schema_version.zip(input.content);
    if let Some((_, text)) = &newest {
        // The registry compiled it too; one that we cannot use would stop every event.
        schema::compile(text)?;
    }
    let parts = Parts::of(&input.registry_name).and(&input.schema_name);
    for (found, ()) in tx.scan::<PolicyBySchemaKey>(parts, USERS_MAX).await? {
        let key = PolicyKey { bus: found.bus, source: found.source, detail_type: found.detail_type };
        let Some(mut policy) = tx.get(&key).await? else { continue };
        let Some(schema) = &mut policy.schema else { continue };
        schema.deleted = newest.is_none();
        if let Some((version, text)) = newest.as_ref().filter(|_| !schema.pinned) {
            schema.used.schema_version.clone_from(version);
            schema.text.clone_from(text);
            policy.changed_at = tx.now();
        }
        tx.put(&key, &policy)?;
        touch(tx, &key.bus, 0).await?;
    }
    Ok(())
}
