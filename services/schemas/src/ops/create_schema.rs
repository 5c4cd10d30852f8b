use kernel::{Parts, Result, Tx};

use crate::api::{CreateSchemaInput, CreateSchemaOutput};
use crate::content;
use crate::fault;
use crate::keys::{RegistryKey, Schema, SchemaKey};
use crate::name;
use crate::ops::{registries, tags};
use crate::version;

/// The most schemas of a registry. AWS's quota is 100, of `discovered-schemas` 200, both adjustable.
pub(crate) const SCHEMAS_MAX: usize = 1_000;

/// Makes a schema with its first version.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname.html>
pub(crate) async fn create_schema(tx: &mut Tx, input: CreateSchemaInput) -> Result<CreateSchemaOutput> {
    name::check_registry(&input.registry_name)?;
    name::check_schema(&input.schema_name)?;
    content::check(input.r#type, &input.content)?;
    let tags = tags::checked(input.tags.unwrap_or_default())?;
    let (registry, _) = registries::find(tx, &input.registry_name).await?;
    let key = version::key(&registry.name, &input.schema_name);
    if tx.get(&key).await?.is_some() {
        return Err(fault::conflict(format!("Schema with name {} already exists.", key.name)).into());
    }
    check_room(tx, &registry).await?;
    let schema = version::add(tx, &key, fresh(tx, input.description, tags), input.r#type, input.content)?;
    Ok(CreateSchemaOutput {
        schema_arn: Some(name::schema_arn(tx.scope(), &key.registry, &key.name)),
        schema_name: Some(key.name),
        schema_version: Some(schema.newest.to_string()),
        description: schema.description,
        tags: Some(schema.tags),
        r#type: Some(input.r#type.as_str().to_owned()),
        last_modified: Some(schema.modified_at),
        version_created_date: Some(schema.modified_at),
    })
}

/// Refuses another schema in a registry that is full.
pub(crate) async fn check_room(tx: &mut Tx, registry: &RegistryKey) -> Result<()> {
    if tx.scan::<SchemaKey>(Parts::of(&registry.name), SCHEMAS_MAX).await?.len() < SCHEMAS_MAX {
        return Ok(());
    }
    Err(fault::forbidden(format!("A registry can have at most {SCHEMAS_MAX} schemas.")).into())
}

/// A schema that has no version yet.
pub(crate) fn fresh(
    tx: &Tx,
    description: Option<String>,
    tags: std::collections::BTreeMap<String, String>,
) -> Schema {
    Schema { description, tags, modified_at: tx.now(), newest: 0, given: 0, versions: 0, token: None }
}
