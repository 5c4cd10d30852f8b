//! Mappings of queues: messages are received, gathered into batches and deleted behind the function's answer. What is not
//! deleted becomes visible again, as the queue says.

use std::time::Duration;

use base::{Arn, Document, Fault, Timestamp};
use kernel::{Effect, Rest, Result, TraceCx, Tx};
use serde_json::json;

use super::batch::{BATCH_BYTES_MAX, Filters, Undone, message};
use super::invoke::{Called, End, invoke};
use super::{Lane, arn, ask, call, place};
use crate::keys::Mapping;
use crate::state::Functions;

/// The most messages that a queue gives, or lets delete, at once.
const AT_ONCE_MAX: usize = 10;
/// The rest after a queue could not be read.
const PAUSE: Duration = Duration::from_secs(5);

/// The rest after the queue was gone.
const GONE_PAUSE: Duration = Duration::from_secs(60);

/// A message on its way to the function.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    id: String,
    receipt: String,
    record: Document,
    cause: Option<TraceCx>,
}

/// A batch that is not full yet.
#[derive(Default)]
pub(crate) struct Gathering {
    messages: Vec<Message>,
    bytes: usize,
    /// When it is invoked as it is.
    closes: Option<Timestamp>,
}

/// Receives until a batch is full, its window is over or the queue is empty.
pub(crate) async fn look(effect: &Effect, lane: Lane, mapping: Mapping, source: Arn) -> Result<Rest> {
    if effect.working() >= mapping.settings.concurrency() {
        return Ok(Rest::new());
    }
    let Some(wake) = effect.watch_source(&source) else { return Ok(Rest::new()) };
    let functions = effect.state::<Functions>()?;
    let place = place(effect, &lane);
    let mut gathering = functions.0.readers.queues().remove(&place).unwrap_or_default();
    let wanted = mapping.settings.batch_size as usize;
    loop {
        let room = (wanted - gathering.messages.len()).min(AT_ONCE_MAX);
        let came = match receive(effect, &mapping, &source, room).await {
            Ok(came) => came,
            Err(fault) => {
                let pause = if fault.code.contains("NonExistent") || fault.code.contains("DoesNotExist") {
                    GONE_PAUSE
                } else {
                    PAUSE
                };
                tracing::warn!(mapping = lane.mapping, %fault, "failed to receive from a mapping's queue");
                functions.0.readers.queues().insert(place, gathering);
                return Ok(Rest::new().on(wake).until(effect.now() + pause));
            }
        };
        let received = came.received;
        gathering.add(came.passed);
        let now = effect.now();
        if !gathering.messages.is_empty() {
            let window = Duration::from_secs(u64::from(mapping.settings.window_s));
            let closes = *gathering.closes.get_or_insert(now + window);
            let full = gathering.messages.len() >= wanted || gathering.bytes >= BATCH_BYTES_MAX;
            if full || closes <= now {
                return Ok(cut(gathering.messages).into_iter().fold(Rest::again(), |rest, batch| {
                    let (own, lane, mapping, source) =
                        (effect.clone(), lane.clone(), mapping.clone(), source.clone());
                    rest.with_work(async move { process(&own, &lane, &mapping, &source, batch).await })
                }));
            }
        }
        if received < room {
            break;
        }
    }
    let next = effect.next_of_source(&source).await.unwrap_or_default();
    let rest = Rest::new().on(wake);
    let rest = next.into_iter().chain(gathering.closes).fold(rest, Rest::until);
    if !gathering.messages.is_empty() {
        functions.0.readers.queues().insert(place, gathering);
    }
    Ok(rest)
}

impl Gathering {
    fn add(&mut self, messages: Vec<Message>) {
        self.bytes +=
            messages.iter().map(|message| message.record["body"].as_str().map_or(0, str::len)).sum::<usize>();
        self.messages.extend(messages);
    }
}

