//! Schemas: deleted and listed.

use kernel::{Parts, Result, Tx};

use crate::api::{DeleteSchemaInput, DeleteSchemaOutput, ListSchemasInput, ListSchemasOutput, SchemaSummary};
use crate::aws;
use crate::keys::SchemaKey;
use crate::name::{self, AWS_REGISTRY};
use crate::ops::create_schema::SCHEMAS_MAX;
use crate::ops::{limit, page, registries};
use crate::version;

/// Deletes a schema with all its versions. Policies of event buses go on with the text that they have.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname.html>
pub(crate) async fn delete_schema(tx: &mut Tx, input: DeleteSchemaInput) -> Result<DeleteSchemaOutput> {
    name::check_registry(&input.registry_name)?;
    let (key, _) = version::find_schema(tx, &input.registry_name, &input.schema_name).await?;
    version::remove_schema(tx, &key).await?;
    Ok(DeleteSchemaOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas.html>
pub(crate) async fn list_schemas(tx: &mut Tx, input: ListSchemasInput) -> Result<ListSchemasOutput> {
    let limit = limit(input.limit)?;
    let prefix = input.schema_name_prefix.unwrap_or_default();
    let found = if input.registry_name == AWS_REGISTRY {
        let known = aws::schemas().iter().filter(|schema| schema.name.starts_with(&prefix));
        known.map(|schema| (schema.name.clone(), aws::created_at(), [].into(), 1)).collect()
    } else {
        registries::find(tx, &input.registry_name).await?;
        let parts = Parts::of(&input.registry_name).and_starting_with(&prefix);
        let rows = tx.scan::<SchemaKey>(parts, SCHEMAS_MAX).await?;
        let row = |(key, schema): (SchemaKey, crate::keys::Schema)| {
            (key.name, schema.modified_at, schema.tags, schema.versions)
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let (page, next_token) = page(found.into_iter(), |(name, ..)| name, input.next_token.as_deref(), limit);
    let summaries = page.into_iter().map(|(name, modified_at, tags, versions)| SchemaSummary {
        last_modified: Some(modified_at),
        schema_arn: Some(name::schema_arn(tx.scope(), &input.registry_name, &name)),
        schema_name: Some(name),
        tags: Some(tags),
        version_count: Some(i64::from(versions)),
    });
    Ok(ListSchemasOutput { schemas: Some(summaries.collect()), next_token })
}
