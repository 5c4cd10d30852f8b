use base::{Fault, Timestamp};
use kernel::{
    Call, DeadLetter, DeadLetterStyle, Direction, NewTask, Result, RetryPolicy, RetryWhen, TraceCx, Tx,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{OrderingType, PointType, SubscriberState};
use crate::bus::id_of;
use crate::cache::{Cache, Running, Transform};
use crate::event::{Delivered, system};
use crate::keys::{BodyKey, Cursor, CursorKey, LogKey, Logged, Place, Record, Subscriber, SubscriberKey};
use crate::ops::fail_delivery::{FAIL, FailDelivery};
use crate::params::{self, Around, failed};
use crate::publish;
use crate::target::{Kind, Parcel, events_of};
use crate::{NAME, PRINCIPAL, arn};

/// The internal operation by which a subscriber reads its bus's log.
pub(crate) const PUMP: &str = "ReadLog";

/// Records looked at in one transaction.
const PAGE: usize = 100;
/// Records read at once.
const CHUNK: usize = 20;
/// What the deliveries of one transaction may hold, in bytes. A commit takes 10 MB, and payloads are escaped.
const PAGE_BYTES_MAX: usize = 2_500_000;

/// Which subscriber.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pump {
    pub name: String,
    pub id: String,
}

/// Reads on from where the subscriber stopped: every event that matches becomes a task that delivers it, and the cursor
/// moves, in one commit. So each event is handed over once and in the order of the log, however often this runs.
pub(crate) async fn pump(tx: &mut Tx, input: Pump) -> Result<()> {
    let key = SubscriberKey { name: input.name };
    let Some(subscriber) = tx.get(&key).await?.filter(|found| found.id == input.id) else { return Ok(()) };
    if subscriber.state != SubscriberState::Running || subscriber.revoked {
        return Ok(());
    }
    let cursor_key = CursorKey { subscriber: subscriber.id.clone() };
    let Some((cursor, version)) = tx.get_versioned(&cursor_key).await? else { return Ok(()) };
    let mut after = cursor.after.unwrap_or_else(|| Place::behind(version));
    let before = after;
    let replay_until = cursor.replay_until.unwrap_or(version.0);
    let cache = tx.state::<Cache>()?;
    let compiled = cache.running(tx, id_of(&subscriber.bus_arn)).await?;
    let Some(running) = compiled.find(&key.name, &subscriber.id) else { return Ok(()) };
    let reader = Reader::of(tx, running, &subscriber);
    let (mut looked, mut bytes, mut more) = (0, 0, true);
    'page: while more && looked < PAGE {
        let log = LogKey { bus: reader.bus.clone() };
        let chunk = tx.read_log(&log, after.next(), CHUNK, Direction::Forward).await?;
        more = chunk.len() == CHUNK;
        for (position, record) in chunk {
            if bytes > PAGE_BYTES_MAX {
                more = true;
                break 'page;
            }
            after = Place::from(position);
            looked += 1;
            let replayed = subscriber.point.is_some() && position.version.0 <= replay_until;
            let how = if replayed { Delivered::Replay } else { Delivered::Live };
            bytes += reader.look(tx, &record, how).await?;
        }
    }
    if after != before || cursor.replay_until.is_none() {
        tx.put(&cursor_key, &Cursor { after: Some(after), replay_until: Some(replay_until) })?;
    }
    if more {
        let task = publish::reading(tx, &key.name, &subscriber.id)?;
        tx.go_on(tx.now(), task)?;
        return Ok(());
    }
    match reader.until.filter(|until| *until <= tx.now()) {
        // It has had everything up to its end point.
        Some(_) => crate::subscriber::stop(tx, &key, subscriber).await,
        None => Ok(()),
    }
}

