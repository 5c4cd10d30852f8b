//! Subscribers: what may be set, how a change is written, and where one stands in its bus's log.

use base::{Fault, Timestamp};
use kernel::{Result, Tx};

use crate::api::{
    BatchConfiguration, FilterConfiguration, InvokeConfiguration, LogConfiguration, LogLevel,
    OnFailureConfiguration, PointInTimeConfiguration, PointType, RetryPolicy, RetryStrategy,
    StartingPosition, SubscriberState,
};
use crate::arn::{self, Named};
use crate::bus::{self, id_of};
use crate::cache::{Running, Transform};
use crate::fault;
use crate::keys::{Cursor, CursorKey, Place, Subscriber, SubscriberKey};
use crate::publish::read_on;
use crate::target::Kind;

/// The most subscribers of a bus; AWS's default quota.
pub(crate) const SUBSCRIBERS_MAX: usize = 10_000;

/// Retries where the caller does not say.
const RETRIES_DEFAULT: i32 = 5;
/// The age of an event, in seconds, up to which it is retried where the caller does not say.
const AGE_S_DEFAULT: i32 = 300;
/// Events of a batch where the caller does not say.
const BATCH_DEFAULT: i32 = 10;

/// The subscriber of an ARN, guarded.
pub(crate) async fn find(tx: &mut Tx, text: &str) -> Result<(SubscriberKey, Subscriber)> {
    let Named::Subscriber { name, id } = arn::parse(tx, text)? else {
        return Err(fault::invalid(format!("{text} is no ARN of a subscriber.")).into());
    };
    let key = SubscriberKey { name };
    match tx.get(&key).await?.filter(|found| found.id == id) {
        Some(found) => Ok((key, found)),
        None => Err(fault::not_found("Subscriber", text).into()),
    }
}

/// Refuses what cannot be served; what can is ready then.
pub(crate) fn check(tx: &Tx, name: &str, subscriber: &Subscriber) -> Result<(), Fault> {
    let running = Running::compile(name, subscriber)?;
    running.target.check(tx, &subscriber.bus_arn)?;
    if running.target.kind == Kind::ClassicBus && !matches!(running.transform, Transform::Raw) {
        return Err(fault::invalid(
            "A classic event bus as a target supports the transformer type RAW only.",
        ));
    }
    check_on_failure(tx, subscriber.on_failure.as_ref())?;
    if subscriber.log.as_ref().and_then(|log| log.level).is_some_and(|level| level != LogLevel::Off) {
        return Err(fault::not_honoured("LogConfiguration.Level other than OFF"));
    }
    check_role(tx, &subscriber.invoke)
}

fn check_role(tx: &Tx, invoke: &InvokeConfiguration) -> Result<(), Fault> {
    let account = invoke.role_arn.split(':').nth(4).unwrap_or_default();
    if account == tx.scope().account.as_str() {
        return Ok(());
    }
    Err(fault::invalid("InvokeConfiguration.RoleArn must belong to the calling account."))
}

/// Refuses a queue for failures that is none.
pub(crate) fn check_on_failure(tx: &Tx, given: Option<&OnFailureConfiguration>) -> Result<(), Fault> {
    let Some(text) = given.and_then(|given| given.arn.as_ref()) else { return Ok(()) };
    if text.ends_with(".fifo") {
        return Err(fault::not_honoured("OnFailureConfiguration.Arn of a FIFO queue"));
    }
    let queue = text.parse().ok().filter(|arn: &base::Arn| tx.targets().find(arn).is_some());
    match queue {
        Some(_) => Ok(()),
        None => Err(fault::invalid(format!("OnFailureConfiguration.Arn {text} is no Amazon SQS queue."))),
    }
}

/// A configuration of filters; an empty one is none.
pub(crate) fn filter_of(given: FilterConfiguration) -> Option<FilterConfiguration> {
    (given.filters.is_some() || given.language.is_some()).then_some(given)
}

/// The retry policy with AWS's defaults.
pub(crate) fn retry_of(given: Option<RetryPolicy>) -> RetryPolicy {
    let given = given.unwrap_or_default();
    RetryPolicy {
        max_retry_attempts: given.max_retry_attempts.or(Some(RETRIES_DEFAULT)),
        max_event_age_in_seconds: given.max_event_age_in_seconds.or(Some(AGE_S_DEFAULT)),
        retry_strategy: given.retry_strategy.or(Some(RetryStrategy::All)),
    }
}

