//! Subscriptions: events that match a pattern go to a function, as text in gzip in base64.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>

use std::io::Write as _;

use base::{Arn, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use kernel::{Delivery, Error, NewTask, Result, RetryPolicy, Tx};
use serde::Serialize;
use serde_json::json;

use crate::fault;
use crate::filter::Filter;
use crate::keys::{Group, StreamKey, Subscription};
use crate::token::Place;

/// In whose name functions are called.
const PRINCIPAL: &str = "logs.amazonaws.com";

/// What a function gets, before it is compressed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'a str; 1],
    log_events: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    timestamp: i64,
    message: &'a str,
}

/// The function that a destination names.
///
/// # Errors
/// `InvalidParameterException`: anything else; also the function whose own log this is, which would never end.
pub(crate) fn check_destination(tx: &Tx, group: &str, text: &str) -> Result<(), Fault> {
    let arn: Arn = text.parse().map_err(|_| fault::invalid(format!("{text} is no ARN.")))?;
    let name = arn.resource_after("function").filter(|_| arn.service == "lambda");
    let Some(name) = name.filter(|_| tx.targets().find(&arn).is_some()) else {
        return Err(fault::not_honoured("a destinationArn that is not a Lambda function's"));
    };
    let function = name.split(':').next().unwrap_or(name);
    if group == format!("/aws/lambda/{function}") {
        return Err(fault::invalid(
            "A function cannot subscribe to its own log: each call would cause the next.",
        ));
    }
    Ok(())
}

/// Sends lines that were added to a stream to those who subscribed to them, in tasks of this transaction.
pub(crate) fn forward(
    tx: &mut Tx,
    group: &Group,
    stream: &StreamKey,
    lines: &[(Place, String)],
) -> Result<()> {
    for (name, subscription) in &group.subscriptions {
        let filter = Filter::parse(&subscription.pattern)?;
        let wanted = lines.iter().filter(|(_, message)| filter.matches(message));
        let events: Vec<Line<'_>> = wanted
            .map(|(place, message)| Line { id: place.event_id(), timestamp: place.at, message })
            .collect();
        if !events.is_empty() {
            send(tx, name, subscription, stream, events)?;
        }
    }
    Ok(())
}

fn send(
    tx: &mut Tx,
    name: &str,
    subscription: &Subscription,
    stream: &StreamKey,
    log_events: Vec<Line<'_>>,
) -> Result<()> {
    let owner = tx.scope().account.to_string();
    let data = Data {
        message_type: "DATA_MESSAGE",
        owner: &owner,
        log_group: &stream.group,
        log_stream: &stream.name,
        subscription_filters: [name],
        log_events,
    };
    let data = STANDARD.encode(compressed(&serde_json::to_vec(&data)?)?);
    let arn: Arn = subscription.destination.parse().map_err(|_| Error::bug("read a destination's ARN"))?;
    let Some(kind) = tx.targets().find(&arn).copied() else {
        return Err(Error::bug("find the kind of a subscription's destination"));
    };
    let delivery = Delivery {
        payload: json!({ "awslogs": { "data": data } }).to_string(),
        idempotency_key: tx.id().to_string(),
        ..Delivery::default()
    };
    let scope = tx.scope().clone();
    let account = arn.account_id().unwrap_or(scope.account);
    let region = arn.region_name().unwrap_or(scope.region);
    let task = NewTask {
        retry: RetryPolicy::event_bridge(),
        lane: Some(subscription.destination.clone()),
        note: Some(format!("subscription {name} to {}", stream.group)),
        caller: Some(tx.caller().as_service(PRINCIPAL, account, region)),
        ..NewTask::new((kind.call)(&arn, delivery)?)
    };
    match tx.enqueue(tx.now(), task) {
        // Functions that log of each other's logs end here. Their lines are kept all the same.
        Err(Error::Fault(fault)) if fault.code == "RecursiveInvocationException" => {
            tx.fact("subscription", name, Some(json!({ "ended": fault.message })));
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

fn compressed(text: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::default());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.map_err(|error| Error::bug(format!("compress lines in memory: {error}")))
}
