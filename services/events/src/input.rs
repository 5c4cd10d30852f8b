//! What a target gets: the event, a constant, a part of the event, or a template filled from it.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>

use asl::jsonpath::Path;
use base::template::{self, Piece, Template};
use base::{Fault, Timestamp};
use serde_json::Value;

use crate::api::Target;
use crate::fault;

/// The most variables of a transformer.
const VARIABLES_MAX: usize = 100;

/// A target's input, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The event as it came.
    Event,
    /// The same for every event.
    Constant(String),
    /// A part of the event.
    Part(Path),
    /// A template.
    Template(Template<Source>),
}

/// Where a variable of a template comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Path(Path),
    RuleArn,
    RuleName,
    IngestionTime,
    EventWithoutDetail,
    Event,
}

/// What a template is filled from besides the event.
pub(crate) struct Context<'a> {
    pub rule_arn: &'a str,
    pub rule_name: &'a str,
    pub ingested_at: Timestamp,
}

impl Input {
    /// Compiles a target's input settings, of which at most one may be given.
    pub(crate) fn compile(target: &Target) -> Result<Input, Fault> {
        let given = [target.input.is_some(), target.input_path.is_some(), target.input_transformer.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            let message = format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
                target.id
            );
            return Err(fault::invalid(message));
        }
        if let Some(constant) = &target.input {
            serde_json::from_str::<serde::de::IgnoredAny>(constant).map_err(|_| {
                fault::invalid(format!("JSON text in Input is not valid for target {}.", target.id))
            })?;
            return Ok(Input::Constant(constant.clone()));
        }
        if let Some(path) = &target.input_path {
            return Ok(if path == "$" {
                Input::Event
            } else {
                Input::Part(parse_path("InputPath", path, &target.id)?)
            });
        }
        match &target.input_transformer {
            Some(transformer) => {
                let paths = transformer.input_paths_map.clone().unwrap_or_default();
                if paths.len() > VARIABLES_MAX {
                    return Err(fault::limit_exceeded());
                }
                let mut variables = Vec::new();
                for (name, path) in &paths {
                    if name.to_ascii_lowercase().starts_with("aws") {
                        let message =
                            format!("InputPathsMap of target {} uses the reserved name {name}.", target.id);
                        return Err(fault::invalid(message));
                    }
                    variables.push((name.as_str(), parse_path("InputPathsMap", path, &target.id)?));
                }
                parse(&transformer.input_template, &variables, &target.id).map(Input::Template)
            }
            None => Ok(Input::Event),
        }
    }

    /// Whether [`Input::make`] reads the parsed event.
    pub(crate) fn reads_event(&self) -> bool {
        matches!(self, Input::Part(_) | Input::Template(_))
    }

    /// About how long a payload gets at most, for an event of so many bytes.
    pub(crate) fn bytes_max(&self, event: usize) -> usize {
        match self {
            Input::Event | Input::Part(_) => event,
            Input::Constant(text) => text.len(),
            Input::Template(template) => template.pieces().iter().fold(0, |sum, piece| match piece {
                Piece::Text(text) => sum + text.len(),
                Piece::Variable { .. } => sum + event,
            }),
        }
    }

    /// The payload for an event; `event` is the parsed `envelope`, needed only if [`Input::reads_event`].
    pub(crate) fn make(&self, envelope: &str, event: &Value, context: &Context<'_>) -> String {
        match self {
            Input::Event => envelope.to_owned(),
            Input::Constant(text) => text.clone(),
            // What is not there is an empty object, so that a target always gets JSON.
            Input::Part(path) => select(path, event).map_or_else(|| "{}".to_owned(), |part| part.to_string()),
            Input::Template(template) => template.fill(|source, quoted| {
                if quoted {
                    template::inside(source.value(envelope, event, context))
                } else {
                    source.json(envelope, event, context)
                }
            }),
        }
    }
}

