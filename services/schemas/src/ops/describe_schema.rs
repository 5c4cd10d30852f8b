use kernel::{Result, Tx};

use crate::api::{DescribeSchemaInput, DescribeSchemaOutput};
use crate::aws;
use crate::name::{self, AWS_REGISTRY};
use crate::version;

/// A schema with the content of one version, the newest unless another is asked for.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname.html>
pub(crate) async fn describe_schema(tx: &mut Tx, input: DescribeSchemaInput) -> Result<DescribeSchemaOutput> {
    let DescribeSchemaInput { registry_name: registry, schema_name: name, schema_version } = input;
    let found = version::find(tx, &registry, &name, schema_version.as_deref()).await?;
    let (description, tags, modified_at) = if registry == AWS_REGISTRY {
        (None, [].into(), aws::created_at())
    } else {
        let (_, schema) = version::find_schema(tx, &registry, &name).await?;
        (schema.description, schema.tags, schema.modified_at)
    };
    Ok(DescribeSchemaOutput {
        content: Some(found.version.content),
        description,
        last_modified: Some(modified_at),
        schema_arn: Some(name::schema_arn(tx.scope(), &registry, &name)),
        schema_name: Some(name),
        schema_version: Some(found.number.to_string()),
        tags: Some(tags),
        r#type: Some(found.version.kind.as_str().to_owned()),
        version_created_date: Some(found.version.created_at),
    })
}
