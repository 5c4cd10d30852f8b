//! Writes the Rust types: structures, enumerations, errors and one marker per operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::Value;

use super::model::Model;
use super::names;

/// Writes all types of a service.
pub(super) fn write(out: &mut String, model: &Model<'_>) -> Result<()> {
    let body = body(model)?;
    if mentions(&body, "BTreeMap") {
        out.push_str("use std::collections::BTreeMap;\n\n");
    }
    let schema = if mentions(&body, "Blob") { "{Blob, OperationSchema}" } else { "OperationSchema" };
    let _ = writeln!(out, "use base::schema::{schema};");
    let words: Vec<&str> =
        ["Document", "Fault", "Timestamp"].into_iter().filter(|word| mentions(&body, word)).collect();
    let _ = writeln!(out, "use base::{{{}}};\nuse serde::{{Deserialize, Serialize}};\n", words.join(", "));
    out.push_str(&body);
    Ok(())
}

/// Whether a type's name stands somewhere in the source as a word of its own.
fn mentions(body: &str, word: &str) -> bool {
    let code = body.lines().filter(|line| !line.trim_start().starts_with("///"));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"'))
        .any(|part| part == word)
}

fn body(model: &Model<'_>) -> Result<String> {
    let mut out = String::new();
    let undefaulted = without_default(model);
    markers(&mut out, model)?;
    for (shape, json) in model.shapes().filter(|(shape, _)| model.reachable.contains(*shape)) {
        if model.config.external.contains_key(shape) {
            continue;
        }
        if json["type"] == "structure" && json["document"] != true {
            structure(&mut out, model, shape, !undefaulted.contains(shape.as_str()))?;
        } else if model.is_enum(shape) {
            enumeration(&mut out, model, shape)?;
        }
    }
    errors(&mut out, model)?;
    Ok(out)
}

/// One unit type per operation, which names its input, output and schema.
fn markers(out: &mut String, model: &Model<'_>) -> Result<()> {
    for operation in model.operations()? {
        let name = operation.name;
        let mut side = |shape: Option<&str>, side: &str| {
            let wanted = format!("{name}{side}");
            match shape.and_then(|shape| model.rust_name(shape)) {
                None => {
                    let _ = writeln!(
                        out,
                        "/// `{name}` has no members here.\n#[derive(Clone, Debug, Default, PartialEq, Serialize, \
                         Deserialize)]\npub struct {wanted} {{}}\n"
                    );
                }
                Some(rust) if rust != wanted => {
                    let lower = side.to_lowercase();
                    let _ = writeln!(out, "/// The {lower} of `{name}`.\npub type {wanted} = {rust};\n");
                }
                Some(_) => {}
            }
        };
        side(operation.input, "Input");
        side(operation.output, "Output");
        let page = model.page(name).map(|page| format!("///\n/// {page}\n")).unwrap_or_default();
        let _ = writeln!(
            out,
            "/// The operation `{name}`.\n{page}#[derive(Clone, Copy, Debug)]\npub struct {name};\n\n\
             impl kernel::Operation for {name} {{\n    type Input = {name}Input;\n    type Output = {name}Output;\n    \
             const SCHEMA: &'static OperationSchema = &tables::operation::{};\n}}\n",
            names::constant(name)
        );
    }
    Ok(())
}

fn structure(out: &mut String, model: &Model<'_>, shape: &str, default: bool) -> Result<()> {
    let name = model.rust_name(shape).unwrap_or(shape);
    let page = if name == names::type_name(shape) {
        model.page(shape).map(|page| format!("///\n/// {page}\n")).unwrap_or_default()
    } else {
        String::new()
    };
    let default = if default { "Default, " } else { "" };
    let _ = writeln!(
        out,
        "/// The shape `{shape}`.\n{page}#[derive(Clone, Debug, {default}PartialEq, Serialize, Deserialize)]\npub struct \
         {name} {{"
    );
    for (member, json) in model.members(shape) {
        let target = json["shape"].as_str().unwrap_or_default();
        let required = model.is_required(shape, member);
        let mut rust = rust_type(model, target)?;
        if is_recursive(model, shape, target) {
            rust = format!("Box<{rust}>");
        }
        let _ = writeln!(out, "    /// The `{member}` member.");
        let mut attributes = Vec::new();
        let field = names::field(member);
        if field.trim_start_matches("r#") != member {
            attributes.push(format!("rename = \"{member}\""));
        }
        if rust == "Timestamp" {
            let with = if required { "base::schema::epoch" } else { "base::schema::epoch::option" };
            attributes.push(format!("with = \"{with}\""));
        }
        if !required {
            if rust == "Timestamp" {
                attributes.push("default".to_owned());
            }
            attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
            rust = format!("Option<{rust}>");
        }
        if !attributes.is_empty() {
            let _ = writeln!(out, "    #[serde({})]", attributes.join(", "));
        }
        let _ = writeln!(out, "    pub {field}: {rust},");
    }
    out.push_str("}\n\n");
    Ok(())
}

/// Whether a member leads back to its structure through structures alone.
fn is_recursive(model: &Model<'_>, shape: &str, target: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![target];
    while let Some(next) = open.pop() {
        if next == shape {
            return true;
        }
        if model.shape(next)["type"] == "structure" && seen.insert(next) {
            open.extend(model.references(next));
        }
    }
    false
}

