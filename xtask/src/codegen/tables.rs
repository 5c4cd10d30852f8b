//! Writes the schema tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::Value;

use super::model::{Model, Operation};
use super::{names, regexes, types};

/// Writes the service's table and those of its operations, shapes and expressions.
pub(super) fn write(out: &mut String, model: &Model<'_>) -> Result<()> {
    let patterns = patterns(model)?;
    service(out, model)?;
    out.push_str("mod tables {\n");
    if !patterns.is_empty() {
        out.push_str("mod pattern {\nuse base::schema::Pattern;\n\n");
        for (java, name) in &patterns {
            let translated = regexes::translate(java)?;
            let except =
                translated.except.map_or_else(|| "None".to_owned(), |text| format!("Some({})", raw(&text)));
            let (java, regex) = (raw(java), raw(&translated.regex));
            let _ =
                writeln!(out, "pub(super) static {name}: Pattern = Pattern::new({java}, {regex}, {except});");
        }
        out.push_str("}\n\n");
    }
    shapes(out, model, &patterns)?;
    out.push_str("pub(super) mod operation {\nuse base::schema::OperationSchema;\nuse super::shape;\n\n");
    for operation in model.operations()? {
        operation_table(out, &operation);
    }
    out.push_str("}\n}\n");
    Ok(())
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({value:?})"))
}

/// A raw string literal.
fn raw(value: &str) -> String {
    let hashes = if value.contains("\"#") {
        "##"
    } else if value.contains('"') {
        "#"
    } else {
        ""
    };
    format!("r{hashes}\"{value}\"{hashes}")
}

fn service(out: &mut String, model: &Model<'_>) -> Result<()> {
    let protocols = protocols(model)?;
    let mut all: Vec<&str> = model.all_operations().map(|(name, _)| name.as_str()).collect();
    all.sort_unstable();
    let endpoint = model.metadata("endpointPrefix").unwrap_or(&model.config.model);
    let signing = model.metadata("signingName").unwrap_or(endpoint);
    let signing = model.config.name.as_deref().unwrap_or(signing);
    let validation = match model.config.validation.as_str() {
        "sqs" => "ValidationStyle::Sqs".to_owned(),
        code => format!("ValidationStyle::Listed {{ code: {code:?} }}"),
    };
    let mut served = String::new();
    for operation in model.operations()? {
        let _ = write!(served, "&tables::operation::{},", names::constant(operation.name));
    }
    let mut routes = String::new();
    if protocols.contains("Rest") {
        for (name, json) in model.all_operations() {
            let (method, uri) = (&json["http"]["method"], &json["http"]["requestUri"]);
            let _ = write!(routes, "Route {{ operation: {name:?}, method: {method}, uri: {uri} }},");
        }
    }
    let mut errors = String::new();
    for (name, json) in model.shapes() {
        if json["exception"] == true || json["error"].is_object() {
            let (code, status) = types::error_facts(model, name);
            let spelled = model.members(name).find(|(member, _)| member.eq_ignore_ascii_case("message"));
            let message = spelled.map_or("message", |(member, _)| member.as_str());
            let typed = !json["members"]["Type"].is_null();
            let _ = write!(
                errors,
                "ErrorSchema {{ name: {name:?}, query_code: {code:?}, status: {status}, message: {message:?}, typed: \
                 {typed} }},"
            );
        }
    }
    let visible = if model.config.tables_only { "pub(crate)" } else { "pub" };
    let route = if routes.is_empty() { "" } else { ", Route" };
    let _ = writeln!(
        out,
        "use base::schema::{{ErrorSchema, Protocol{route}, ServiceSchema, ValidationStyle}};\n"
    );
    let namespace = model.config.xml_namespace.as_deref().or_else(|| model.metadata("xmlNamespace"));
    let _ = writeln!(
        out,
        "/// {}.\n{visible} static SERVICE: ServiceSchema = ServiceSchema {{\nsigning_name: {signing:?},\nendpoint_prefix: \
         {endpoint:?},\nservice_id: {:?},\ntarget_prefix: {},\nprotocols: &[{protocols}],\njson_version: \
         {:?},\napi_version: {:?},\nxml_namespace: {},\nquery_compatible: {},\nerror_namespace: {},\nvalidation: \
         {validation},\noperations: &[{served}],\nall_operations: &{all:?},\nall_routes: &[{routes}],\nerrors: \
         &[{errors}],\n}};\n",
        model.full_name(),
        model.metadata("serviceId").unwrap_or(endpoint),
        text(model.metadata("targetPrefix")),
        model.metadata("jsonVersion").unwrap_or("1.1"),
        model.api_version(),
        text(namespace),
        model.has_metadata("awsQueryCompatible"),
        text(model.config.error_namespace.as_deref()),
    );
    Ok(())
}