/// The batching with AWS's defaults, and whether the caller asked for one event at a time. Sizes and windows are the most
/// that may be; every batch here has one event and waits for none.
pub(crate) fn batch_of(given: Option<BatchConfiguration>) -> (BatchConfiguration, bool) {
    let given = given.unwrap_or_default();
    let single = given.max_batch_size == Some(1);
    let batch = BatchConfiguration {
        max_batch_size: given.max_batch_size.or(Some(BATCH_DEFAULT)),
        max_batch_window_in_seconds: given.max_batch_window_in_seconds.or(Some(0)),
    };
    (batch, single)
}

/// The log settings with AWS's defaults.
pub(crate) fn log_of(given: Option<LogConfiguration>) -> Option<LogConfiguration> {
    given.map(|given| LogConfiguration { level: given.level.or(Some(LogLevel::Off)), ..given })
}

/// Refuses a starting position that does not fit together, or that lies outside what the bus keeps.
pub(crate) fn check_start(
    start: StartingPosition,
    point: Option<&PointInTimeConfiguration>,
    window_start: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let point = match (start, point) {
        (StartingPosition::Latest, None) => return Ok(()),
        (StartingPosition::Latest, Some(_)) => {
            let message = "PointInTimeConfiguration is for the starting position POINT_IN_TIME only.";
            return Err(fault::invalid(message));
        }
        (StartingPosition::PointInTime, None) => {
            let message = "PointInTimeConfiguration is required for the starting position POINT_IN_TIME.";
            return Err(fault::invalid(message));
        }
        (StartingPosition::PointInTime, Some(point)) => point,
    };
    match (point.point_type, point.starting_point) {
        (PointType::Horizon, Some(_)) => {
            return Err(fault::invalid("StartingPoint is for the point type TIMESTAMP only."));
        }
        (PointType::Timestamp, None) => {
            return Err(fault::invalid("StartingPoint is required for the point type TIMESTAMP."));
        }
        (PointType::Timestamp, Some(at)) if at < window_start || at > now => {
            let message = format!(
                "StartingPoint must be at or after {}, where the retention window starts, and not in the future.",
                window_start.to_iso_millis()
            );
            return Err(fault::invalid(message));
        }
        (PointType::Horizon, None) | (PointType::Timestamp, Some(_)) => {}
    }
    let from = point.starting_point.unwrap_or(window_start);
    match point.end_point {
        Some(until) if until <= from => Err(fault::invalid("EndPoint must be after the starting point.")),
        _ => Ok(()),
    }
}

/// Puts the cursor of a new subscriber, or of one that skips what came while it was stopped.
pub(crate) fn place(tx: &mut Tx, id: &str, start: StartingPosition) -> Result<()> {
    let after = (start == StartingPosition::PointInTime).then_some(Place::START);
    tx.put(&CursorKey { subscriber: id.to_owned() }, &Cursor { after, replay_until: None })
}

/// Has a running subscriber read, now and once more when its end point has come.
pub(crate) fn set_going(tx: &mut Tx, key: &SubscriberKey, subscriber: &Subscriber) -> Result<()> {
    if subscriber.state != SubscriberState::Running {
        return Ok(());
    }
    read_on(tx, &key.name, &subscriber.id, tx.now())?;
    match subscriber.point.as_ref().and_then(|point| point.end_point).filter(|end| *end > tx.now()) {
        Some(end) => read_on(tx, &key.name, &subscriber.id, end),
        None => Ok(()),
    }
}

/// Writes the subscriber. Whoever publishes to its bus looks at the bus's subscribers anew.
pub(crate) async fn write(tx: &mut Tx, key: &SubscriberKey, subscriber: &Subscriber) -> Result<()> {
    bus::attach(tx, id_of(&subscriber.bus_arn), 0, 0).await?;
    tx.put(key, subscriber)
}

/// Stops a subscriber that has had all that it was to have.
pub(crate) async fn stop(tx: &mut Tx, key: &SubscriberKey, subscriber: Subscriber) -> Result<()> {
    let now = tx.now();
    write(tx, key, &Subscriber { state: SubscriberState::Stopped, modified_at: now, ..subscriber }).await
}
