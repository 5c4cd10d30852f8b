use kernel::{Result, Tx};

use crate::api::{GetDiscoveredSchemaInput, GetDiscoveredSchemaOutput, Type};
use crate::content;
use crate::fault;
use crate::infer::Shape;
use crate::ops::discover::Seen;

/// The schema that a discoverer would make of these events, which are of one source and detail type. Nothing is kept.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discover.html>
pub(crate) async fn get_discovered_schema(
    _tx: &mut Tx,
    input: GetDiscoveredSchemaInput,
) -> Result<GetDiscoveredSchemaOutput> {
    let parse = |text: &String| {
        serde_json::from_str::<Seen>(text)
            .map_err(|error| fault::bad_request(format!("Events has a text that is no event: {error}.")))
    };
    let events: Vec<Seen> = input.events.iter().map(parse).collect::<Result<_, _>>()?;
    let Some(first) = events.first() else {
        return Err(fault::bad_request("Events must have at least one event.").into());
    };
    if events.iter().any(|event| (&event.source, &event.detail_type) != (&first.source, &first.detail_type)) {
        return Err(fault::bad_request("Events must be of one source and detail-type.").into());
    }
    let shape = events.iter().map(|event| Shape::of(&event.detail)).reduce(Shape::or).unwrap_or_default();
    let document = shape.document(&first.source, &first.detail_type).to_string();
    let content = match input.r#type {
        Type::OpenApi3 => document,
        Type::JSONSchemaDraft4 => content::to_draft_4(Type::OpenApi3, &document)?.to_string(),
    };
    Ok(GetDiscoveredSchemaOutput { content: Some(content) })
}
