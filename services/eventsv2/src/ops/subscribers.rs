//! Subscribers: shown, listed, removed.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    DeleteSubscriberInput, DeleteSubscriberOutput, DescribeSubscriberInput, DescribeSubscriberOutput,
    ListSubscribersInput, ListSubscribersOutput, SubscriberSummary,
};
use crate::keys::{CursorKey, OnBusKey, Subscriber, SubscriberKey};
use crate::ops::{page, page_size};
use crate::{arn, bus, subscriber};

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DescribeSubscriber.html>
pub(crate) async fn describe_subscriber(
    tx: &mut Tx,
    input: DescribeSubscriberInput,
) -> Result<DescribeSubscriberOutput> {
    let (key, found) = subscriber::find(tx, &input.subscriber_arn).await?;
    Ok(DescribeSubscriberOutput {
        subscriber_arn: Some(input.subscriber_arn),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        invoke_configuration: Some(found.invoke),
        description: found.description,
        filter_configuration: found.filter,
        r#type: Some(found.ordering),
        starting_position: Some(found.start),
        point_in_time_configuration: found.point,
        batch_configuration: Some(found.batch),
        transformer: found.transformer,
        retry_policy: Some(found.retry),
        on_failure_configuration: found.on_failure,
        log_configuration: found.log,
        state: Some(found.state),
        revoked: found.revoked.then_some(true),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
    })
}

/// Removes a subscriber. What was handed over for delivery already goes on.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DeleteSubscriber.html>
pub(crate) async fn delete_subscriber(
    tx: &mut Tx,
    input: DeleteSubscriberInput,
) -> Result<DeleteSubscriberOutput> {
    let (key, found) = subscriber::find(tx, &input.subscriber_arn).await?;
    let bus = bus::id_of(&found.bus_arn).to_owned();
    // A revoked one does not count any more, and its bus may be gone.
    if !found.revoked {
        bus::attach(tx, &bus, -1, 0).await?;
    }
    tx.delete(&OnBusKey { bus, name: key.name.clone() });
    tx.delete(&CursorKey { subscriber: found.id });
    tx.delete(&key);
    Ok(DeleteSubscriberOutput {})
}

/// Subscribers of one bus or of all, by name; a token is the last name of its page.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_ListSubscribers.html>
pub(crate) async fn list_subscribers(
    tx: &mut Tx,
    input: ListSubscribersInput,
) -> Result<ListSubscribersOutput> {
    let size = page_size(input.max_results);
    let prefix = input.name_prefix.unwrap_or_default();
    let rows = match input.event_bus_arn {
        Some(bus_arn) => {
            let (_, on) = bus::find(tx, &bus_arn).await?;
            on_bus(tx, on.id, &prefix, input.next_token, size + 1).await?
        }
        None => {
            let parts = Parts::none().and_starting_with(&prefix);
            match input.next_token {
                None => tx.scan::<SubscriberKey>(parts, size + 1).await?,
                Some(name) => {
                    tx.scan_after(parts, &SubscriberKey { name }, size + 1, Direction::Forward).await?
                }
            }
        }
    };
    let (rows, next_token) = page(rows, size, |(key, _)| key.name.clone());
    let account = tx.scope().account.to_string();
    let show = |(key, found): (SubscriberKey, Subscriber)| SubscriberSummary {
        subscriber_arn: Some(arn::of_subscriber(tx, &key.name, &found.id)),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        target_arn: Some(found.invoke.target_arn),
        r#type: Some(found.ordering),
        revoked: found.revoked.then_some(true),
        state: Some(found.state),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        subscriber_account_id: Some(account.clone()),
    };
    Ok(ListSubscribersOutput { subscribers: Some(rows.into_iter().map(show).collect()), next_token })
}

async fn on_bus(
    tx: &mut Tx,
    bus: String,
    prefix: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Vec<(SubscriberKey, Subscriber)>> {
    let parts = Parts::of(&bus).and_starting_with(prefix);
    let names = match after {
        None => tx.scan::<OnBusKey>(parts, limit).await?,
        Some(name) => tx.scan_after(parts, &OnBusKey { bus, name }, limit, Direction::Forward).await?,
    };
    let mut rows = Vec::with_capacity(names.len());
    for (OnBusKey { name, .. }, ()) in names {
        let key = SubscriberKey { name };
        if let Some(found) = tx.peek(&key).await? {
            rows.push((key, found));
        }
    }
    Ok(rows)
}