fn protocols(model: &Model<'_>) -> Result<String> {
    let own = model.metadata("protocol").unwrap_or("json").to_owned();
    let mut list = Vec::new();
    for protocol in std::iter::once(&own).chain(&model.config.protocols) {
        list.push(match protocol.as_str() {
            "json" => "Protocol::AwsJson",
            "query" => "Protocol::Query",
            "rest-json" => "Protocol::RestJson",
            "rest-xml" => "Protocol::RestXml",
            "smithy-rpc-v2-cbor" => "Protocol::RpcV2Cbor",
            other => bail!("the protocol {other} is unknown"),
        });
    }
    Ok(list.join(", "))
}

fn operation_table(out: &mut String, operation: &Operation<'_>) {
    let json = operation.json;
    let shape = |name: Option<&str>| name.map_or_else(|| "EMPTY".to_owned(), names::constant);
    let _ = writeln!(
        out,
        "pub(crate) static {}: OperationSchema = OperationSchema {{\nservice: &super::super::SERVICE,\nname: \
         {:?},\nhttp_method: {},\nuri: {},\nsuccess_status: {},\ninput: &shape::{},\noutput: &shape::{},\nresult_wrapper: \
         {},\ninput_element: {},\nhas_output: {},\n}};",
        names::constant(operation.name),
        operation.name,
        json["http"]["method"],
        json["http"]["requestUri"],
        json["http"]["responseCode"].as_u64().unwrap_or(200),
        shape(operation.input),
        shape(operation.output),
        text(json["output"]["resultWrapper"].as_str()),
        text(json["input"]["locationName"].as_str()),
        operation.output.is_some(),
    );
}

/// The expressions of the reachable shapes, each once, with a name.
fn patterns(model: &Model<'_>) -> Result<BTreeMap<String, String>> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for shape in &model.reachable {
        if let Some(java) = model.shape(shape)["pattern"].as_str()
            && !matches!(java, ".*" | "[\\s\\S]*" | "[\\S\\s]*")
        {
            let name = names::constant(shape);
            found.entry(java.to_owned()).or_insert(name);
        }
    }
    Ok(found)
}

fn shapes(out: &mut String, model: &Model<'_>, patterns: &BTreeMap<String, String>) -> Result<()> {
    let mut body = String::new();
    let operations = model.operations()?;
    if operations.iter().any(|operation| operation.input.is_none() || operation.output.is_none()) {
        body.push_str("pub(super) static EMPTY: Shape = Shape::structure(\"Empty\", &[]);\n");
    }
    for (name, json) in model.shapes().filter(|(name, _)| model.reachable.contains(*name)) {
        let definition = shape(model, name, json, patterns)?;
        let _ = writeln!(body, "pub(super) static {}: Shape = {definition};", names::constant(name));
    }
    let mut imports: Vec<&str> = ["Bounds", "Kind", "Location", "Member", "Shape", "TimestampFormat"]
        .into_iter()
        .filter(|word| body.contains(&format!("{word}::")))
        .collect();
    imports.push("Shape");
    imports.sort_unstable();
    imports.dedup();
    let _ = writeln!(out, "pub(super) mod shape {{\nuse base::schema::{{{}}};", imports.join(", "));
    if body.contains("&pattern::") {
        out.push_str("use super::pattern;\n");
    }
    out.push('\n');
    out.push_str(&body);
    out.push_str("}\n\n");
    Ok(())
}

