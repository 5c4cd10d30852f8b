//! TypeScript: a module of interfaces.

use super::File;
use super::model::{Field, Kind, Model, comment, quoted};

pub(super) fn files(schema: &str, model: &Model) -> Vec<File> {
    let mut source = format!("/** The types of the schema {}. */\n", comment(schema));
    if model.records.is_empty() {
        source.push_str(&format!("\nexport type Root = {};\n", kind(&model.root)));
    }
    for record in &model.records {
        source.push_str(&format!("\nexport interface {} {{\n", record.name));
        for field in &record.fields {
            let mark = if field.required { "" } else { "?" };
            source.push_str(&format!("  {}{mark}: {};\n", quoted(&field.name), field_kind(field)));
        }
        source.push_str("}\n");
    }
    vec![("index.ts".to_owned(), source)]
}

fn field_kind(field: &Field) -> String {
    let values: Vec<String> = field.values.iter().map(|value| quoted(value)).collect();
    match &field.kind {
        Kind::Text if !values.is_empty() => values.join(" | "),
        Kind::Nullable(of) if **of == Kind::Text && !values.is_empty() => {
            format!("{} | null", values.join(" | "))
        }
        other => kind(other),
    }
}

fn kind(of: &Kind) -> String {
    match of {
        Kind::Any => "unknown".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Integer | Kind::Number => "number".to_owned(),
        Kind::Text => "string".to_owned(),
        Kind::List(of) if matches!(**of, Kind::Nullable(_)) => format!("({})[]", kind(of)),
        Kind::List(of) => format!("{}[]", kind(of)),
        Kind::Map(of) => format!("{{ [name: string]: {} }}", kind(of)),
        Kind::Nullable(of) => format!("{} | null", kind(of)),
        Kind::Record(name) => name.clone(),
    }
}
