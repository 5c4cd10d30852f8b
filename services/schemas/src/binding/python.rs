//! Python: a package of data classes that read and write JSON's objects. For Python 3.8 and later.

use super::File;
use super::model::{Field, Kind, Model, Record, comment, quoted, snake_case, snake_names};

const KEYWORDS: [&str; 46] = [
    "False",
    "None",
    "True",
    "and",
    "any",
    "as",
    "assert",
    "async",
    "await",
    "bool",
    "break",
    "class",
    "cls",
    "continue",
    "data",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "field",
    "finally",
    "float",
    "for",
    "from",
    "from_dict",
    "global",
    "if",
    "import",
    "in",
    "int",
    "is",
    "lambda",
    "list",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "self",
    "str",
    "to_dict",
    "try",
    "while",
    "yield",
];

pub(super) fn files(schema: &str, model: &Model) -> Vec<File> {
    let mut source =
        format!("\"\"\"The types of the schema {}.\"\"\"\n\n", comment(&schema.replace(['"', '\\'], "'")));
    source.push_str("from __future__ import annotations\n\n");
    source.push_str("from dataclasses import dataclass\nfrom typing import Any, Dict, List, Optional\n");
    if model.records.is_empty() {
        source.push_str(&format!("\nRoot = {}\n", kind(&model.root)));
    }
    for one in &model.records {
        record(&mut source, one);
    }
    vec![(format!("{}/__init__.py", snake_case(schema)), source)]
}

fn record(out: &mut String, record: &Record) {
    let names = snake_names(record, &KEYWORDS);
    let mut fields: Vec<(&Field, &String)> = record.fields.iter().zip(&names).collect();
    // What has a default must follow what has none.
    fields.sort_by_key(|(field, _)| !field.required);
    out.push_str(&format!("\n\n@dataclass\nclass {}:\n", record.name));
    for (field, name) in &fields {
        if !field.values.is_empty() {
            out.push_str(&format!("    # One of: {}.\n", comment(&field.values.join(", "))));
        }
        if field.required {
            out.push_str(&format!("    {name}: {}\n", kind(&field.kind)));
        } else {
            out.push_str(&format!("    {name}: Optional[{}] = None\n", kind(&field.kind)));
        }
    }
    out.push_str(&format!(
        "\n    @staticmethod\n    def from_dict(data: Dict[str, Any]) -> {}:\n",
        record.name
    ));
    out.push_str(&format!("        return {}(\n", record.name));
    for (field, name) in &fields {
        let key = quoted(&field.name);
        let value = if field.required { format!("data[{key}]") } else { format!("data.get({key})") };
        let absent = !field.required || matches!(field.kind, Kind::Nullable(_));
        out.push_str(&format!(
            "            {name}={},\n",
            converted(&field.kind, &value, absent, From::Json)
        ));
    }
    out.push_str(
        "        )\n\n    def to_dict(self) -> Dict[str, Any]:\n        data: Dict[str, Any] = {}\n",
    );
    for (field, name) in &fields {
        let absent = matches!(field.kind, Kind::Nullable(_));
        let value = converted(&field.kind, &format!("self.{name}"), absent, From::Python);
        let key = quoted(&field.name);
        if field.required {
            out.push_str(&format!("        data[{key}] = {value}\n"));
        } else {
            out.push_str(&format!(
                "        if self.{name} is not None:\n            data[{key}] = {value}\n"
            ));
        }
    }
    out.push_str("        return data\n");
}

#[derive(Clone, Copy)]
enum From {
    Json,
    Python,
}

/// An expression that makes JSON's value of Python's, or the other way round. Plain values are the same.
fn converted(kind: &Kind, value: &str, absent: bool, from: From) -> String {
    let Some(plain) = convert(kind, value, from) else { return value.to_owned() };
    if absent { format!("{plain} if {value} is not None else None") } else { plain }
}

fn convert(kind: &Kind, value: &str, from: From) -> Option<String> {
    match kind {
        Kind::Record(name) => Some(match from {
            From::Json => format!("{name}.from_dict({value})"),
            From::Python => format!("{value}.to_dict()"),
        }),
        Kind::List(of) => {
            let element = converted_element(of, "x", from)?;
            Some(format!("[{element} for x in {value}]"))
        }
        Kind::Map(of) => {
            let element = converted_element(of, "x", from)?;
            Some(format!("{{k: {element} for k, x in {value}.items()}}"))
        }
        Kind::Nullable(of) => convert(of, value, from),
        _ => None,
    }
}

fn converted_element(kind: &Kind, value: &str, from: From) -> Option<String> {
    let plain = convert(kind, value, from)?;
    let nullable = matches!(kind, Kind::Nullable(_));
    Some(if nullable { format!("({plain} if {value} is not None else None)") } else { plain })
}

fn kind(of: &Kind) -> String {
    match of {
        Kind::Any => "Any".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Integer => "int".to_owned(),
        Kind::Number => "float".to_owned(),
        Kind::Text => "str".to_owned(),
        Kind::List(of) => format!("List[{}]", kind(of)),
        Kind::Map(of) => format!("Dict[str, {}]", kind(of)),
        Kind::Nullable(of) => format!("Optional[{}]", kind(of)),
        Kind::Record(name) => name.clone(),
    }
}
