//! What has happened: the stack's log, and the events that go to the default bus and to the stack's topics.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-ref.html> and
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html>

use std::time::Duration;

use base::Timestamp;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{ResourceStatus, StackStatus};
use crate::keys::{EventKey, TickKey};
use crate::notify::notify;
use crate::provider::Properties;
use crate::resource::Resource;
use crate::stack::Stack;

/// An entry of a stack's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub at: Timestamp,
    pub logical_id: String,
    pub physical_id: String,
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
    /// JSON text; left out where it is long.
    pub properties: Option<String>,
    pub token: Option<String>,
}
store::stored!(Event, format = 1);

/// When the newest entry of a log was written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Tick(Timestamp);
store::stored!(Tick, format = 1);

/// The time of the next entry. The times of a stack's entries rise strictly, because clients sort by them.
async fn tick(tx: &mut Tx, stack: &Stack) -> Result<Timestamp> {
    let key = TickKey { stack: stack.id.clone() };
    let last = tx.get(&key).await?;
    let now = tx.now();
    let at = last.map_or(now, |Tick(last)| now.max(last + Duration::from_millis(1)));
    tx.put(&key, &Tick(at))?;
    Ok(at)
}

/// Properties longer than this are not repeated in the log.
const PROPERTIES_BYTES_MAX: usize = 16_384;
/// The type of a stack itself in its log.
pub(crate) const STACK: &str = "AWS::CloudFormation::Stack";

/// Gives the stack a status and tells it to the log and the bus.
pub(crate) async fn stack(
    tx: &mut Tx,
    stack: &mut Stack,
    status: StackStatus,
    reason: Option<String>,
) -> Result<()> {
    stack.status = status;
    stack.reason = reason.clone();
    let at = tick(tx, stack).await?;
    let event = Event {
        id: tx.id().to_string(),
        at,
        logical_id: stack.name.clone(),
        physical_id: stack.arn.clone(),
        kind: STACK.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.clone(),
        properties: None,
        token: stack.token.clone(),
    };
    tx.append(&EventKey { stack: stack.id.clone() }, &event)?;
    notify(tx, stack, &event)?;
    tx.note("stack status", &stack.arn, Some(json!({ "status": status, "reason": reason })));
    let detail = json!({
        "stack-id": stack.arn,
        "status-details": { "status": status, "status-reason": reason.unwrap_or_default() },
        "client-request-token": stack.token.clone().unwrap_or_default(),
    });
    publish(tx, stack, "CloudFormation Stack Status Change", &detail)
}

/// What is told of a resource.
pub(crate) struct Entry<'e> {
    pub logical_id: &'e str,
    pub kind: &'e str,
    pub physical_id: &'e str,
    pub status: ResourceStatus,
    pub reason: Option<String>,
    pub properties: Option<&'e Properties>,
}

/// Tells the log and the bus of a resource.
pub(crate) async fn resource(tx: &mut Tx, stack: &Stack, entry: Entry<'_>) -> Result<()> {
    let Entry { logical_id, kind, physical_id, status, reason, properties } = entry;
    let properties = properties.and_then(|properties| serde_json::to_string(properties).ok());
    let at = tick(tx, stack).await?;
    let event = Event {
        id: format!("{logical_id}-{status}-{}", at.to_iso_millis()),
        at,
        logical_id: logical_id.to_owned(),
        physical_id: physical_id.to_owned(),
        kind: kind.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.clone(),
        properties: properties.filter(|text| text.len() <= PROPERTIES_BYTES_MAX),
        token: stack.token.clone(),
    };
    tx.append(&EventKey { stack: stack.id.clone() }, &event)?;
    notify(tx, stack, &event)?;
    let detail = json!({
        "stack-id": stack.arn,
        "logical-resource-id": logical_id,
        "physical-resource-id": physical_id,
        "status-details": { "status": status, "status-reason": reason.unwrap_or_default() },
        "resource-type": kind,
        "client-request-token": stack.token.clone().unwrap_or_default(),
    });
    publish(tx, stack, "CloudFormation Resource Status Change", &detail)
}

/// Gives a resource a status, and tells the log and the bus of it as it stands, or as it is being made.
pub(crate) async fn change(
    tx: &mut Tx,
    stack: &Stack,
    (logical_id, resource): (&str, &mut Resource),
    status: ResourceStatus,
    reason: Option<String>,
) -> Result<()> {
    resource.status = status;
    resource.reason.clone_from(&reason);
    resource.changed_at = tx.now();
    let target = resource.doing.as_ref().map(|doing| &doing.target).or(resource.standing.as_ref());
    let made = target.filter(|target| !target.id.is_empty()).or(resource.standing.as_ref());
    let entry = Entry {
        logical_id,
        kind: &resource.kind,
        physical_id: made.map_or("", |made| &made.id),
        status,
        reason,
        properties: target.map(crate::resource::Standing::shown),
    };
    self::resource(tx, stack, entry).await
}

fn publish(tx: &mut Tx, stack: &Stack, detail_type: &str, detail: &serde_json::Value) -> Result<()> {
    tx.emit(kernel::Event {
        source: "aws.cloudformation".to_owned(),
        detail_type: detail_type.to_owned(),
        resources: vec![stack.arn.clone()],
        detail: detail.to_string(),
        order: Some(stack.arn.clone()),
        begins_order: false,
    })?;
    Ok(())
}
