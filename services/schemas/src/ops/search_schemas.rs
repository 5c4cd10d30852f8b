use kernel::{Parts, Result, Tx};

use crate::api::{SearchSchemaSummary, SearchSchemaVersionSummary, SearchSchemasInput, SearchSchemasOutput};
use crate::aws;
use crate::fault;
use crate::keys::{SchemaKey, VersionKey};
use crate::name::{self, AWS_REGISTRY};
use crate::ops::create_schema::SCHEMAS_MAX;
use crate::ops::{limit, registries};
use crate::version::{self, Numbered, VERSIONS_MAX};

/// The schemas of a registry in whose name or content every keyword occurs, with the versions that have them all.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname-schemas-search.html>
pub(crate) async fn search_schemas(tx: &mut Tx, input: SearchSchemasInput) -> Result<SearchSchemasOutput> {
    let limit = limit(input.limit)?;
    let keywords: Vec<String> = input.keywords.split_whitespace().map(str::to_lowercase).collect();
    if keywords.is_empty() {
        return Err(fault::bad_request("Keywords must have at least one word.").into());
    }
    let registry = input.registry_name;
    let after = input.next_token.unwrap_or_default();
    let names = names(tx, &registry).await?;
    let (mut found, mut next_token) = (Vec::new(), None);
    for name in names.into_iter().filter(|name| *name > after) {
        let versions: Vec<Numbered> = all_versions(tx, &registry, &name)
            .await?
            .into_iter()
            .filter(|numbered| has_all(&keywords, &name, &numbered.version.content))
            .collect();
        if versions.is_empty() {
            continue;
        }
        if found.len() == limit {
            next_token = found.last().and_then(|last: &SearchSchemaSummary| last.schema_name.clone());
            break;
        }
        found.push(show(name::schema_arn(tx.scope(), &registry, &name), &registry, name, versions));
    }
    Ok(SearchSchemasOutput { schemas: Some(found), next_token })
}

fn has_all(keywords: &[String], name: &str, content: &str) -> bool {
    let (name, content) = (name.to_lowercase(), content.to_lowercase());
    keywords.iter().all(|keyword| name.contains(keyword) || content.contains(keyword))
}

async fn names(tx: &mut Tx, registry: &str) -> Result<Vec<String>> {
    if registry == AWS_REGISTRY {
        return Ok(aws::schemas().iter().map(|schema| schema.name.clone()).collect());
    }
    registries::find(tx, registry).await?;
    let rows = tx.scan::<SchemaKey>(Parts::of(registry), SCHEMAS_MAX).await?;
    Ok(rows.into_iter().map(|(key, _)| key.name).collect())
}

async fn all_versions(tx: &mut Tx, registry: &str, name: &str) -> Result<Vec<Numbered>> {
    if registry == AWS_REGISTRY {
        return Ok(vec![version::find(tx, registry, name, None).await?]);
    }
    let parts = Parts::of(registry).and(name);
    let rows = tx.scan::<VersionKey>(parts, VERSIONS_MAX as usize).await?;
    Ok(rows.into_iter().map(|(key, version)| Numbered { number: key.number, version }).collect())
}

fn show(arn: String, registry: &str, name: String, versions: Vec<Numbered>) -> SearchSchemaSummary {
    let version = |found: Numbered| SearchSchemaVersionSummary {
        created_date: Some(found.version.created_at),
        schema_version: Some(found.number.to_string()),
        r#type: Some(found.version.kind),
    };
    SearchSchemaSummary {
        registry_name: Some(registry.to_owned()),
        schema_arn: Some(arn),
        schema_name: Some(name),
        schema_versions: Some(versions.into_iter().map(version).collect()),
    }
}
