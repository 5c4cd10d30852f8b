//! Queues, and what lies in them.

use std::collections::BTreeMap;

use askama::Template;
use base::{Fault, Timestamp};
use sqs::api::{
    GetQueueAttributes, GetQueueAttributesInput, GetQueueUrl, GetQueueUrlInput, ListQueues, ListQueuesInput,
    QueueAttributeName as Name,
};
use sqs::{PEEK, PeekInput, PeekOutput};

use super::Result;
use super::desk::{Desk, Frame, LISTED_MAX, all, last};
use super::html::{Html, Tone, json_text, pill, time};
use super::link::Link;

/// The messages that are shown.
const MESSAGES: usize = 100;

#[derive(Template)]
#[template(path = "queues.html")]
struct QueuesPage {
    frame: Frame,
    rows: Vec<Row>,
    more: bool,
}

struct Row {
    name: String,
    href: Link,
    queue: Result<Shown>,
}

struct Shown {
    arn: String,
    url: String,
    kind: &'static str,
    visible: String,
    in_flight: String,
    delayed: String,
    visibility_s: String,
    dead_letters: Option<DeadLetters>,
}

/// Where messages go that were received too often.
struct DeadLetters {
    name: String,
    href: Option<Link>,
    receives: String,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    frame: Frame,
    name: String,
    queue: Shown,
    messages: Vec<Message>,
    shown_max: usize,
}

struct Message {
    id: String,
    state: Html,
    sent: Html,
    visible: Html,
    receives: u32,
    attributes: Vec<(String, String)>,
    body: Html,
    preview: String,
}

/// The list of queues.
pub(crate) async fn list(desk: &Desk<'_>) -> Result {
    let input = ListQueuesInput { max_results: i32::try_from(LISTED_MAX).ok(), ..Default::default() };
    let found = desk.call::<ListQueues>(&input).await?;
    let urls = found.queue_urls.unwrap_or_default();
    let rows = all(urls.into_iter().map(|url| async move {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let queue = describe(desk, url).await;
        Row { href: desk.link("queue").with("name", &name), name, queue }
    }));
    let rows = rows.await;
    let more = found.next_token.is_some();
    desk.render(&QueuesPage { frame: desk.frame("queues", "Queues"), rows, more })
}

/// A queue and its messages, which stay as they are.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let name = desk.query.get("name");
    let input = GetQueueUrlInput { queue_name: name.to_owned(), ..Default::default() };
    let url = desk.call::<GetQueueUrl>(&input).await?.queue_url;
    let url = url.ok_or_else(|| Fault::new("QueueDoesNotExist", "The specified queue does not exist."))?;
    let queue = describe(desk, url).await?;
    let input = PeekInput { queue: name.to_owned(), limit: MESSAGES };
    let peeked: PeekOutput = desk.ask("sqs", PEEK, &input).await?;
    let now = desk.kernel.clock().now();
    let messages = peeked.messages.into_iter().map(|message| shown(message, now)).collect();
    let frame = desk.frame("queues", name);
    desk.render(&QueuePage { frame, name: name.to_owned(), queue, messages, shown_max: MESSAGES })
}

async fn describe(desk: &Desk<'_>, url: String) -> Result<Shown> {
    let input = GetQueueAttributesInput { queue_url: url.clone(), attribute_names: Some(vec![Name::All]) };
    let found = desk.call::<GetQueueAttributes>(&input).await?;
    let attributes: BTreeMap<Name, String> = found.attributes.unwrap_or_default();
    let of = |name: Name| attributes.get(&name).cloned().unwrap_or_default();
    Ok(Shown {
        arn: of(Name::QueueArn),
        kind: if url.ends_with(".fifo") { "FIFO" } else { "Standard" },
        url,
        visible: of(Name::ApproximateNumberOfMessages),
        in_flight: of(Name::ApproximateNumberOfMessagesNotVisible),
        delayed: of(Name::ApproximateNumberOfMessagesDelayed),
        visibility_s: of(Name::VisibilityTimeout),
        dead_letters: attributes.get(&Name::RedrivePolicy).and_then(|policy| dead_letters(desk, policy)),
    })
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    max_receive_count: serde_json::Value,
}

fn dead_letters(desk: &Desk<'_>, policy: &str) -> Option<DeadLetters> {
    let policy: RedrivePolicy = serde_json::from_str(policy).ok()?;
    let arn = policy.dead_letter_target_arn;
    let receives = policy.max_receive_count.to_string().replace('"', "");
    Some(DeadLetters { href: desk.link_of(&arn), name: last(&arn).to_owned(), receives })
}

fn shown(message: sqs::PeekedMessage, now: Timestamp) -> Message {
    let state = match (message.visible_at <= now, message.receives) {
        (true, _) => pill(Tone::Good, "available"),
        (false, 0) => pill(Tone::Quiet, "delayed"),
        (false, _) => pill(Tone::Busy, "in flight"),
    };
    Message {
        id: message.id.to_string(),
        state,
        sent: time(message.sent_at),
        visible: time(message.visible_at),
        receives: message.receives,
        attributes: message.attributes,
        preview: message.body.chars().take(160).collect(),
        body: json_text(&message.body),
    }
}
