//! Tables and their items.

use askama::Template;
use base::Fault;
use dynamodb::api::{
    DescribeTable, DescribeTableInput, DescribeTableOutput, KeyType, ListTables, ListTablesInput, Scan,
    TableDescription,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Result;
use super::desk::{Desk, Frame, all};
use super::html::{Html, Tone, json, maybe_time, pill};
use super::link::Link;

/// The items of a page.
const ITEMS: i32 = 100;
/// Characters of a value in its column.
const CELL_CHARS_MAX: usize = 80;
/// The same of a key, whose end tells more than its beginning: keys are often ARNs.
const KEY_CHARS_MAX: usize = 400;

#[derive(Template)]
#[template(path = "tables.html")]
struct TablesPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<Link>,
}

struct Row {
    name: String,
    href: Link,
    table: Result<Shown>,
}

struct Shown {
    arn: String,
    status: Html,
    keys: Vec<String>,
    items: i64,
    bytes: i64,
    indexes: usize,
    created: Html,
}

#[derive(Template)]
#[template(path = "table.html")]
struct TablePage {
    frame: Frame,
    name: String,
    table: Shown,
    columns: Vec<String>,
    rows: Vec<Item>,
    /// Which of the pages this is, counted from 1.
    number: usize,
    previous: Option<Link>,
    next: Option<Link>,
}

struct Item {
    cells: Vec<Option<String>>,
    json: Html,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScanInput<'a> {
    table_name: &'a str,
    limit: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScanOutput {
    #[serde(default)]
    items: Vec<Map<String, Value>>,
    last_evaluated_key: Option<Value>,
}

/// The list of tables.
pub(crate) async fn list(desk: &Desk<'_>) -> Result {
    let start = desk.query.given("token").map(str::to_owned);
    let input = ListTablesInput { exclusive_start_table_name: start, ..Default::default() };
    let found = desk.call::<ListTables>(&input).await?;
    let names = found.table_names.unwrap_or_default();
    let rows = all(names.into_iter().map(|name| async move {
        let table = describe(desk, &name).await.map(shown);
        Row { href: desk.link("table").with("name", &name), name, table }
    }));
    let rows = rows.await;
    let next = found.last_evaluated_table_name.map(|last| desk.link("tables").with("token", &last));
    desk.render(&TablesPage { frame: desk.frame("tables", "Tables"), rows, next })
}

/// The items of a table, a page at a time.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let name = desk.query.get("name");
    let table = describe(desk, name).await?;
    let tokens: Vec<&str> = desk.query.all("token").collect();
    let start = tokens.last().map(|token| serde_json::from_str(token)).transpose();
    let start = start.map_err(|_| Fault::validation("The provided starting key is invalid"))?;
    let input = ScanInput { table_name: name, limit: ITEMS, exclusive_start_key: start };
    let found: ScanOutput = desk.call_as::<Scan, _>(&input).await?;
    let keys = keys(&table);
    let columns = columns(keys.clone(), &found.items);
    let cell_of = |item: &Map<String, Value>, column: &String| {
        let chars_max = if keys.contains(column) { KEY_CHARS_MAX } else { CELL_CHARS_MAX };
        item.get(column).map(|value| cell(value, chars_max))
    };
    let row = |item: Map<String, Value>| Item {
        cells: columns.iter().map(|column| cell_of(&item, column)).collect(),
        json: json(&item.into()),
    };
    let at = |tokens: &[&str]| {
        tokens.iter().fold(desk.link("table").with("name", name), |link, token| link.with("token", token))
    };
    let next = found.last_evaluated_key.map(|key| at(&[&tokens[..], &[&key.to_string()]].concat()));
    let rows = found.items.into_iter().map(row).collect();
    desk.render(&TablePage {
        frame: desk.frame("tables", name),
        name: name.to_owned(),
        table: shown(table),
        columns,
        rows,
        number: tokens.len() + 1,
        previous: tokens.split_last().map(|(_, before)| at(before)),
        next,
    })
}

async fn describe(desk: &Desk<'_>, name: &str) -> Result<TableDescription> {
    let input = DescribeTableInput { table_name: name.to_owned() };
    let DescribeTableOutput { table } = desk.call::<DescribeTable>(&input).await?;
    Ok(table.unwrap_or_default())
}

fn shown(table: TableDescription) -> Shown {
    let status = table.table_status.unwrap_or_default().as_str();
    let tone = if status == "ACTIVE" { Tone::Good } else { Tone::Busy };
    let indexes = table.global_secondary_indexes.as_ref().map_or(0, Vec::len)
        + table.local_secondary_indexes.as_ref().map_or(0, Vec::len);
    Shown {
        status: pill(tone, status),
        keys: keys(&table),
        items: table.item_count.unwrap_or_default(),
        bytes: table.table_size_bytes.unwrap_or_default(),
        indexes,
        created: maybe_time(table.creation_date_time),
        arn: table.table_arn.unwrap_or_default(),
    }
}

/// The names of the key's attributes, the partition key first.
fn keys(table: &TableDescription) -> Vec<String> {
    let mut schema = table.key_schema.clone().unwrap_or_default();
    schema.sort_by_key(|element| element.key_type != KeyType::Hash);
    schema.into_iter().map(|element| element.attribute_name).collect()
}

/// The key's attributes, then those of the items as they come.
fn columns(keys: Vec<String>, items: &[Map<String, Value>]) -> Vec<String> {
    let mut columns = keys;
    for name in items.iter().flat_map(Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

/// A value as its column shows it, shortened.
fn cell(value: &Value, chars_max: usize) -> String {
    let text = match plain(value) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// An attribute value without its type: `{"S": "a"}` is `"a"`. Numbers keep their text.
fn plain(value: &Value) -> Value {
    let Some((kind, held)) = value.as_object().and_then(|members| members.iter().next()) else {
        return value.clone();
    };
    match (kind.as_str(), held) {
        ("NULL", _) => Value::Null,
        ("L", Value::Array(values)) => values.iter().map(plain).collect(),
        ("M", Value::Object(members)) => {
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
        }
        _ => held.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_show_values_without_types() {
        let cell = |value: Value| cell(&value, 12);
        assert_eq!(cell(json!({ "S": "text" })), "text");
        assert_eq!(cell(json!({ "N": "1.50" })), "1.50");
        assert_eq!(cell(json!({ "BOOL": true })), "true");
        assert_eq!(cell(json!({ "NULL": true })), "null");
        assert_eq!(cell(json!({ "M": { "a": { "L": [{ "N": "2" }] } } })), r#"{"a":["2"]}"#);
        assert_eq!(cell(json!({ "S": "ä".repeat(100) })), format!("{}…", "ä".repeat(12)));
    }

    #[test]
    fn the_key_comes_first() {
        let items = [json!({ "b": {}, "a": {}, "k": {} }), json!({ "c": {}, "k": {} })];
        let items: Vec<_> = items.iter().map(|item| item.as_object().unwrap().clone()).collect();
        assert_eq!(columns(vec!["k".to_owned()], &items), ["k", "b", "a", "c"]);
    }
}
