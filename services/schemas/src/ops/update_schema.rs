use kernel::{Result, Tx};

use crate::api::{UpdateSchemaInput, UpdateSchemaOutput};
use crate::content;
use crate::fault;
use crate::keys::{Schema, SchemaKey};
use crate::name;
use crate::version::{self, VERSIONS_MAX};

/// Changes a schema's description, and gives it a new version if there is new content. An update that is sent again with
/// its token, or that brings the content that stands, makes no version.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname.html>
pub(crate) async fn update_schema(tx: &mut Tx, input: UpdateSchemaInput) -> Result<UpdateSchemaOutput> {
    name::check_registry(&input.registry_name)?;
    let (key, mut schema) = version::find_schema(tx, &input.registry_name, &input.schema_name).await?;
    let sent_again = input.client_token_id.is_some() && input.client_token_id == schema.token;
    if !sent_again {
        if input.description.is_some() {
            schema.description = input.description;
            schema.modified_at = tx.now();
        }
        let newest = version::find(tx, &key.registry, &key.name, None).await?.version;
        let kind = input.r#type.unwrap_or(newest.kind);
        match input.content {
            Some(content) if content != newest.content || kind != newest.kind => {
                content::check(kind, &content)?;
                check_room(&schema)?;
                schema.token = input.client_token_id;
                schema = version::add(tx, &key, schema, kind, content)?;
            }
            None if kind != newest.kind => {
                return Err(fault::bad_request("Type cannot be changed without Content.").into());
            }
            _ => tx.put(&key, &schema)?,
        }
    }
    answer(tx, key, schema).await
}

fn check_room(schema: &Schema) -> Result<(), base::Fault> {
    if schema.versions < VERSIONS_MAX {
        return Ok(());
    }
    Err(fault::forbidden(format!("A schema can have at most {VERSIONS_MAX} versions; delete one first.")))
}

async fn answer(tx: &mut Tx, key: SchemaKey, schema: Schema) -> Result<UpdateSchemaOutput> {
    let newest = version::find(tx, &key.registry, &key.name, None).await?;
    Ok(UpdateSchemaOutput {
        description: schema.description,
        last_modified: Some(schema.modified_at),
        schema_arn: Some(name::schema_arn(tx.scope(), &key.registry, &key.name)),
        schema_name: Some(key.name),
        schema_version: Some(newest.number.to_string()),
        tags: Some(schema.tags),
        r#type: Some(newest.version.kind.as_str().to_owned()),
        version_created_date: Some(newest.version.created_at),
    })
}
