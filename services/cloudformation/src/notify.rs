//! Topics that are told of everything that happens to a stack.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html>, notification options.

use kernel::{Call, NewTask, Result, RetryPolicy, RetryWhen, Tx};
use serde_json::json;

use crate::record::Event;
use crate::stack::Stack;

/// A topic that is gone is told once; a service that is down, for half a minute.
const RETRY: RetryPolicy = RetryPolicy {
    retries_max: 8,
    age_ms_max: u64::MAX,
    backoff_ms: 200,
    backoff_ms_max: 10_000,
    when: RetryWhen::ServiceFault,
};

/// Tells the stack's topics, in the order of what happens.
pub(crate) fn notify(tx: &mut Tx, stack: &Stack, event: &Event) -> Result<()> {
    for topic in &stack.settings.notification_arns {
        let input = json!({
            "TopicArn": topic,
            "Subject": "AWS CloudFormation Notification",
            "Message": message(stack, event),
        });
        let task = NewTask {
            retry: RETRY,
            order: Some(format!("{}{topic}", stack.arn)),
            note: Some(topic.clone()),
            ..NewTask::new(Call::new("sns", "Publish", &input)?)
        };
        let now = tx.now();
        tx.enqueue(now, task)?;
    }
    Ok(())
}

/// One line for each member, quoted.
fn message(stack: &Stack, event: &Event) -> String {
    let account = stack.arn.split(':').nth(4).unwrap_or_default();
    let lines = [
        ("StackId", stack.arn.as_str()),
        ("Timestamp", &event.at.to_iso_millis()),
        ("EventId", &event.id),
        ("LogicalResourceId", &event.logical_id),
        ("Namespace", account),
        ("PhysicalResourceId", &event.physical_id),
        ("ResourceProperties", event.properties.as_deref().unwrap_or("null")),
        ("ResourceStatus", &event.status),
        ("ResourceStatusReason", event.reason.as_deref().unwrap_or_default()),
        ("ResourceType", &event.kind),
        ("StackName", &stack.name),
        ("ClientRequestToken", event.token.as_deref().unwrap_or("null")),
    ];
    lines.map(|(name, value)| format!("{name}='{value}'\n")).concat()
}
