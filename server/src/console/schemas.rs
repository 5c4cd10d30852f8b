//! Schemas of all registries: listed by where they come from, and searched by name and content.

use std::collections::BTreeMap;

use askama::Template;
use base::Timestamp;
use schemas::api::{
    DiscovererState, ListDiscoverers, ListDiscoverersInput, ListRegistries, ListRegistriesInput, ListSchemas,
    ListSchemasInput, SearchSchemas, SearchSchemasInput,
};

use super::desk::{Desk, Frame};
use super::execution::{Choice, choices};
use super::html::{Html, Tone, maybe_time, pill};
use super::link::Link;
use super::{Result, pager};

/// AWS's own registry, and the one to which discoverers write.
const AWS: &str = "aws.events";
const DISCOVERED: &str = "discovered-schemas";
/// The registries and the schemas of each that are read.
const READ_MAX: usize = 1_000;
const BATCH: i32 = 100;

#[derive(Template)]
#[template(path = "schemas.html")]
struct SchemasPage {
    frame: Frame,
    tab: &'static str,
    tabs: Vec<Choice>,
    text: String,
    rows: Vec<Row>,
    pager: pager::Pager,
    discoverers: Vec<Discoverer>,
}

struct Row {
    name: String,
    registry: String,
    href: Link,
    versions: i64,
    updated: Html,
    /// The versions in which the text was found.
    matching: Vec<(String, Link)>,
}

struct Discoverer {
    source: String,
    href: Option<Link>,
    state: Html,
}

/// A schema before it is shown.
struct Found {
    registry: String,
    name: String,
    versions: i64,
    updated: Option<Timestamp>,
    matching: Vec<String>,
}

const TABS: [(&str, &str); 4] = [
    ("all", "All"),
    ("aws", "AWS event schema registry"),
    ("discovered", "Discovered"),
    ("custom", "Custom"),
];

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let text = desk.query.get("text").to_owned();
    let here = desk.link("schemas").with("text", &text);
    let (tab, tabs) = choices(desk, "tab", &here, &TABS);
    let mut found = Vec::new();
    for registry in registries(desk).await?.into_iter().filter(|name| is_in(tab, name)) {
        found.extend(in_registry(desk, &registry, &text).await?);
    }
    found.sort_by(|a, b| (&a.name, &a.registry).cmp(&(&b.name, &b.registry)));
    let list = if tab == "all" { here } else { here.with("tab", tab) };
    let (found, pager) = pager::cut(found, &desk.query, None, &list);
    desk.render(&SchemasPage {
        frame: desk.frame("schemas", "Schemas"),
        tab,
        tabs,
        rows: found.into_iter().map(|found| row(desk, found)).collect(),
        pager,
        discoverers: if tab == "discovered" { discoverers(desk).await? } else { Vec::new() },
        text,
    })
}

fn is_in(tab: &str, registry: &str) -> bool {
    match tab {
        "aws" => registry == AWS,
        "discovered" => registry == DISCOVERED,
        "custom" => registry != AWS && registry != DISCOVERED,
        _ => true,
    }
}

async fn registries(desk: &Desk<'_>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut token = None;
    while names.len() < READ_MAX {
        let input = ListRegistriesInput { limit: Some(BATCH), next_token: token, ..Default::default() };
        let listed = desk.call::<ListRegistries>(&input).await?;
        let found = listed.registries.unwrap_or_default();
        names.extend(found.into_iter().filter_map(|registry| registry.registry_name));
        token = listed.next_token;
        if token.is_none() {
            break;
        }
    }
    // Whether the registry of AWS is listed or not, it is there.
    if !names.iter().any(|name| name == AWS) {
        names.push(AWS.to_owned());
    }
    Ok(names)
}

/// The schemas of a registry; with a text, those in which it is found.
async fn in_registry(desk: &Desk<'_>, registry: &str, text: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut token = None;
    while found.len() < READ_MAX {
        let input = ListSchemasInput {
            registry_name: registry.to_owned(),
            limit: Some(BATCH),
            next_token: token,
            ..Default::default()
        };
        let listed = desk.call::<ListSchemas>(&input).await?;
        found.extend(listed.schemas.unwrap_or_default().into_iter().map(|schema| Found {
            registry: registry.to_owned(),
            name: schema.schema_name.unwrap_or_default(),
            versions: schema.version_count.unwrap_or(1),
            updated: schema.last_modified,
            matching: Vec::new(),
        }));
        token = listed.next_token;
        if token.is_none() {
            break;
        }
    }
    if text.is_empty() {
        return Ok(found);
    }
    let mut matching = search(desk, registry, text).await?;
    let found = found.into_iter().filter_map(|schema| {
        let matching = matching.remove(&schema.name)?;
        Some(Found { matching, ..schema })
    });
    Ok(found.collect())
}

/// The schemas in whose name or content the words are, each with its versions that have them.
async fn search(desk: &Desk<'_>, registry: &str, text: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::new();
    let mut token = None;
    while found.len() < READ_MAX {
        let input = SearchSchemasInput {
            keywords: text.to_owned(),
            registry_name: registry.to_owned(),
            limit: Some(BATCH),
            next_token: token,
        };
        let answer = desk.call::<SearchSchemas>(&input).await?;
        for schema in answer.schemas.unwrap_or_default() {
            let versions = schema.schema_versions.unwrap_or_default().into_iter();
            let versions = versions.filter_map(|version| version.schema_version).collect();
            found.insert(schema.schema_name.unwrap_or_default(), versions);
        }
        token = answer.next_token;
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

fn row(desk: &Desk<'_>, found: Found) -> Row {
    let href = desk.link("schema").with("registry", &found.registry).with("name", &found.name);
    let matching = found.matching.into_iter().map(|version| {
        let at = href.clone().with("version", &version);
        (version, at)
    });
    Row {
        matching: matching.collect(),
        href,
        name: found.name,
        registry: found.registry,
        versions: found.versions,
        updated: maybe_time(found.updated),
    }
}

async fn discoverers(desk: &Desk<'_>) -> Result<Vec<Discoverer>> {
    let input = ListDiscoverersInput { limit: Some(BATCH), ..Default::default() };
    let listed = desk.call::<ListDiscoverers>(&input).await?.discoverers.unwrap_or_default();
    let shown = listed.into_iter().map(|found| {
        let source = found.source_arn.unwrap_or_default();
        let state = found.state.unwrap_or_default();
        let tone = if state == DiscovererState::Started { Tone::Good } else { Tone::Quiet };
        Discoverer { href: desk.link_of(&source), source, state: pill(tone, state.as_str()) }
    });
    Ok(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_in_one_tab_and_in_all() {
        for registry in [AWS, DISCOVERED, "shop"] {
            let tabs: Vec<&str> =
                TABS.iter().map(|(tab, _)| *tab).filter(|tab| is_in(tab, registry)).collect();
            assert_eq!(tabs.len(), 2, "{registry}: {tabs:?}");
        }
    }
}
