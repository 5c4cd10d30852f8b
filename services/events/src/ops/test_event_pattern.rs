use kernel::{Result, Tx};
use pattern::Pattern;

use crate::api::{TestEventPatternInput, TestEventPatternOutput};
use crate::fault;

/// What an event has at least.
const REQUIRED: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];

/// Whether a pattern matches an event.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html>
pub(crate) async fn test_event_pattern(
    _: &mut Tx,
    input: TestEventPatternInput,
) -> Result<TestEventPatternOutput> {
    let pattern =
        Pattern::parse(&input.event_pattern).map_err(|invalid| fault::invalid_pattern(&invalid.message))?;
    let event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&input.event)
        .map_err(|_| fault::invalid("Parameter Event is not valid. Reason: Event is not a JSON object."))?;
    if let Some(name) = REQUIRED.iter().find(|name| !event.contains_key(**name)) {
        return Err(
            fault::invalid_parameter("Event", &format!("Event must contain the field {name}.")).into()
        );
    }
    let matched =
        pattern.matches(&input.event).map_err(|invalid| fault::invalid_parameter("Event", invalid.reason))?;
    Ok(TestEventPatternOutput { result: Some(matched) })
}
