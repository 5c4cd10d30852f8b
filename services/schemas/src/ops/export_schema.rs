use kernel::{Result, Tx};

use crate::api::{ExportSchemaInput, ExportSchemaOutput, Type};
use crate::content;
use crate::fault;
use crate::name;
use crate::version;

/// A version's content as a JSON schema of draft 4, whatever type it was registered with.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-export.html>
pub(crate) async fn export_schema(tx: &mut Tx, input: ExportSchemaInput) -> Result<ExportSchemaOutput> {
    let kind = Type::JSONSchemaDraft4.as_str();
    if input.r#type != kind {
        return Err(fault::bad_request(format!("Type must be {kind}, not {}.", input.r#type)).into());
    }
    let (registry, name) = (input.registry_name, input.schema_name);
    let found = version::find(tx, &registry, &name, input.schema_version.as_deref()).await?;
    let schema = content::to_draft_4(found.version.kind, &found.version.content)?;
    Ok(ExportSchemaOutput {
        content: Some(schema.to_string()),
        schema_arn: Some(name::schema_arn(tx.scope(), &registry, &name)),
        schema_name: Some(name),
        schema_version: Some(found.number.to_string()),
        r#type: Some(kind.to_owned()),
    })
}
