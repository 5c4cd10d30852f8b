//! A stand-in for SQS: where tests of other services see what they deliver.
//!
//! It takes queues' ARNs as targets and serves `CreateQueue`, `GetQueueUrl`, `SendMessage` and `ReceiveMessage` with
//! what those tests need: order, message attributes, visibility. It checks nothing, and nothing of its behaviour is
//! evidence for the real service.

use std::time::Duration;

use base::schema::{ErrorSchema, Kind, OperationSchema, Protocol, ServiceSchema, Shape, ValidationStyle};
use base::{Arn, Document, Fault, Timestamp};
use kernel::{Call, Delivery, Operation, Parts, Result, Service, TargetKind, Tx};
use serde_json::{Map, json};

static ANY: Shape = Shape::new("Any", Kind::Document);

static SERVICE: ServiceSchema = ServiceSchema {
    signing_name: "sqs",
    endpoint_prefix: "sqs",
    service_id: "SQS",
    target_prefix: None,
    protocols: &[Protocol::AwsJson],
    json_version: "1.0",
    api_version: "2012-11-05",
    xml_namespace: None,
    query_compatible: false,
    error_namespace: None,
    validation: ValidationStyle::Listed { code: "ValidationException" },
    operations: &[],
    all_operations: &[],
    all_routes: &[],
    errors: &[] as &[ErrorSchema],
};

macro_rules! operations {
    ($($name:ident),* $(,)?) => {$(
        struct $name;

        impl Operation for $name {
            type Input = Document;
            type Output = Document;
            const SCHEMA: &'static OperationSchema = &OperationSchema {
                service: &SERVICE,
                name: stringify!($name),
                http_method: "POST",
                uri: "/",
                success_status: 200,
                input: &ANY,
                output: &ANY,
                result_wrapper: None,
                input_element: None,
                has_output: true,
            };
        }
    )*};
}

operations!(CreateQueue, GetQueueUrl, SendMessage, ReceiveMessage);

kernel::keys! {
    /// A queue.
    struct QueueKey(1) -> () { name: String }
    /// A message as it was sent, in the order of its visibility.
    struct MessageKey(2, large) -> String { queue: String, visible_at: Timestamp, seq: u64, salt: u64 }
}

/// Queues by their ARN.
const QUEUE: TargetKind = TargetKind {
    service: "sqs",
    name: "SQS queue",
    serves: |arn| !arn.resource.contains(['/', ':']),
    call,
    at_once: |_| false,
};

/// The stand-in, under SQS's name.
pub fn service() -> Service {
    Service::new(&SERVICE)
        .transact::<CreateQueue, _>(create_queue)
        .transact::<GetQueueUrl, _>(get_queue_url)
        .transact::<SendMessage, _>(send_message)
        .transact::<ReceiveMessage, _>(receive_message)
        .targets(&[QUEUE])
}

async fn create_queue(tx: &mut Tx, input: Document) -> Result<Document> {
    let name = text(&input, "QueueName");
    tx.put(&QueueKey { name: name.clone() }, &())?;
    Ok(json!({ "QueueUrl": url(tx, &name) }))
}

async fn get_queue_url(tx: &mut Tx, input: Document) -> Result<Document> {
    let name = existing(tx, &text(&input, "QueueName")).await?;
    Ok(json!({ "QueueUrl": url(tx, &name) }))
}

async fn send_message(tx: &mut Tx, input: Document) -> Result<Document> {
    let queue = existing(tx, &text(&input, "QueueUrl")).await?;
    let id = tx.id().to_string();
    let mut message = Map::from_iter([
        ("MessageId".to_owned(), json!(id)),
        ("ReceiptHandle".to_owned(), json!(id)),
        ("Body".to_owned(), input["MessageBody"].clone()),
    ]);
    if let Some(attributes) = input.get("MessageAttributes") {
        message.insert("MessageAttributes".to_owned(), attributes.clone());
    }
    let own = ["MessageGroupId", "MessageDeduplicationId"].map(|name| (name.to_owned(), input[name].clone()));
    let own: Map<_, _> = own.into_iter().filter(|(_, value)| !value.is_null()).collect();
    message.insert("Attributes".to_owned(), Document::Object(own));
    let key = MessageKey { queue, visible_at: tx.now(), seq: tx.seq(), salt: tx.random() };
    tx.put(&key, &Document::Object(message).to_string())?;
    Ok(json!({ "MessageId": id }))
}

/// Takes what is visible and hides it for `VisibilityTimeout` seconds, 30 if there is none.
async fn receive_message(tx: &mut Tx, input: Document) -> Result<Document> {
    let queue = existing(tx, &text(&input, "QueueUrl")).await?;
    let most = input["MaxNumberOfMessages"].as_u64().unwrap_or(1);
    let hidden = Duration::from_secs(input["VisibilityTimeout"].as_u64().unwrap_or(30));
    let rows = tx.scan::<MessageKey>(Parts::of(&queue), usize::try_from(most).unwrap_or(10)).await?;
    let mut messages = Vec::new();
    let now = tx.now();
    for (key, message) in rows.into_iter().filter(|(key, _)| key.visible_at <= now) {
        // Guarded, so that two receivers do not take the same message.
        tx.get(&key).await?;
        tx.delete(&key);
        tx.put(&MessageKey { visible_at: now + hidden, ..key }, &message)?;
        messages.push(serde_json::from_str::<Document>(&message)?);
    }
    Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
}

/// The name in a queue's URL or ARN, or what is its name already, if there is such a queue.
async fn existing(tx: &mut Tx, queue: &str) -> Result<String> {
    let name = queue.rsplit(['/', ':']).next().unwrap_or(queue).to_owned();
    match tx.get(&QueueKey { name: name.clone() }).await? {
        Some(()) => Ok(name),
        None => Err(Fault::new("QueueDoesNotExist", "The specified queue does not exist.").into()),
    }
}

fn url(tx: &Tx, name: &str) -> String {
    format!("{}/{}/{name}", tx.endpoint(), tx.scope().account)
}

fn text(input: &Document, member: &str) -> String {
    input[member].as_str().unwrap_or_default().to_owned()
}

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let mut input = json!({ "QueueUrl": arn.to_string(), "MessageBody": delivery.payload });
    let attributes: Map<String, Document> = delivery
        .attributes
        .into_iter()
        .map(|(name, value)| (name, json!({ "DataType": "String", "StringValue": value })))
        .collect();
    if !attributes.is_empty() {
        input["MessageAttributes"] = Document::Object(attributes);
    }
    if let Some(group) = delivery.parameters.get("MessageGroupId") {
        input["MessageGroupId"] = group.clone();
    }
    Call::new("sqs", "SendMessage", &input).map_err(|error| Fault::validation(error.to_string()))
}