fn parse(text: &str, variables: &[(&str, Path)], target: &str) -> Result<Template<Source>, Fault> {
    let template = Template::parse(text, |name| {
        if !is_name(name) {
            return Ok(None);
        }
        source_of(name, variables).map(Some).ok_or_else(|| {
            let message = format!("InputTemplate of target {target} has the variable <{name}>, which InputPathsMap does not define.");
            fault::invalid(message)
        })
    })?;
    check(&template, target)?;
    Ok(template)
}

/// Filled with anything, the template must be JSON: an object, or one or more strings.
fn check(template: &Template<Source>, target: &str) -> Result<(), Fault> {
    let sample = template.fill(|_, quoted| if quoted { "x" } else { "0" }.to_owned());
    let mut values = serde_json::Deserializer::from_str(&sample).into_iter::<serde::de::IgnoredAny>();
    if !sample.trim().is_empty() && values.all(|value| value.is_ok()) {
        return Ok(());
    }
    Err(fault::invalid(format!(
        "Invalid InputTemplate for target {target} : [it is neither JSON nor quoted text]"
    )))
}

/// Whether what stands between `<` and `>` is meant as a variable.
fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.chars().all(letters)
}

fn source_of(name: &str, variables: &[(&str, Path)]) -> Option<Source> {
    Some(match name {
        "aws.events.rule-arn" => Source::RuleArn,
        "aws.events.rule-name" => Source::RuleName,
        "aws.events.event.ingestion-time" => Source::IngestionTime,
        "aws.events.event" => Source::EventWithoutDetail,
        "aws.events.event.json" => Source::Event,
        _ => Source::Path(variables.iter().find(|(known, _)| *known == name)?.1.clone()),
    })
}

impl Source {
    fn value(&self, envelope: &str, event: &Value, context: &Context<'_>) -> Option<Value> {
        let text = |text: &str| Some(Value::from(text));
        match self {
            Source::Path(path) => select(path, event),
            Source::RuleArn => text(context.rule_arn),
            Source::RuleName => text(context.rule_name),
            Source::IngestionTime => text(&context.ingested_at.to_iso_seconds()),
            Source::Event => serde_json::from_str(envelope).ok(),
            Source::EventWithoutDetail => {
                let mut event = event.clone();
                event.as_object_mut()?.shift_remove("detail");
                Some(event)
            }
        }
    }

    /// As a JSON value of its own; what is not there is null.
    fn json(&self, envelope: &str, event: &Value, context: &Context<'_>) -> String {
        if let Source::Event = self {
            return envelope.to_owned();
        }
        template::outside(self.value(envelope, event, context))
    }
}

fn parse_path(what: &str, path: &str, target: &str) -> Result<Path, Fault> {
    Path::parse(path)
        .map_err(|_| fault::invalid(format!("{what} of target {target} has an invalid JSON path: {path}")))
}

