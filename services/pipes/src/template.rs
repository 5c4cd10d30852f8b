//! Input templates: what an enrichment or a target is given instead of the event.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>

use asl::jsonpath::Path;
use base::{Timestamp, template};
use serde_json::Value;

/// A template.
#[derive(Clone, Debug)]
pub(crate) struct Template(template::Template<Origin>);

#[derive(Clone, Debug)]
enum Origin {
    Path(Path),
    PipeArn,
    PipeName,
    SourceArn,
    EnrichmentArn,
    TargetArn,
    IngestionTime,
    Event,
    EventJson,
}

/// What a template is filled from besides the event.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub pipe_arn: String,
    pub pipe_name: String,
    pub source_arn: String,
    pub enrichment_arn: String,
    pub target_arn: String,
}

impl Template {
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        // A name that could be one and is none is refused; anything else between `<` and `>` is text.
        let meant = |name: &str| name.starts_with('$') || name.starts_with("aws.pipes.");
        let source = |name: &str| if meant(name) { Origin::parse(name).map(Some) } else { Ok(None) };
        template::Template::parse(text, source).map(Template)
    }

    /// The template filled for an event: JSON if that is what comes of it, otherwise text, into which values go as text,
    /// too. `view` is the event with its JSON texts parsed, where paths look.
    pub(crate) fn fill(&self, event: &Value, view: &Value, context: &Context, now: Timestamp) -> Value {
        let value = |source: &Origin| source.value(event, view, context, now);
        let as_json = self.0.fill(|source, quoted| {
            let value = value(source);
            if quoted { template::inside(value) } else { template::outside(value) }
        });
        match serde_json::from_str(&as_json) {
            Ok(filled) => filled,
            Err(_) => Value::String(self.0.fill(|source, _| template::plain(value(source)))),
        }
    }
}

impl Origin {
    fn parse(name: &str) -> Result<Origin, String> {
        Ok(match name {
            "aws.pipes.pipe-arn" => Origin::PipeArn,
            "aws.pipes.pipe-name" => Origin::PipeName,
            "aws.pipes.source-arn" => Origin::SourceArn,
            "aws.pipes.enrichment-arn" => Origin::EnrichmentArn,
            "aws.pipes.target-arn" => Origin::TargetArn,
            "aws.pipes.event.ingestion-time" => Origin::IngestionTime,
            "aws.pipes.event" => Origin::Event,
            "aws.pipes.event.json" => Origin::EventJson,
            _ if name.starts_with("aws.pipes.") => return Err(format!("<{name}> is no reserved variable.")),
            _ => Origin::Path(Path::parse(name).map_err(|_| format!("<{name}> has no valid JSON path."))?),
        })
    }

    fn value(&self, event: &Value, view: &Value, context: &Context, now: Timestamp) -> Option<Value> {
        let text = |text: &str| Some(Value::from(text));
        match self {
            Origin::Path(path) => path.select(view).value().map(std::borrow::Cow::into_owned),
            Origin::PipeArn => text(&context.pipe_arn),
            Origin::PipeName => text(&context.pipe_name),
            Origin::SourceArn => text(&context.source_arn),
            Origin::EnrichmentArn => text(&context.enrichment_arn),
            Origin::TargetArn => text(&context.target_arn),
            Origin::IngestionTime => text(&now.to_iso_millis()),
            Origin::Event => Some(event.clone()),
            Origin::EventJson => Some(view.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_filled() {
        let event = json!({ "messageId": "m", "body": "{\"n\":7,\"say\":\"a \\\"b\\\"\",\"list\":[1,2]}" });
        let view = json!({ "messageId": "m", "body": { "n": 7, "say": "a \"b\"", "list": [1, 2] } });
        let context = Context {
            pipe_arn: "arn:pipe".into(),
            pipe_name: "p".into(),
            source_arn: "arn:source".into(),
            enrichment_arn: "arn:enrichment".into(),
            target_arn: "arn:target".into(),
        };
        let at = Timestamp::from_millis(1_500);
        for (template, expected) in [
            (r#"{"n": <$.body.n>, "id": <$.messageId>}"#, json!({ "n": 7, "id": "m" })),
            (r#"{"n": "no. <$.body.n>"}"#, json!({ "n": "no. 7" })),
            (r#"{"s": "he said <$.body.say>"}"#, json!({ "s": "he said a \"b\"" })),
            (r#"{"l": <$.body.list>, "o": <$.body.list[1]>}"#, json!({ "l": [1, 2], "o": 2 })),
            (r#"{"x": <$.none>, "y": "a<$.none>b"}"#, json!({ "x": null, "y": "ab" })),
            (
                r#""<aws.pipes.pipe-name> <aws.pipes.event.ingestion-time>""#,
                json!("p 1970-01-01T00:00:01.500Z"),
            ),
            ("<aws.pipes.event>", event.clone()),
            ("<aws.pipes.event.json>", view.clone()),
            ("plain <$.messageId> text < 3", json!("plain m text < 3")),
            (
                r#"[<aws.pipes.pipe-arn>, <aws.pipes.source-arn>, <aws.pipes.enrichment-arn>, <aws.pipes.target-arn>]"#,
                json!(["arn:pipe", "arn:source", "arn:enrichment", "arn:target"]),
            ),
        ] {
            let filled = Template::parse(template).unwrap().fill(&event, &view, &context, at);
            assert_eq!(filled, expected, "{template}");
        }
        for template in ["<aws.pipes.nothing>", "<$.a[>"] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
    }
}
