//! The rows of SQS, and queues for those that deliver into one.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Connection, Head, SQS, pause};
use super::load::{Figures, Meter, Subject};

/// How long the last deliveries may take after the last request.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A message of a plain size.
const BODY: &str = r#"{"order":"4711","customer":"c-0815","total":129.95,"currency":"EUR","items":[1,2,3]}"#;

/// A queue of a row.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    /// Its URL.
    pub(crate) url: String,
    /// Its ARN.
    pub(crate) arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes<T> {
    attributes: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Arn {
    queue_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Count {
    approximate_number_of_messages: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Received {
    #[serde(default)]
    pub(crate) messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message {
    message_id: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    #[serde(default)]
    failed: Vec<Value>,
}

/// Makes a queue into which EventBridge may send.
///
/// # Errors
/// As [`Connection::ask`].
pub(crate) async fn queue(subject: &Subject, name: &str) -> anyhow::Result<Queue> {
    let mut connection = subject.address.connect().await?;
    let ask = |operation| subject.address.head(&SQS, operation);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": "*",
    }]});
    let input = json!({"QueueName": format!("{}-{name}", subject.prefix),
        "Attributes": {"Policy": policy.to_string()}});
    let created: Created = connection.ask(&ask("CreateQueue")?, &input).await?;
    let input = json!({"QueueUrl": created.queue_url, "AttributeNames": ["QueueArn"]});
    let found: Attributes<Arn> = connection.ask(&ask("GetQueueAttributes")?, &input).await?;
    Ok(Queue { url: created.queue_url, arn: found.attributes.queue_arn })
}

/// Waits until a queue holds `count` messages. More than that is an error: something was delivered twice.
///
/// # Errors
/// The count is not reached in time, or exceeded.
pub(crate) async fn until_delivered(subject: &Subject, queue: &Queue, count: usize) -> anyhow::Result<()> {
    let mut connection = subject.address.connect().await?;
    let head = subject.address.head(&SQS, "GetQueueAttributes")?;
    let input = json!({"QueueUrl": queue.url, "AttributeNames": ["ApproximateNumberOfMessages"]});
    let until = Instant::now() + PATIENCE;
    loop {
        let found: Attributes<Count> = connection.ask(&head, &input).await?;
        let delivered: usize = found.attributes.approximate_number_of_messages.parse()?;
        match delivered.cmp(&count) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => bail!("{delivered} messages of {count} events: some came twice"),
            std::cmp::Ordering::Less if Instant::now() > until => {
                bail!("only {delivered} of {count} events were delivered")
            }
            std::cmp::Ordering::Less => pause(Duration::from_millis(10)).await,
        }
    }
}

/// Receives up to ten messages, waiting for the first.
///
/// # Errors
/// As [`Connection::ask`].
pub(crate) async fn receive(
    connection: &mut Connection,
    head: &Head,
    queue: &Queue,
    wait_seconds: u32,
) -> anyhow::Result<Vec<Message>> {
    let input = json!({"QueueUrl": queue.url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait_seconds});
    Ok(connection.ask::<Received>(head, &input).await?.messages)
}

/// Deletes messages.
///
/// # Errors
/// As [`Connection::ask`], or one could not be deleted.
pub(crate) async fn delete(
    connection: &mut Connection,
    head: &Head,
    queue: &Queue,
    messages: &[Message],
) -> anyhow::Result<()> {
    let entries: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| json!({"Id": index.to_string(), "ReceiptHandle": message.receipt_handle}))
        .collect();
    let deleted: Deleted = connection.ask(head, &json!({"QueueUrl": queue.url, "Entries": entries})).await?;
    if let Some(failed) = deleted.failed.first() {
        bail!("a message could not be deleted: {failed}");
    }
    Ok(())
}

/// SendMessage.
///
/// # Errors
/// A request failed.
pub(crate) async fn send_message(subject: &Subject) -> anyhow::Result<Figures> {
    let queue = queue(subject, "send").await?;
    let body = Bytes::from(json!({"QueueUrl": queue.url, "MessageBody": BODY}).to_string());
    subject.measure(&SQS, "SendMessage", |_| body.clone()).await
}

/// Receive(10) and DeleteMessageBatch from a queue that has enough. Each message must come once.
///
/// # Errors
/// A request failed, or a message came twice.
pub(crate) async fn receive_and_delete(subject: &Subject) -> anyhow::Result<Figures> {
    let queue = queue(subject, "receive").await?;
    let entries: Vec<_> = (0..10).map(|id| json!({"Id": id.to_string(), "MessageBody": BODY})).collect();
    let body = Bytes::from(json!({"QueueUrl": queue.url, "Entries": entries}).to_string());
    let batches = usize::try_from(subject.lasting.as_millis())?;
    subject.fill(&SQS, "SendMessageBatch", batches, |_| body.clone()).await?;
    let mut connections = subject.connect_all().await?;
    let until = Instant::now() + subject.lasting;
    let meter = Meter::start(subject);
    let drains: FuturesUnordered<_> =
        connections.iter_mut().map(|connection| drain(subject, connection, &queue, until)).collect();
    let ids: Vec<String> = drains.try_concat().await?;
    let figures = meter.stop(ids.len());
    let distinct = ids.iter().collect::<HashSet<_>>().len();
    if distinct != ids.len() {
        bail!("{} messages came twice", ids.len() - distinct);
    }
    Ok(figures)
}

async fn drain(
    subject: &Subject,
    connection: &mut Connection,
    queue: &Queue,
    until: Instant,
) -> anyhow::Result<Vec<String>> {
    let to_receive = subject.address.head(&SQS, "ReceiveMessage")?;
    let to_delete = subject.address.head(&SQS, "DeleteMessageBatch")?;
    let mut ids = Vec::new();
    while Instant::now() < until {
        let messages = receive(connection, &to_receive, queue, 0).await?;
        if messages.is_empty() {
            break;
        }
        delete(connection, &to_delete, queue, &messages).await?;
        ids.extend(messages.into_iter().map(|message| message.message_id));
    }
    Ok(ids)
}
