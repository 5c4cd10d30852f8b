//! What a target gets besides its input: a group for a queue, path, headers and query for an HTTP endpoint.

use std::collections::BTreeMap;

use asl::jsonpath::Path;
use base::{Document, Fault};
use serde_json::{Value, json};

use crate::api::{HttpParameters, Target};
use crate::connection::check_header;
use crate::fault;

/// A target's parameters, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Parameters {
    /// The same for every event; null if there are none.
    Fixed(Document),
    /// Of an HTTP endpoint.
    Http(Http),
}

/// `HttpParameters`. A value that begins with `$.` is a path into the event.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    path: Vec<Part>,
    headers: BTreeMap<String, Part>,
    query: BTreeMap<String, Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Path(Path),
}

impl Parameters {
    /// Compiles what [`crate::target`] has checked to fit the target.
    pub(crate) fn compile(target: &Target) -> Result<Parameters, Fault> {
        if let Some(http) = &target.http_parameters {
            return Http::compile(http, &target.id).map(Parameters::Http);
        }
        let group = target.sqs_parameters.as_ref().and_then(|sqs| sqs.message_group_id.as_ref());
        Ok(Parameters::Fixed(group.map_or(Value::Null, |group| json!({ "MessageGroupId": group }))))
    }

    /// Whether [`Parameters::make`] reads the event.
    pub(crate) fn reads_event(&self) -> bool {
        matches!(self, Parameters::Http(_))
    }

    /// What goes with the delivery of an event.
    pub(crate) fn make(&self, event: &Value) -> Document {
        match self {
            Parameters::Fixed(parameters) => parameters.clone(),
            Parameters::Http(http) => {
                let map = |parts: &BTreeMap<String, Part>| -> BTreeMap<String, String> {
                    parts.iter().map(|(name, part)| (name.clone(), part.fill(event))).collect()
                };
                let path: Vec<String> = http.path.iter().map(|part| part.fill(event)).collect();
                json!({
                    "PathParameterValues": path,
                    "HeaderParameters": map(&http.headers),
                    "QueryStringParameters": map(&http.query),
                })
            }
        }
    }
}

impl Http {
    fn compile(given: &HttpParameters, target: &str) -> Result<Http, Fault> {
        let map = |parts: &Option<BTreeMap<String, String>>| -> Result<BTreeMap<String, Part>, Fault> {
            let parts = parts.iter().flatten();
            parts.map(|(name, text)| Ok((name.clone(), Part::parse(text, target)?))).collect()
        };
        let path = given.path_parameter_values.iter().flatten();
        for name in given.header_parameters.iter().flat_map(|headers| headers.keys()) {
            check_header(name)?;
        }
        Ok(Http {
            path: path.map(|text| Part::parse(text, target)).collect::<Result<_, _>>()?,
            headers: map(&given.header_parameters)?,
            query: map(&given.query_string_parameters)?,
        })
    }
}

impl Part {
    fn parse(text: &str, target: &str) -> Result<Part, Fault> {
        if !text.starts_with("$.") && text != "$" {
            return Ok(Part::Text(text.to_owned()));
        }
        Path::parse(text).map(Part::Path).map_err(|_| {
            fault::invalid(format!("HttpParameters of target {target} has an invalid JSON path: {text}"))
        })
    }

    /// Text as it is, anything else as JSON; what is not there leaves nothing.
    fn fill(&self, event: &Value) -> String {
        match self {
            Part::Text(text) => text.clone(),
            Part::Path(path) => match path.select(event).value().as_deref() {
                None => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            },
        }
    }
}
