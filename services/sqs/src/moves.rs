//! Tasks that move messages out of a dead-letter queue: back to where they came from, or to a queue of one's choice.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>

use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    CancelMessageMoveTaskInput, CancelMessageMoveTaskOutput, ListMessageMoveTasksInput,
    ListMessageMoveTasksOutput, ListMessageMoveTasksResultEntry, StartMessageMoveTaskInput,
    StartMessageMoveTaskOutput,
};
use crate::keys::{
    Head, HeadKey, Message, MessageKey, MoveStatus, MoveTask, MoveTaskKey, MovedKey, QueueKey,
};
use crate::queue::{arn, is_fifo, names_own};
use crate::{fault, fifo, message};

/// The internal operation that moves the next messages.
pub(crate) const MOVE: &str = "MoveMessages";

/// Messages moved in one commit.
const PAGE: u32 = 100;
/// Bytes after which a commit takes no further message: the store bounds what one commit writes.
const PAGE_BYTES: usize = 4_000_000;
/// Messages looked at for them.
const LOOK: usize = 500;
/// How many tasks of a queue are remembered.
const TASKS_MAX: usize = 10;

/// A task's handle.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handle {
    task_id: Uuid,
    started_at: Timestamp,
    source_arn: String,
}

/// Which task is to go on.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Move {
    queue: String,
    started_at: Timestamp,
    id: Uuid,
}

impl Move {
    fn key(&self) -> MoveTaskKey {
        MoveTaskKey { queue: self.queue.clone(), started_at: self.started_at, id: self.id }
    }
}

/// Begins to move the messages that are in a dead-letter queue now.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>
pub(crate) async fn start_message_move_task(
    tx: &mut Tx,
    input: StartMessageMoveTaskInput,
) -> Result<StartMessageMoveTaskOutput> {
    let queue = source(tx, &input.source_arn).await?;
    let rate_max = match input.max_number_of_messages_per_second {
        None => None,
        Some(rate @ 1..=500) => Some(rate.unsigned_abs()),
        Some(rate) => {
            let reason = "Must be between 1 and 500, if provided.";
            return Err(fault::invalid_value(rate, "MaxNumberOfMessagesPerSecond", reason).into());
        }
    };
    if let Some(destination) = &input.destination_arn {
        check_destination(tx, &queue, destination).await?;
    } else if !is_dead_letter_queue(tx, &queue).await? {
        let message = "Source queue must be configured as a Dead Letter Queue.";
        return Err(Fault::new("InvalidParameterValue", message).into());
    }
    // Guarded by the queue's row: two tasks that begin at once meet there.
    let queue_key = QueueKey { name: queue.clone() };
    let row = tx.get(&queue_key).await?.ok_or_else(|| no_such_resource("SourceArn"))?;
    let tasks = tx.scan::<MoveTaskKey>(Parts::of(&queue), TASKS_MAX + 1).await?;
    if tasks.iter().any(|(_, task)| task.status == MoveStatus::Running) {
        let message = "There is already a task running. Only one active task is allowed for a source queue \
                       arn at a given time.";
        return Err(Fault::new("UnsupportedOperation", message).into());
    }
    if let (true, Some((oldest, _))) = (tasks.len() >= TASKS_MAX, tasks.first()) {
        tx.delete(oldest);
    }
    tx.put(&queue_key, &row)?;
    let to_move = count(tx, &queue).await?;
    let task = MoveTask {
        destination: input.destination_arn,
        rate_max,
        status: MoveStatus::Running,
        moved: 0,
        to_move,
        failure: None,
    };
    let next = Move { queue, started_at: tx.now(), id: tx.id() };
    tx.put(&next.key(), &task)?;
    let handle = handle(&next, &input.source_arn)?;
    tx.enqueue(tx.now(), NewTask::new(Call::new("sqs", MOVE, &next)?))?;
    Ok(StartMessageMoveTaskOutput { task_handle: Some(handle) })
}

/// The tasks of a queue, newest first.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html>
pub(crate) async fn list_message_move_tasks(
    tx: &mut Tx,
    input: ListMessageMoveTasksInput,
) -> Result<ListMessageMoveTasksOutput> {
    let queue = source(tx, &input.source_arn).await?;
    let limit = match input.max_results {
        None => 1,
        Some(limit @ 1..=10) => limit.unsigned_abs() as usize,
        Some(limit) => {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(fault::invalid_value(limit, "MaxResults", reason).into());
        }
    };
    let mut results = Vec::new();
    for (key, task) in tx.scan_back::<MoveTaskKey>(Parts::of(&queue), limit).await? {
        let MoveTaskKey { started_at, id, .. } = key;
        let running = task.status == MoveStatus::Running;
        let handle = handle(&Move { queue: queue.clone(), started_at, id }, &input.source_arn)?;
        results.push(ListMessageMoveTasksResultEntry {
            task_handle: running.then_some(handle),
            status: Some(status_name(task.status).to_owned()),
            source_arn: Some(input.source_arn.clone()),
            destination_arn: task.destination,
            max_number_of_messages_per_second: task.rate_max.map(u32::cast_signed),
            approximate_number_of_messages_moved: Some(task.moved.cast_signed()),
            approximate_number_of_messages_to_move: Some(task.to_move.cast_signed()),
            failure_reason: task.failure,
            started_timestamp: Some(started_at.as_millis()),
        });
    }
    Ok(ListMessageMoveTasksOutput { results: Some(results) })
}

