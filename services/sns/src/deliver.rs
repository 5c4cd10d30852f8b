//! From a message to its deliveries: one task for each subscription whose filter lets it pass.

use base::{Arn, Fault, Timestamp};
use kernel::{Call, DeadLetter, DeadLetterStyle, Delivery, NewTask, Outcome, Reply, ReplyInput, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::envelope::{self, Place};
use crate::http::{DELIVER, Deliver};
use crate::message::Message;
use crate::retry;
use crate::subscription::{self, Protocol, Subscription};
use crate::topic::Topic;

/// The internal operation that learns of deliveries whose dead-letter queue is a FIFO queue.
pub(crate) const UNDELIVERED: &str = "Undelivered";

/// The most subscriptions of a topic: they are read at once where all of them are looked at.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 1_000;

/// What a delivery takes in the store besides its message: the rest of its task, and its place on the trace.
const OVERHEAD_BYTES: usize = 1_000;

/// A message on its way to the subscriptions of its topic.
pub(crate) struct Sent<'a> {
    pub topic_arn: &'a Arn,
    pub topic: &'a Topic,
    pub message: &'a Message,
    /// When it was published.
    pub at: Timestamp,
}

/// Enqueues the delivery to a subscription, if it is confirmed and its filter lets the message pass. How much of the
/// commit that takes, in bytes.
pub(crate) fn give(tx: &mut Tx, sent: &Sent<'_>, id: Uuid, subscription: &Subscription) -> Result<usize> {
    if subscription.token.is_some() {
        return Ok(0);
    }
    let arn = subscription::arn(sent.topic_arn, id);
    let filter = subscription.settings.filter()?;
    if filter.is_some_and(|filter| !filter.passes(sent.message)) {
        tx.fact("filtered out", &arn, None);
        return Ok(OVERHEAD_BYTES);
    }
    let endpoint = tx.endpoint().to_owned();
    let place = Place {
        topic: sent.topic_arn,
        subscription: &arn,
        endpoint: &endpoint,
        at: sent.at,
        signature_version: &sent.topic.settings.signature_version,
        protocol: subscription.protocol.as_str(),
    };
    enqueue(tx, sent.topic, subscription, &place, sent.message)
}

fn enqueue(
    tx: &mut Tx,
    topic: &Topic,
    subscription: &Subscription,
    place: &Place<'_>,
    message: &Message,
) -> Result<usize> {
    let text = match (subscription.protocol, subscription.settings.raw) {
        (Protocol::Lambda, _) => envelope::record(place, message),
        (_, true) => message.text_for(place.protocol).to_owned(),
        (_, false) => envelope::notification(place, message),
    };
    let (call, policy) = match subscription.protocol {
        Protocol::Sqs => (to_queue(subscription, &text, message)?, retry::inside()),
        Protocol::Lambda => (to_function(tx, subscription, &text, message)?, retry::inside()),
        Protocol::Http | Protocol::Https => {
            let (healthy, request) =
                retry::effective(&topic.settings.delivery_policy, &subscription.settings.delivery_policy)?;
            let content_type = request.header_content_type;
            let raw = subscription.settings.raw;
            let headers = headers(place, "Notification", &message.id.to_string(), content_type, raw);
            let policy = retry::outside(&healthy);
            let deliver =
                Deliver { url: subscription.endpoint.clone(), headers, body: text.clone(), policy: healthy };
            (Call::new(crate::NAME, DELIVER, &deliver)?, policy)
        }
    };
    let order = message
        .number
        .map(|_| format!("{}/{}", place.subscription, message.group.as_deref().unwrap_or_default()));
    let (dead_letter, reply) = undeliverable(subscription, text, message)?;
    let fifo = subscription.endpoint.ends_with(".fifo");
    let task = NewTask {
        at_once: subscription.protocol == Protocol::Sqs && order.is_none() && !fifo,
        retry: policy,
        dead_letter,
        reply,
        lane: Some(subscription.endpoint.clone()),
        order,
        note: Some(place.subscription.to_owned()),
        caller: Some(caller(tx, &subscription.endpoint)),
        ..NewTask::new(call)
    };
    let bytes = weight(&task, subscription);
    tx.enqueue(tx.now(), task)?;
    Ok(bytes)
}

/// What a task takes in the store: the message once or twice, and the endpoint where it is named.
fn weight(task: &NewTask, subscription: &Subscription) -> usize {
    let body = task.dead_letter.as_ref().and_then(|letter| letter.body.as_ref()).map_or(0, String::len);
    let context = task.reply.as_ref().map_or(0, |reply| reply.context.len());
    task.call.input.len() + body + context + 3 * subscription.endpoint.len() + OVERHEAD_BYTES
}