fn select(path: &Path, event: &Value) -> Option<Value> {
    path.select(event).value().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::InputTransformer;

    const EVENT: &str = r#"{"id":"1","detail-type":"T","detail":{"state":"RUNNING","n":7,"list":["a","b"],"say":"a \"b\"","o":{"k":1}}}"#;

    fn transformed(template: &str) -> Result<String, Fault> {
        let paths: BTreeMap<String, String> = [
            ("state", "$.detail.state"),
            ("n", "$.detail.n"),
            ("list", "$.detail.list"),
            ("second", "$.detail.list[1]"),
            ("say", "$.detail.say"),
            ("o", "$.detail.o"),
            ("type", "$.detail-type"),
            ("none", "$.detail.none"),
        ]
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .into();
        let target = Target {
            id: "t".into(),
            input_transformer: Some(InputTransformer {
                input_paths_map: Some(paths),
                input_template: template.to_owned(),
            }),
            ..Target::default()
        };
        let context = Context {
            rule_arn: "arn:aws:events:r:a:rule/x",
            rule_name: "x",
            ingested_at: Timestamp::from_millis(0),
        };
        let event = serde_json::from_str(EVENT).unwrap();
        Input::compile(&target).map(|input| input.make(EVENT, &event, &context))
    }

    #[test]
    fn templates_are_filled_as_json_and_as_text() {
        for (template, expected) in [
            (r#""instance is <state>""#, r#""instance is RUNNING""#),
            (r#"{"s": <state>, "n": <n>}"#, r#"{"s": "RUNNING", "n": 7}"#),
            (r#"{"s": "<state>", "n": "no. <n>"}"#, r#"{"s": "RUNNING", "n": "no. 7"}"#),
            (r#"{"list": <list>, "one": <second>}"#, r#"{"list": ["a","b"], "one": "b"}"#),
            (r#"{"say": "he said <say>"}"#, r#"{"say": "he said a \"b\""}"#),
            (r#"{"o": "in text <o>"}"#, r#"{"o": "in text {\"k\":1}"}"#),
            (r#"{"t": <type>}"#, r#"{"t": "T"}"#),
            (r#"{"a": <none>, "b": "x<none>y"}"#, r#"{"a": null, "b": "xy"}"#),
            (
                r#"{"rule": <aws.events.rule-name>, "at": <aws.events.event.ingestion-time>}"#,
                r#"{"rule": "x", "at": "1970-01-01T00:00:00Z"}"#,
            ),
            (r#"{"bare": <aws.events.event>}"#, r#"{"bare": {"id":"1","detail-type":"T"}}"#),
            (r#""1 \< 2 is <state>""#, r#""1 < 2 is RUNNING""#),
            ("<o>", r#"{"k":1}"#),
            (r#"[<state>, <state>, <o>]"#, r#"["RUNNING", "RUNNING", {"k":1}]"#),
            (r#""list: <list>""#, r#""list: [\"a\",\"b\"]""#),
            (r#"{"arn": "<aws.events.rule-arn>"}"#, r#"{"arn": "arn:aws:events:r:a:rule/x"}"#),
            (r#"{"no": "<not a variable>"}"#, r#"{"no": "<not a variable>"}"#),
            ("\"line <n>\"\n\"line two\"", "\"line 7\"\n\"line two\""),
        ] {
            assert_eq!(transformed(template).unwrap(), expected, "{template}");
        }
        let whole = transformed(r#"{"e": <aws.events.event.json>}"#).unwrap();
        assert_eq!(whole, format!(r#"{{"e": {EVENT}}}"#));
    }

    #[test]
    fn bad_templates_are_refused() {
        for template in ["plain <state>", "{\"a\": <unknown>}", "{\"a\": ", ""] {
            assert_eq!(transformed(template).unwrap_err().code, "ValidationException", "{template}");
        }
    }

    #[test]
    fn constants_and_parts() {
        let event: Value = serde_json::from_str(EVENT).unwrap();
        let context = Context { rule_arn: "", rule_name: "", ingested_at: Timestamp::from_millis(0) };
        let make = |target: Target| Input::compile(&target).map(|input| input.make(EVENT, &event, &context));
        let with = |input: Option<&str>, path: Option<&str>| Target {
            id: "t".into(),
            input: input.map(str::to_owned),
            input_path: path.map(str::to_owned),
            ..Target::default()
        };
        assert_eq!(make(with(None, None)).unwrap(), EVENT);
        assert_eq!(make(with(Some("{\"a\":1}"), None)).unwrap(), "{\"a\":1}");
        assert_eq!(make(with(None, Some("$.detail.o"))).unwrap(), "{\"k\":1}");
        assert_eq!(make(with(None, Some("$.detail.none"))).unwrap(), "{}");
        assert!(make(with(Some("{"), None)).is_err());
        assert!(make(with(Some("1"), Some("$"))).is_err());
        assert!(make(with(None, Some("detail"))).is_err());
    }
}