/// Divides what was gathered into what one invocation takes.
fn cut(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut batches: Vec<Vec<Message>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.record.to_string().len();
        match batches.last_mut() {
            Some(batch) if bytes + size <= BATCH_BYTES_MAX => {
                bytes += size;
                batch.push(message);
            }
            _ => {
                bytes = size;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

/// What one receive has brought.
struct Came {
    received: usize,
    passed: Vec<Message>,
}

/// Receives, and deletes what no filter lets pass.
async fn receive(effect: &Effect, mapping: &Mapping, source: &Arn, room: usize) -> Result<Came, Fault> {
    let input = json!({
        "QueueUrl": mapping.source,
        "MaxNumberOfMessages": room,
        "WaitTimeSeconds": 0,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    });
    let answer = call(effect, source, "ReceiveMessage", &input).await?;
    let received = answer["Messages"].as_array().cloned().unwrap_or_default();
    let causes = causes(effect, mapping, source, &received).await;
    let message = |(received, cause): (&Document, Option<TraceCx>)| Message {
        id: received["MessageId"].as_str().unwrap_or_default().to_owned(),
        receipt: received["ReceiptHandle"].as_str().unwrap_or_default().to_owned(),
        record: message(received, &mapping.source, &source.region),
        cause,
    };
    let filters = Filters::new(&mapping.settings.filters);
    let all = received.iter().zip(causes).map(message);
    let (passed, filtered): (Vec<Message>, Vec<Message>) = all.partition(|one| filters.pass(&one.record));
    delete(effect, mapping, source, filtered.iter()).await;
    Ok(Came { received: received.len(), passed })
}

/// What caused messages: what the queue knows, or the trace header that came with them.
async fn causes(
    effect: &Effect,
    mapping: &Mapping,
    source: &Arn,
    received: &[Document],
) -> Vec<Option<TraceCx>> {
    if received.is_empty() {
        return Vec::new();
    }
    let ids: Vec<&Document> = received.iter().map(|message| &message["MessageId"]).collect();
    let input = json!({ "Queue": mapping.source, "MessageIds": ids });
    let known = ask(effect, source, "FindCauses", &input).await.unwrap_or_default();
    let cause = |(index, message): (usize, &Document)| {
        let header = known[index].as_str().or_else(|| message["Attributes"]["AWSTraceHeader"].as_str());
        header.and_then(TraceCx::from_header)
    };
    received.iter().enumerate().map(cause).collect()
}

/// Invokes the function with a batch and deletes what it has done.
async fn process(effect: &Effect, lane: &Lane, mapping: &Mapping, source: &Arn, batch: Vec<Message>) {
    let mut causes: Vec<TraceCx> = batch.iter().filter_map(|message| message.cause).collect();
    if causes.is_empty() {
        causes.push(TraceCx::root(effect.id()));
    }
    let records: Vec<&Document> = batch.iter().map(|message| &message.record).collect();
    let known = |id: &str| batch.iter().any(|message| message.id == id);
    let called = match invoke(effect, mapping, causes[0], &records, known).await {
        Ok(called) => called,
        Err(error) => {
            tracing::error!(%error, mapping = lane.mapping, "failed to invoke a mapping's function");
            return;
        }
    };
    let done = |message: &&Message| match &called.end {
        End::Answered(_, Undone::Nothing) => true,
        End::Answered(_, Undone::Some(ids)) => !ids.contains(&message.id),
        End::Answered(_, Undone::All) | End::Refused(_) => false,
    };
    delete(effect, mapping, source, batch.iter().filter(done)).await;
    note(effect, lane, causes, &called, batch.len()).await;
}

/// Puts the batch on the chains of all that caused it.
async fn note(effect: &Effect, lane: &Lane, causes: Vec<TraceCx>, called: &Called, records: usize) {
    let told = (causes, lane.mapping.clone(), called.detail(records));
    if let Err(error) = effect.transact("EventSourceMapping", tell, told).await {
        tracing::warn!(%error, mapping = lane.mapping, "failed to note a batch on the trace");
    }
}

async fn tell(tx: &mut Tx, (causes, uuid, detail): (Vec<TraceCx>, String, Document)) -> Result<()> {
    tell_all(tx, &causes);
    let arn = arn(tx.scope(), &uuid);
    tx.note("event source mapping", &arn, Some(detail));
    Ok(())
}

/// Puts the transaction on the first of these chains, and its record on the others, too.
pub(super) fn tell_all(tx: &mut Tx, causes: &[TraceCx]) {
    let Some((first, others)) = causes.split_first() else { return };
    tx.set_trace(*first);
    others.iter().filter(|other| other.root != first.root).for_each(|other| tx.echo(*other));
}

/// Deletes messages. What cannot be deleted comes again.
async fn delete(
    effect: &Effect,
    mapping: &Mapping,
    source: &Arn,
    messages: impl Iterator<Item = &Message> + Send,
) {
    let messages: Vec<&Message> = messages.collect();
    for chunk in messages.chunks(AT_ONCE_MAX) {
        let entry = |(index, message): (usize, &&Message)| json!({ "Id": index.to_string(), "ReceiptHandle": message.receipt });
        let entries: Vec<Document> = chunk.iter().enumerate().map(entry).collect();
        let input = json!({ "QueueUrl": mapping.source, "Entries": entries });
        if let Err(fault) = call(effect, source, "DeleteMessageBatch", &input).await {
            tracing::warn!(queue = mapping.source, %fault, "failed to delete messages that are done with");
        }
    }
}