/// Ends a task; what it has moved stays moved.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html>
pub(crate) async fn cancel_message_move_task(
    tx: &mut Tx,
    input: CancelMessageMoveTaskInput,
) -> Result<CancelMessageMoveTaskOutput> {
    let invalid = || fault::invalid_value(&input.task_handle, "TaskHandle", "It is not a task's handle.");
    let bytes = STANDARD.decode(&input.task_handle).map_err(|_| invalid())?;
    let handle: Handle = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let queue = source(tx, &handle.source_arn).await?;
    let key = MoveTaskKey { queue, started_at: handle.started_at, id: handle.task_id };
    let running = tx.get(&key).await?.filter(|task| task.status == MoveStatus::Running);
    let Some(task) = running else {
        return Err(Fault::new("ResourceNotFoundException", "Task does not exist.").with_status(404).into());
    };
    let moved = Some(task.moved.cast_signed());
    tx.put(&key, &MoveTask { status: MoveStatus::Cancelled, ..task })?;
    Ok(CancelMessageMoveTaskOutput { approximate_number_of_messages_moved: moved })
}

/// Moves the next messages of a task; the commit that moves the last one completes it.
pub(crate) async fn move_messages(tx: &mut Tx, next: Move) -> Result<()> {
    let Some(mut task) = tx.get(&next.key()).await? else { return Ok(()) };
    if task.status != MoveStatus::Running {
        return Ok(());
    }
    let wanted = task.rate_max.map_or(PAGE, |rate| rate.min(PAGE));
    let due = eligible(tx, &next, wanted as usize).await?;
    if due.is_empty() {
        task.status = MoveStatus::Completed;
    }
    let (mut moved, mut bytes) = (0_u32, 0);
    for place in due {
        let message_key = MessageKey { queue: next.queue.clone(), id: place.id() };
        let Some(message) = tx.peek(&message_key).await? else {
            // A place without a message would be found again for ever.
            place.remove(tx, &next.queue).await?;
            continue;
        };
        bytes += message::bytes_moved(&message);
        if moved > 0 && bytes > PAGE_BYTES {
            break;
        }
        let destination = task.destination.clone().or_else(|| message.dead_letter_source.clone());
        match destination_queue(tx, destination).await? {
            Ok(destination) => put(tx, destination, message).await?,
            Err(reason) => {
                task.status = MoveStatus::Failed;
                task.failure = Some(reason.to_owned());
                break;
            }
        }
        place.remove(tx, &next.queue).await?;
        tx.delete(&message_key);
        moved += 1;
    }
    task.moved += u64::from(moved);
    if task.status == MoveStatus::Running {
        let wait = task.rate_max.map_or(0.0, |rate| f64::from(moved) / f64::from(rate));
        let at = tx.now() + Duration::from_secs_f64(wait);
        tx.go_on(at, NewTask::new(Call::new("sqs", MOVE, &next)?))?;
    }
    tx.put(&next.key(), &task)
}

/// A message that may be moved.
enum Place {
    Standard(HeadKey, Head),
    Fifo(fifo::InGroup),
}

impl Place {
    fn id(&self) -> Uuid {
        match self {
            Place::Standard(_, head) => head.id,
            Place::Fifo(message) => message.id(),
        }
    }

    async fn remove(&self, tx: &mut Tx, queue: &str) -> Result<()> {
        match self {
            Place::Standard(key, head) => {
                tx.delete(key);
                tx.delete(&MovedKey { queue: queue.to_owned(), id: head.id });
                Ok(())
            }
            Place::Fifo(message) => message.remove(tx).await,
        }
    }
}

