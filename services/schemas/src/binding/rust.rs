//! Rust: a crate of structs with serde.

use super::File;
use super::model::{Field, Kind, Model, Record, comment, quoted, snake_case, snake_names};

const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

pub(super) fn files(schema: &str, model: &Model) -> Vec<File> {
    let manifest = format!(
        "[package]\nname = {}\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n",
        quoted(&snake_case(schema))
    );
    let mut source = format!("//! The types of the schema {}.\n\n", comment(schema));
    source.push_str("use serde::{Deserialize, Serialize};\n");
    if model.records.is_empty() {
        source.push_str(&format!(
            "\n/// What the schema describes.\npub type Root = {};\n",
            kind(&model.root, model, "")
        ));
    }
    for one in &model.records {
        record(&mut source, one, model);
    }
    vec![("Cargo.toml".to_owned(), manifest), ("src/lib.rs".to_owned(), source)]
}

fn record(out: &mut String, record: &Record, model: &Model) {
    out.push_str(&format!("\n/// `{}`.\n", record.name));
    out.push_str("#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]\n");
    out.push_str(&format!("pub struct {} {{\n", record.name));
    for (field, name) in record.fields.iter().zip(snake_names(record, &KEYWORDS)) {
        self::field(out, field, &name, &record.name, model);
    }
    out.push_str("}\n");
}

fn field(out: &mut String, field: &Field, name: &str, record: &str, model: &Model) {
    if !field.values.is_empty() {
        out.push_str(&format!("    /// One of: {}.\n", comment(&field.values.join(", "))));
    }
    let mut settings = Vec::new();
    if *name != *field.name {
        settings.push(format!("rename = {}", quoted(&field.name)));
    }
    let mut kind = kind(&field.kind, model, record);
    if !field.required {
        if !matches!(field.kind, Kind::Nullable(_)) {
            kind = format!("Option<{kind}>");
        }
        settings.push("default".to_owned());
        settings.push("skip_serializing_if = \"Option::is_none\"".to_owned());
    }
    if !settings.is_empty() {
        out.push_str(&format!("    #[serde({})]\n", settings.join(", ")));
    }
    out.push_str(&format!("    pub {name}: {kind},\n"));
}

fn kind(of: &Kind, model: &Model, record: &str) -> String {
    match of {
        Kind::Any => "serde_json::Value".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Integer => "i64".to_owned(),
        Kind::Number => "f64".to_owned(),
        Kind::Text => "String".to_owned(),
        Kind::List(of) => format!("Vec<{}>", kind(of, model, "")),
        Kind::Map(of) => format!("std::collections::BTreeMap<String, {}>", kind(of, model, "")),
        Kind::Nullable(of) => format!("Option<{}>", kind(of, model, record)),
        Kind::Record(name) if !record.is_empty() && (name == record || model.holds(name, record)) => {
            format!("Box<{name}>")
        }
        Kind::Record(name) => name.clone(),
    }
}