fn rust_type(model: &Model<'_>, shape: &str) -> Result<String> {
    if let Some(external) = model.config.external.get(shape) {
        return Ok(external.clone());
    }
    let json = model.shape(shape);
    let inner = |of: &str| -> Result<String> {
        let rust = rust_type(model, json[of]["shape"].as_str().unwrap_or_default())?;
        if rust == "Timestamp" {
            bail!("{shape} holds time stamps, for which serde has no helper here");
        }
        Ok(rust)
    };
    Ok(match json["type"].as_str().unwrap_or_default() {
        "structure" if json["document"] == true => "Document".to_owned(),
        "structure" => model.rust_name(shape).unwrap_or(shape).to_owned(),
        "string" if model.is_enum(shape) => model.rust_name(shape).unwrap_or(shape).to_owned(),
        "string" | "character" => "String".to_owned(),
        "integer" => "i32".to_owned(),
        "long" => "i64".to_owned(),
        "float" | "double" => "f64".to_owned(),
        "boolean" => "bool".to_owned(),
        "blob" => "Blob".to_owned(),
        "timestamp" => "Timestamp".to_owned(),
        "list" => format!("Vec<{}>", inner("member")?),
        "map" => format!("BTreeMap<{}, {}>", inner("key")?, inner("value")?),
        other => bail!("{shape} has the unknown type {other}"),
    })
}

/// Structures that require something written by hand have no default.
fn without_default<'m>(model: &'m Model<'_>) -> BTreeSet<&'m str> {
    let mut without: BTreeSet<&str> = model.config.external.keys().map(String::as_str).collect();
    loop {
        let before = without.len();
        for (shape, _) in model.shapes() {
            let needs = model.members(shape).any(|(member, json)| {
                model.is_required(shape, member)
                    && json["shape"].as_str().is_some_and(|name| without.contains(name))
            });
            if needs {
                without.insert(shape);
            }
        }
        if without.len() == before {
            return without;
        }
    }
}

fn enumeration(out: &mut String, model: &Model<'_>, shape: &str) -> Result<()> {
    let name = model.rust_name(shape).unwrap_or(shape);
    let values: Vec<&str> =
        model.shape(shape)["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut variants: BTreeMap<String, &str> = BTreeMap::new();
    let mut lines = String::new();
    let mut arms = String::new();
    for (i, value) in values.iter().enumerate() {
        let mut variant = names::variant(value);
        while variants.contains_key(&variant) {
            variant.push('X');
        }
        let default = if i == 0 { "#[default]\n" } else { "" };
        let rename =
            if *value == variant { String::new() } else { format!("#[serde(rename = \"{value}\")]\n") };
        let _ = writeln!(lines, "/// `{value}`\n{default}{rename}{variant},");
        let _ = writeln!(arms, "{name}::{variant} => \"{value}\",");
        variants.insert(variant, value);
    }
    let _ = writeln!(
        out,
        "/// The enumeration `{shape}`; the default is its first value.\n#[derive(Clone, Copy, Debug, Default, PartialEq, \
         Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]\npub enum {name} {{\n{lines}}}\n\nimpl {name} {{\n/// All \
         values, as AWS writes them.\npub const VALUES: &'static [&'static str] = &{values:?};\n\n/// As AWS writes \
         it.\npub const fn as_str(self) -> &'static str {{ match self {{ {arms} }} }}\n}}\n\nimpl std::fmt::Display for \
         {name} {{\nfn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{ f.write_str(self.as_str()) \
         }}\n}}\n"
    );
    Ok(())
}

/// One constructor per error that a listed operation or `api.toml` names.
fn errors(out: &mut String, model: &Model<'_>) -> Result<()> {
    let mut named: BTreeSet<String> = model.config.errors.keys().cloned().collect();
    for operation in model.operations()? {
        let errors = operation.json["errors"].as_array().into_iter().flatten();
        named.extend(errors.filter_map(|error| error["shape"].as_str()).map(str::to_owned));
    }
    out.push_str("/// The modelled errors of the operations above.\npub mod error {\nuse super::Fault;\n\n");
    for name in named {
        let (_, status) = error_facts(model, &name);
        let status_call = if status == 400 { String::new() } else { format!(".with_status({status})") };
        let _ = writeln!(
            out,
            "/// `{name}`, HTTP {status}.\npub fn {}(message: impl Into<String>) -> Fault {{ Fault::new(\"{name}\", \
             message){status_call} }}\n",
            names::field(&name)
        );
    }
    out.push_str("}\n\n");
    Ok(())
}

/// An error's query code and HTTP status.
pub(super) fn error_facts(model: &Model<'_>, name: &str) -> (String, u16) {
    let json = model.shape(name);
    let own = model.config.errors.get(name);
    let code = own.and_then(|own| own.query_code.as_deref()).or_else(|| json["error"]["code"].as_str());
    let modelled = json["error"]["httpStatusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let fallback = if json["fault"] == true { 500 } else { 400 };
    let status = own.and_then(|own| own.status).or(modelled).unwrap_or(fallback);
    (code.unwrap_or(name).to_owned(), status)
}