fn shape(model: &Model<'_>, name: &str, json: &Value, patterns: &BTreeMap<String, String>) -> Result<String> {
    let target = |of: &str| names::constant(json[of]["shape"].as_str().unwrap_or_default());
    let bounds = bounds(json, false);
    Ok(match json["type"].as_str().unwrap_or_default() {
        "structure" if json["document"] == true => format!("Shape::new({name:?}, Kind::Document)"),
        "structure" => {
            let constructor = if json["union"] == true { "union" } else { "structure" };
            let members: Vec<String> =
                model.members(name).map(|(member, json)| self::member(model, name, member, json)).collect();
            if members.len() > 128 {
                bail!("{name} has more than 128 members");
            }
            format!("Shape::{constructor}({name:?}, &[{}])", members.join(", "))
        }
        "list" => {
            let element = model.config.lists.get(name).map(String::as_str);
            let element =
                element.or_else(|| json["member"]["locationName"].as_str()).filter(|name| *name != "member");
            let flattened = json["flattened"] == true;
            if element.is_none() && !flattened {
                return Ok(format!("Shape::list({name:?}, &{}, {bounds})", target("member")));
            }
            let element = text(element);
            format!("Shape::xml_list({name:?}, &{}, {bounds}, {element}, {flattened})", target("member"))
        }
        "map" => map(model, name, json, &bounds),
        "string" | "character" if model.is_enum(name) => {
            if model.config.tables_only || model.config.external.contains_key(name) {
                let values: Vec<&str> =
                    json["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                return Ok(format!("Shape::one_of({name:?}, &{values:?})"));
            }
            let rust = model.rust_name(name).unwrap_or(name);
            format!("Shape::one_of({name:?}, super::super::{rust}::VALUES)")
        }
        "string" | "character" => {
            let pattern = json["pattern"].as_str().and_then(|pattern| patterns.get(pattern));
            let pattern =
                pattern.map_or_else(|| "None".to_owned(), |pattern| format!("Some(&pattern::{pattern})"));
            format!("Shape::string({name:?}, {bounds}, {pattern})")
        }
        "integer" => format!("Shape::new({name:?}, Kind::Integer({bounds}))"),
        "long" => format!("Shape::new({name:?}, Kind::Long({bounds}))"),
        "float" | "double" => format!("Shape::new({name:?}, Kind::Float({}))", self::bounds(json, true)),
        "boolean" => format!("Shape::new({name:?}, Kind::Boolean)"),
        "blob" => format!("Shape::new({name:?}, Kind::Blob({bounds}))"),
        "timestamp" => {
            let format =
                timestamp_format(json)?.map_or_else(|| "None".to_owned(), |format| format!("Some({format})"));
            format!("Shape::timestamp({name:?}, {format})")
        }
        other => bail!("{name} has the unknown type {other}"),
    })
}

fn map(model: &Model<'_>, name: &str, json: &Value, bounds: &str) -> String {
    let target = |of: &str| names::constant(json[of]["shape"].as_str().unwrap_or_default());
    let own = model.config.maps.get(name);
    let flattened = json["flattened"] == true;
    let key_name =
        own.map(|own| own[1].as_str()).or_else(|| json["key"]["locationName"].as_str()).unwrap_or("key");
    let value_name =
        own.map(|own| own[2].as_str()).or_else(|| json["value"]["locationName"].as_str()).unwrap_or("value");
    let (key, value) = (target("key"), target("value"));
    if own.is_none() && !flattened && key_name == "key" && value_name == "value" {
        return format!("Shape::map({name:?}, &{key}, &{value}, {bounds})");
    }
    let entry = text(own.map(|own| own[0].as_str()));
    format!(
        "Shape::xml_map({name:?}, (&{key}, &{value}), {bounds}, ({entry}, {key_name:?}, {value_name:?}), {flattened})"
    )
}

fn bounds(json: &Value, float: bool) -> String {
    let number = |key: &str| -> Option<String> {
        let value = &json[key];
        if float { value.as_f64().map(|n| format!("{n:?}")) } else { value.as_i64().map(|n| n.to_string()) }
    };
    // A minimal length of zero says nothing, except for numbers.
    let counts = matches!(json["type"].as_str(), Some("string" | "list" | "map" | "blob"));
    let min = number("min").filter(|min| !(counts && min == "0"));
    match (min, number("max")) {
        (None, None) => "Bounds::ANY".to_owned(),
        (Some(min), None) => format!("Bounds::min({min})"),
        (None, Some(max)) => format!("Bounds::max({max})"),
        (Some(min), Some(max)) => format!("Bounds::range({min}, {max})"),
    }
}

fn timestamp_format(json: &Value) -> Result<Option<&'static str>> {
    Ok(match json["timestampFormat"].as_str() {
        None => None,
        Some("iso8601") => Some("TimestampFormat::Iso8601"),
        Some("rfc822") => Some("TimestampFormat::HttpDate"),
        Some("unixTimestamp") => Some("TimestampFormat::EpochSeconds"),
        Some(other) => bail!("the time stamp format {other} is unknown"),
    })
}

fn member(model: &Model<'_>, shape: &str, name: &str, json: &Value) -> String {
    let target = names::constant(json["shape"].as_str().unwrap_or_default());
    let mut out = format!("Member::new({name:?}, &{target})");
    if model.is_required(shape, name) {
        out.push_str(".required()");
    }
    let payload = model.shape(shape)["payload"] == name;
    let location = match json["location"].as_str() {
        Some("header") => Some("Header"),
        Some("headers") => Some("Headers"),
        Some("uri") => Some("Uri"),
        Some("querystring") => Some("QueryString"),
        Some("statusCode") => Some("StatusCode"),
        _ => payload.then_some("Payload"),
    };
    if let Some(location) = location {
        let _ = write!(out, ".at(Location::{location})");
    }
    if let Some(wire) = json["locationName"].as_str().filter(|wire| *wire != name) {
        let _ = write!(out, ".named({wire:?})");
    }
    for (key, call) in
        [("flattened", "flattened"), ("xmlAttribute", "attribute"), ("idempotencyToken", "token")]
    {
        if json[key] == true {
            let _ = write!(out, ".{call}()");
        }
    }
    out
}