/// A subscriber that reads.
struct Reader<'a> {
    running: &'a Running,
    subscriber: &'a Subscriber,
    subscriber_arn: String,
    bus: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<'a> Reader<'a> {
    fn of(tx: &Tx, running: &'a Running, subscriber: &'a Subscriber) -> Reader<'a> {
        let point = subscriber.point.as_ref();
        let from = point.filter(|point| point.point_type == PointType::Timestamp);
        Reader {
            running,
            subscriber,
            subscriber_arn: arn::of_subscriber(tx, &running.name, &subscriber.id),
            bus: id_of(&subscriber.bus_arn).to_owned(),
            from: from.and_then(|point| point.starting_point),
            until: point.and_then(|point| point.end_point),
        }
    }

    /// Delivers the event of a record, if the subscriber wants it. Returns about how many bytes that takes.
    async fn look(&self, tx: &mut Tx, record: &Record, how: Delivered) -> Result<usize> {
        let early = self.from.is_some_and(|from| record.at < from);
        let late = self.until.is_some_and(|until| record.at >= until);
        if early || late {
            return Ok(0);
        }
        let large = match &record.event {
            Some(_) => None,
            None => tx.peek(&BodyKey { bus: self.bus.clone(), id: record.id }).await?,
        };
        let Some(logged) = record.event.as_ref().or(large.as_ref()) else { return Ok(0) };
        let document = logged.document(how);
        if let Some(pattern) = &self.running.pattern
            && !pattern.matches(&document).unwrap_or(false)
        {
            return Ok(0);
        }
        self.deliver(tx, record, logged, &document)?;
        Ok(document.len())
    }

    fn deliver(&self, tx: &mut Tx, record: &Record, logged: &Logged, document: &str) -> Result<()> {
        let target = &self.running.target;
        let call = match self.call(tx, record, logged, document) {
            Ok(call) => call,
            // It fails as a delivery fails: again and again, and then into the queue for failures.
            Err(fault) => Call::new(NAME, FAIL, &FailDelivery { fault })?,
        };
        let fifo = self.subscriber.ordering == OrderingType::Fifo;
        let group = logged.system(system::GROUP);
        let scope = tx.scope().clone();
        let account = target.arn.account_id().unwrap_or(scope.account);
        let region = target.arn.region_name().unwrap_or(scope.region);
        let task = NewTask {
            retry: retry(self.subscriber),
            dead_letter: self.dead_letter(record, logged),
            lane: Some(target.arn.to_string()),
            order: group.filter(|_| fifo).map(|group| format!("{}|{group}", self.running.id)),
            note: Some(format!("subscriber {}", self.running.name)),
            caller: Some(tx.caller().as_service(PRINCIPAL, account, region)),
            trace: Some(TraceCx { hop: logged.trace.hop.saturating_add(1), ..logged.trace }),
            ..NewTask::new(call)
        };
        tx.enqueue(tx.now(), task)?;
        Ok(())
    }

    fn call(&self, tx: &Tx, record: &Record, logged: &Logged, document: &str) -> Result<Call, Fault> {
        let events = events_of(document)?;
        let mut random = || tx.random();
        let mut around = Around { events: &events, now_ms: tx.now().as_millis(), random: &mut random };
        let payload = self.payload(logged, document, &mut around)?;
        let fifo = self.subscriber.ordering == OrderingType::Fifo;
        let group = logged.system(system::GROUP).filter(|_| fifo);
        let parcel = Parcel {
            payload,
            around,
            key: format!("{}_{}", record.id, self.running.id),
            order: group.map(|group| format!("{}|{group}", self.running.id)),
            metadata: json!(logged.metadata),
            content_type: self.content_type(logged),
        };
        self.running.target.call(tx.targets(), parcel)
    }

    fn payload(&self, logged: &Logged, document: &str, around: &mut Around<'_>) -> Result<String, Fault> {
        let kind = self.running.target.kind;
        let payload = match &self.running.transform {
            Transform::Raw => logged.data.clone(),
            Transform::WithMetadata => document.to_owned(),
            Transform::Jsonata { query, text } => match params::evaluate(query, text, around)? {
                Some(Value::String(plain)) if matches!(kind, Kind::Queue | Kind::Topic) => plain,
                Some(value) => value.to_string(),
                None => return Err(failed(&format!("The expression {text} comes to nothing."))),
            },
        };
        // A function gets a list, also of one event, unless it was said to get one at a time.
        let list = kind == Kind::Function && !self.subscriber.single;
        Ok(if list { format!("[{payload}]") } else { payload })
    }

    /// What the payload is to a bus that it is forwarded to.
    fn content_type(&self, logged: &Logged) -> String {
        match &self.running.transform {
            Transform::Raw => logged.system(system::CONTENT_TYPE).unwrap_or("application/json").to_owned(),
            _ => "application/json".to_owned(),
        }
    }

    /// The record of a failure, to which the runner adds how it failed. It names the event and does not hold it.
    ///
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-retry.html>
    fn dead_letter(&self, record: &Record, logged: &Logged) -> Option<DeadLetter> {
        let arn = self.subscriber.on_failure.as_ref()?.arn.as_ref()?.parse().ok()?;
        let body = json!({
            "version": "1.0",
            "busArn": self.subscriber.bus_arn,
            "subscriberArn": self.subscriber_arn,
            "targetArn": self.running.target.arn.to_string(),
            "failedMessages": [{
                "eventId": record.id,
                "eventGroupId": logged.system(system::GROUP),
                "deduplicationId": logged.system(system::DEDUPLICATION),
                "timestamp": record.at.to_iso_millis(),
                "targetRequestId": "",
            }],
        });
        Some(DeadLetter {
            arn,
            body: Some(body.to_string()),
            attributes: Vec::new(),
            style: DeadLetterStyle::Record,
        })
    }
}

/// The subscriber's retry policy: every fault is worth another attempt.
fn retry(subscriber: &Subscriber) -> RetryPolicy {
    let policy = &subscriber.retry;
    RetryPolicy {
        retries_max: policy.max_retry_attempts.map_or(5, i32::unsigned_abs),
        age_ms_max: policy.max_event_age_in_seconds.map_or(300, |age| u64::from(age.unsigned_abs())) * 1_000,
        backoff_ms: 1_000,
        backoff_ms_max: 60_000,
        when: RetryWhen::Always,
    }
}
