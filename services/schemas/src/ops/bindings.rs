//! Code bindings. That code was asked for is a row; the code itself is made when it is fetched, the same each time.

use base::schema::Blob;
use kernel::{Error, Result, Tx};

use crate::api::{
    CodeGenerationStatus, DescribeCodeBindingInput, DescribeCodeBindingOutput, GetCodeBindingSourceInput,
    GetCodeBindingSourceOutput, PutCodeBindingInput, PutCodeBindingOutput,
};
use crate::binding::{self, Language};
use crate::content;
use crate::fault;
use crate::keys::{Binding, BindingKey};
use crate::version::{self, Numbered};

/// Makes code for a version. It is ready with the answer; AWS answers that it is being made.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-language-language.html>
pub(crate) async fn put_code_binding(
    tx: &mut Tx,
    input: PutCodeBindingInput,
) -> Result<PutCodeBindingOutput> {
    let language = Language::parse(&input.language)?;
    let found =
        version::find(tx, &input.registry_name, &input.schema_name, input.schema_version.as_deref()).await?;
    let key = key(input.registry_name, input.schema_name, found.number, language);
    let before = tx.get(&key).await?;
    let created_at = before.map_or_else(|| tx.now(), |binding| binding.created_at);
    let binding = Binding { created_at, modified_at: tx.now() };
    tx.put(&key, &binding)?;
    Ok(PutCodeBindingOutput {
        creation_date: Some(binding.created_at),
        last_modified: Some(binding.modified_at),
        schema_version: Some(found.number.to_string()),
        status: Some(CodeGenerationStatus::CreateComplete),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-language-language.html>
pub(crate) async fn describe_code_binding(
    tx: &mut Tx,
    input: DescribeCodeBindingInput,
) -> Result<DescribeCodeBindingOutput> {
    let language = Language::parse(&input.language)?;
    let (found, binding) =
        find(tx, input.registry_name, input.schema_name, input.schema_version, language).await?;
    Ok(DescribeCodeBindingOutput {
        creation_date: Some(binding.created_at),
        last_modified: Some(binding.modified_at),
        schema_version: Some(found.number.to_string()),
        status: Some(CodeGenerationStatus::CreateComplete),
    })
}

/// The code as a zip.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-name-schemaname-language-language-source.html>
pub(crate) async fn get_code_binding_source(
    tx: &mut Tx,
    input: GetCodeBindingSourceInput,
) -> Result<GetCodeBindingSourceOutput> {
    let language = Language::parse(&input.language)?;
    let name = input.schema_name.clone();
    let (found, _) = find(tx, input.registry_name, input.schema_name, input.schema_version, language).await?;
    let schema = content::to_draft_4(found.version.kind, &found.version.content)?;
    let packed = binding::pack(&binding::files(language, &name, &schema))
        .map_err(|error| Error::bug(format!("pack the code of schema {name}: {error}")))?;
    Ok(GetCodeBindingSourceOutput { body: Some(Blob(packed.into())) })
}

async fn find(
    tx: &mut Tx,
    registry: String,
    schema: String,
    version: Option<String>,
    language: Language,
) -> Result<(Numbered, Binding)> {
    let found = version::find(tx, &registry, &schema, version.as_deref()).await?;
    let key = key(registry, schema, found.number, language);
    match tx.peek(&key).await? {
        Some(binding) => Ok((found, binding)),
        None => {
            let message = format!(
                "Code binding for {} of version {} of schema {} does not exist.",
                language.as_str(),
                found.number,
                key.schema
            );
            Err(fault::not_found(message).into())
        }
    }
}

fn key(registry: String, schema: String, number: u32, language: Language) -> BindingKey {
    BindingKey { registry, schema, number, language: language.as_str().to_owned() }
}
