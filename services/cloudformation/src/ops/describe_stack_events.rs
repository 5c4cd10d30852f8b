//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html>

use base::Document;
use base::schema::OperationSchema;
use kernel::{Direction, Operation, Result, Tx};
use store::Version;
use store::log::Position;

use super::PAGE;
use crate::api::{self, DescribeStackEventsInput, DescribeStackEventsOutput, StackEvent};
use crate::keys::EventKey;
use crate::record::Event;
use crate::stack::{self, Stack, invalid};

/// The operation with its answer as a document: AWS's answers name statuses of stacks
/// (`UPDATE_COMPLETE_CLEANUP_IN_PROGRESS`) that the model's enumeration of resource statuses lacks.
pub(crate) struct DescribeStackEvents;

impl Operation for DescribeStackEvents {
    type Input = DescribeStackEventsInput;
    type Output = Document;
    const SCHEMA: &'static OperationSchema = api::DescribeStackEvents::SCHEMA;
}

/// What has happened to the stack, newest first.
pub(crate) async fn describe_stack_events(tx: &mut Tx, input: DescribeStackEventsInput) -> Result<Document> {
    let stack = stack::seek(tx, &input.stack_name).await?;
    let missing = || invalid(format!("Stack [{}] does not exist", input.stack_name));
    let stack = stack.ok_or_else(missing)?;
    let before = match &input.next_token {
        None => Position { version: Version(u64::MAX), index: u16::MAX },
        Some(token) => position(token).ok_or_else(|| invalid("NextToken is invalid"))?,
    };
    let log = EventKey { stack: stack.id.clone() };
    let records = tx.read_log(&log, before, PAGE, Direction::Backward).await?;
    let next_token = match records.last() {
        Some((Position { version, index }, _)) if records.len() == PAGE => {
            Some(format!("{}-{index}", version.0))
        }
        _ => None,
    };
    let (statuses, events): (Vec<Document>, Vec<StackEvent>) =
        records.into_iter().map(|(_, event)| (event.status.as_str().into(), describe(&stack, event))).unzip();
    let output = DescribeStackEventsOutput { stack_events: Some(events), next_token };
    let mut document = serde_json::to_value(output)?;
    for (index, status) in statuses.into_iter().enumerate() {
        document["StackEvents"][index]["ResourceStatus"] = status;
    }
    Ok(document)
}

fn position(token: &str) -> Option<Position> {
    let (version, index) = token.split_once('-')?;
    Some(Position { version: Version(version.parse().ok()?), index: index.parse().ok()? })
}

fn describe(stack: &Stack, event: Event) -> StackEvent {
    StackEvent {
        stack_id: stack.arn.clone(),
        event_id: event.id,
        stack_name: stack.name.clone(),
        logical_resource_id: Some(event.logical_id),
        physical_resource_id: Some(event.physical_id),
        resource_type: Some(event.kind),
        timestamp: event.at,
        resource_status_reason: event.reason,
        resource_properties: event.properties,
        client_request_token: event.token,
        ..StackEvent::default()
    }
}
