//! Versions of a schema.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteSchemaVersionInput, DeleteSchemaVersionOutput, ListSchemaVersionsInput, ListSchemaVersionsOutput,
    SchemaVersionSummary,
};
use crate::fault;
use crate::name::{self, AWS_REGISTRY};
use crate::ops::limit;
use crate::version;

/// Deletes a version. The last one goes only with its schema, for a schema without content would be none.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-version-schemaversion.html>
pub(crate) async fn delete_schema_version(
    tx: &mut Tx,
    input: DeleteSchemaVersionInput,
) -> Result<DeleteSchemaVersionOutput> {
    name::check_registry(&input.registry_name)?;
    let (key, schema) = version::find_schema(tx, &input.registry_name, &input.schema_name).await?;
    let found = version::find(tx, &key.registry, &key.name, Some(&input.schema_version)).await?;
    if schema.versions == 1 {
        let message = format!(
            "Version {} is the last of schema {}; delete the schema instead.",
            found.number, key.name
        );
        return Err(fault::bad_request(message).into());
    }
    version::remove(tx, &key, schema, found.number).await?;
    Ok(DeleteSchemaVersionOutput {})
}

/// The versions, oldest first.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-versions.html>
pub(crate) async fn list_schema_versions(
    tx: &mut Tx,
    input: ListSchemaVersionsInput,
) -> Result<ListSchemaVersionsOutput> {
    let limit = limit(input.limit)?;
    let after = input.next_token.as_deref().map(place).transpose()?.unwrap_or(0);
    let (registry, name) = (input.registry_name, input.schema_name);
    let mut found = if registry == AWS_REGISTRY {
        let only = version::find(tx, &registry, &name, None).await?;
        Vec::from([only]).into_iter().filter(|version| version.number > after).collect()
    } else {
        let (key, _) = version::find_schema(tx, &registry, &name).await?;
        version::list(tx, &key, after, limit + 1).await?
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = found.last().filter(|_| more).map(|version| version.number.to_string());
    let arn = name::schema_arn(tx.scope(), &registry, &name);
    let summaries = found.into_iter().map(|found| SchemaVersionSummary {
        schema_arn: Some(arn.clone()),
        schema_name: Some(name.clone()),
        schema_version: Some(found.number.to_string()),
        r#type: Some(found.version.kind),
    });
    Ok(ListSchemaVersionsOutput { schema_versions: Some(summaries.collect()), next_token })
}

fn place(token: &str) -> Result<u32, Fault> {
    token.parse().map_err(|_| fault::bad_request("NextToken is not valid."))
}
