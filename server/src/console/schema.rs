//! A schema: its versions, its content, and code for those who read or write such events.

use askama::Template;
use base::Fault;
use schemas::api::{
    DescribeSchema, DescribeSchemaInput, GetCodeBindingSource, GetCodeBindingSourceInput, ListSchemaVersions,
    ListSchemaVersionsInput, PutCodeBinding, PutCodeBindingInput,
};

use super::desk::{Desk, Frame};
use super::html::{Html, json_text, maybe_time};
use super::link::Link;
use super::{Answer, Result};

/// The versions that are listed.
const VERSIONS: i32 = 100;
/// The languages for which there is code: what the registry calls them, and people.
const LANGUAGES: [(&str, &str); 3] =
    [("TypeScript3", "TypeScript"), ("Python36", "Python"), ("Rust", "Rust")];

#[derive(Template)]
#[template(path = "schema.html")]
struct SchemaPage {
    frame: Frame,
    registry: String,
    name: String,
    arn: String,
    kind: String,
    description: String,
    version: String,
    created: Html,
    updated: Html,
    content: Html,
    raw: String,
    versions: Vec<(String, Link, bool)>,
    languages: [(&'static str, &'static str); 3],
    code: Link,
    all: Link,
}

/// The page of a version; of the newest, if the address names none.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let (registry, name) = (desk.query.get("registry"), desk.query.get("name"));
    let input = DescribeSchemaInput {
        registry_name: registry.to_owned(),
        schema_name: name.to_owned(),
        schema_version: desk.query.given("version").map(str::to_owned),
    };
    let found = desk.call::<DescribeSchema>(&input).await?;
    let version = found.schema_version.unwrap_or_default();
    let here = desk.link("schema").with("registry", registry).with("name", name);
    let content = found.content.unwrap_or_default();
    desk.render(&SchemaPage {
        frame: desk.frame("schemas", name),
        versions: versions(desk, registry, name, &here, &version).await?,
        registry: registry.to_owned(),
        name: name.to_owned(),
        arn: found.schema_arn.unwrap_or_default(),
        kind: found.r#type.unwrap_or_default(),
        description: found.description.unwrap_or_default(),
        version,
        created: maybe_time(found.version_created_date),
        updated: maybe_time(found.last_modified),
        content: json_text(&content),
        raw: content,
        languages: LANGUAGES,
        code: desk.link("schema/code"),
        all: desk.link("schemas"),
    })
}

/// The versions, the newest first, each with whether it is shown.
async fn versions(
    desk: &Desk<'_>,
    registry: &str,
    name: &str,
    here: &Link,
    shown: &str,
) -> Result<Vec<(String, Link, bool)>> {
    let input = ListSchemaVersionsInput {
        registry_name: registry.to_owned(),
        schema_name: name.to_owned(),
        limit: Some(VERSIONS),
        ..Default::default()
    };
    let listed = desk.call::<ListSchemaVersions>(&input).await?.schema_versions.unwrap_or_default();
    let mut versions: Vec<String> = listed.into_iter().filter_map(|found| found.schema_version).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.parse::<u64>().unwrap_or_default()));
    let row = |version: String| {
        let href = here.clone().with("version", &version);
        let current = version == shown;
        (version, href, current)
    };
    Ok(versions.into_iter().map(row).collect())
}

/// Code for a version in a language, as a file.
pub(crate) async fn code(desk: &Desk<'_>) -> Result {
    let text = |name: &str| desk.form.get(name).to_owned();
    let (registry, name, version, language) =
        (text("registry"), text("name"), text("version"), text("language"));
    let put = PutCodeBindingInput {
        language: language.clone(),
        registry_name: registry.clone(),
        schema_name: name.clone(),
        schema_version: Some(version.clone()),
    };
    desk.call::<PutCodeBinding>(&put).await?;
    let get = GetCodeBindingSourceInput {
        language: language.clone(),
        registry_name: registry,
        schema_name: name.clone(),
        schema_version: Some(version.clone()),
    };
    let source = desk.call::<GetCodeBindingSource>(&get).await?.body;
    let source =
        source.ok_or_else(|| Fault::new("NotFoundException", "There is no code for this version."))?;
    let name = format!("{name}-{version}-{language}.zip");
    Ok(Answer::File { name, kind: "application/zip", bytes: source.0 })
}