/// The next messages that are visible and were there when the task began.
async fn eligible(tx: &mut Tx, next: &Move, wanted: usize) -> Result<Vec<Place>> {
    if is_fifo(&next.queue) {
        let found = fifo::visible(tx, &next.queue, wanted, next.started_at).await?;
        return Ok(found.into_iter().map(Place::Fifo).collect());
    }
    let mut places = Vec::new();
    let mut heads = tx.scan_head::<HeadKey>(Parts::of(&next.queue), LOOK).await?;
    loop {
        for (key, head) in &heads {
            if key.visible_at > tx.now() || places.len() == wanted {
                return Ok(places);
            }
            // Guarded: a receive may be taking the same message now.
            if head.sent_at <= next.started_at && tx.get(key).await?.is_some() {
                places.push(Place::Standard(key.clone(), head.clone()));
            }
        }
        match heads.last() {
            Some((last, _)) if heads.len() == LOOK => {
                heads = tx.scan_after(Parts::of(&next.queue), last, LOOK, Direction::Forward).await?;
            }
            _ => return Ok(places),
        }
    }
}

/// The name of the queue that a message goes to, or why it cannot go.
async fn destination_queue(
    tx: &mut Tx,
    destination: Option<String>,
) -> Result<std::result::Result<String, &'static str>> {
    let Some(arn) = destination.and_then(|arn| arn.parse::<Arn>().ok()) else {
        return Ok(Err("CouldNotDetermineMessageSource"));
    };
    let exists =
        names_own(tx, &arn) && tx.version_of(&QueueKey { name: arn.resource.clone() }).await?.is_some();
    Ok(if exists { Ok(arn.resource) } else { Err("AWS.SimpleQueueService.NonExistentQueue") })
}

/// A moved message is a new one: another id, another age.
async fn put(tx: &mut Tx, queue: String, message: Message) -> Result<()> {
    let (id, now) = (tx.id(), tx.now());
    let head = Head { id, sent_at: now, receives: 0, first_received_at: None, receipt: 0 };
    match is_fifo(&queue) {
        true => {
            let group = message.group.clone().unwrap_or_else(|| id.to_string());
            fifo::append(tx, &queue, &group, head, now).await?;
        }
        false => {
            let key = HeadKey { queue: queue.clone(), visible_at: now, seq: tx.seq(), salt: tx.random() };
            tx.put(&key, &head)?;
        }
    }
    tx.put(&MessageKey { queue, id }, &Message { dead_letter_source: None, ..message })
}

async fn check_destination(tx: &mut Tx, source: &str, destination: &str) -> Result<()> {
    let arn: Arn = destination.parse().map_err(|_| {
        fault::invalid_value(destination, "DestinationArn", "You must use this format to specify the DestinationArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>")
    })?;
    let key = QueueKey { name: arn.resource.clone() };
    if !names_own(tx, &arn) || tx.version_of(&key).await?.is_none() {
        return Err(no_such_resource("DestinationArn").into());
    }
    if arn.resource == source || is_fifo(&arn.resource) != is_fifo(source) {
        let reason = "The destination must be another queue of the same type.";
        return Err(fault::invalid_value(destination, "DestinationArn", reason).into());
    }
    Ok(())
}

/// The name of the queue that an ARN names.
async fn source(tx: &mut Tx, source_arn: &str) -> Result<String> {
    let Some(arn) = source_arn.parse::<Arn>().ok().filter(|arn| arn.service == "sqs") else {
        let reason = "You must use this format to specify the SourceArn: \
                      arn:<partition>:<service>:<region>:<account-id>:<resource-id>";
        return Err(fault::invalid_value(source_arn, "SourceArn", reason).into());
    };
    let key = QueueKey { name: arn.resource.clone() };
    match names_own(tx, &arn) && tx.version_of(&key).await?.is_some() {
        true => Ok(key.name),
        false => Err(no_such_resource("SourceArn").into()),
    }
}

async fn is_dead_letter_queue(tx: &mut Tx, queue: &str) -> Result<bool> {
    let own = arn(tx, queue).to_string();
    let all = tx.scan::<QueueKey>(Parts::none(), usize::MAX >> 8).await?;
    let points_here = |queue: &crate::queue::Queue| {
        queue.settings.redrive.as_ref().is_some_and(|redrive| redrive.dead_letter_target_arn == own)
    };
    Ok(all.iter().any(|(_, queue)| points_here(queue)))
}

async fn count(tx: &mut Tx, queue: &str) -> Result<u64> {
    Ok(crate::ops::get_queue_attributes::count(tx, queue).await?[0])
}

fn handle(task: &Move, source_arn: &str) -> Result<String> {
    let handle = Handle { task_id: task.id, started_at: task.started_at, source_arn: source_arn.to_owned() };
    Ok(STANDARD.encode(serde_json::to_vec(&handle)?))
}

fn status_name(status: MoveStatus) -> &'static str {
    match status {
        MoveStatus::Running => "RUNNING",
        MoveStatus::Completed => "COMPLETED",
        MoveStatus::Cancelled => "CANCELLED",
        MoveStatus::Failed => "FAILED",
    }
}

fn no_such_resource(parameter: &str) -> Fault {
    let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
    Fault::new("ResourceNotFoundException", message).with_status(404)
}