/// In the name of SNS, where the endpoint is.
fn caller(tx: &Tx, endpoint: &str) -> kernel::Caller {
    let arn = endpoint.parse::<Arn>().ok();
    let account = arn.as_ref().and_then(Arn::account_id).unwrap_or_else(|| tx.scope().account.clone());
    let region = arn.as_ref().and_then(Arn::region_name).unwrap_or_else(|| tx.scope().region.clone());
    tx.caller().as_service("sns.amazonaws.com", account, region)
}

/// AWS's own operation, which knows the types of attributes. Without an envelope the attributes are the queue's.
fn to_queue(subscription: &Subscription, text: &str, message: &Message) -> Result<Call> {
    let mut input = json!({ "QueueUrl": subscription.endpoint, "MessageBody": text });
    if subscription.settings.raw && !message.attributes.is_empty() {
        let attributes: serde_json::Map<String, Value> = message
            .attributes
            .iter()
            .map(|(name, attribute)| {
                let member = if attribute.binary.is_some() { "BinaryValue" } else { "StringValue" };
                (name.clone(), json!({ "DataType": attribute.data_type, member: attribute.text() }))
            })
            .collect();
        input["MessageAttributes"] = Value::Object(attributes);
    }
    add_ids(&mut input, &subscription.endpoint, message);
    Ok(Call::new("sqs", "SendMessage", &input)?)
}

/// The group goes along; the id only to queues that take one.
fn add_ids(input: &mut Value, queue: &str, message: &Message) {
    if let Some(group) = &message.group {
        input["MessageGroupId"] = json!(group);
    }
    if let (true, Some(id)) = (queue.ends_with(".fifo"), &message.deduplication) {
        input["MessageDeduplicationId"] = json!(id);
    }
}

fn to_function(tx: &Tx, subscription: &Subscription, text: &str, message: &Message) -> Result<Call> {
    let arn: Arn = subscription.endpoint.parse().map_err(|_| crate::fault::invalid("Endpoint"))?;
    let delivery =
        Delivery { payload: text.to_owned(), idempotency_key: message.id.to_string(), ..Delivery::default() };
    match tx.targets().find(&arn) {
        Some(kind) => Ok((kind.call)(&arn, delivery)?),
        // Nothing serves it any more: the call fails, and its dead letter says so.
        None => Ok(Call::new(&arn.service, "Deliver", &json!({}))?),
    }
}

/// What an endpoint is told about a message besides its body.
pub(crate) fn headers(
    place: &Place<'_>,
    kind: &str,
    id: &str,
    content_type: Option<String>,
    raw: bool,
) -> Vec<(String, String)> {
    let content_type = content_type.unwrap_or_else(|| "text/plain; charset=UTF-8".to_owned());
    let mut headers = vec![
        ("x-amz-sns-message-type", kind.to_owned()),
        ("x-amz-sns-message-id", id.to_owned()),
        ("x-amz-sns-topic-arn", place.topic.to_string()),
        ("content-type", content_type),
        ("user-agent", "Amazon Simple Notification Service Agent".to_owned()),
    ];
    if kind == "Notification" {
        headers.push(("x-amz-sns-subscription-arn", place.subscription.to_owned()));
    }
    if raw {
        headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
    }
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A message that could not be delivered, on its way to a FIFO queue.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Buried {
    queue: String,
    input: Value,
}

/// Where a message goes that cannot be delivered. A FIFO queue wants more than the runner knows of a dead letter, so
/// that the answer comes back here.
fn undeliverable(
    subscription: &Subscription,
    text: String,
    message: &Message,
) -> Result<(Option<DeadLetter>, Option<Reply>)> {
    let Some(queue) = &subscription.settings.dead_letter else { return Ok((None, None)) };
    if queue.ends_with(".fifo") {
        let mut input = json!({ "QueueUrl": queue, "MessageBody": text });
        add_ids(&mut input, queue, message);
        let context = serde_json::to_string(&Buried { queue: queue.clone(), input })?;
        let reply = Reply { service: crate::NAME.to_owned(), operation: UNDELIVERED.to_owned(), context };
        return Ok((None, Some(reply)));
    }
    let arn: Arn = queue.parse().map_err(|_| crate::fault::invalid("RedrivePolicy"))?;
    let style = DeadLetterStyle::Bare;
    Ok((Some(DeadLetter { arn, body: Some(text), attributes: Vec::new(), style }), None))
}

/// Sends what could not be delivered to its FIFO queue.
pub(crate) async fn undelivered(tx: &mut Tx, reply: ReplyInput<Buried>) -> Result<()> {
    let Outcome::Failed(Fault { code, .. }) = reply.outcome else { return Ok(()) };
    let Buried { queue, input } = reply.context;
    tx.fact("dead letter", &queue, Some(json!({ "error": code })));
    let task = NewTask {
        retry: retry::inside(),
        lane: Some(queue.clone()),
        note: Some("dead letter".to_owned()),
        caller: Some(caller(tx, &queue)),
        ..NewTask::new(Call::new("sqs", "SendMessage", &input)?)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}
