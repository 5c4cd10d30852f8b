use kernel::{Result, Tx};

use crate::api::{CreateSubscriberInput, CreateSubscriberOutput, StartingPosition, SubscriberState};
use crate::keys::{OnBusKey, Subscriber, SubscriberKey};
use crate::ops::tags;
use crate::subscriber::{self, SUBSCRIBERS_MAX};
use crate::{arn, bus, fault, token};

/// Makes a subscriber, which reads its bus's log from its starting position on.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_CreateSubscriber.html>
pub(crate) async fn create_subscriber(
    tx: &mut Tx,
    mut input: CreateSubscriberInput,
) -> Result<CreateSubscriberOutput> {
    let client_token = input.client_token.take();
    if let Some(known) = token::known(tx, client_token.as_ref(), &input).await? {
        let (key, found) = subscriber::find(tx, &known).await?;
        return Ok(created(tx, key, found));
    }
    let (_, on) = bus::find(tx, &input.event_bus_arn).await?;
    let key = SubscriberKey { name: input.name.clone() };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Subscriber", &key.name).into());
    }
    let request = serde_json::to_value(&input)?;
    let new = of_input(tx, input)?;
    subscriber::check_start(new.start, new.point.as_ref(), on.window_start(tx.now()), tx.now())?;
    subscriber::check(tx, &key.name, &new)?;
    let attached = bus::attach(tx, &on.id, 1, 0).await?;
    if attached.subscribers as usize > SUBSCRIBERS_MAX {
        return Err(fault::limit_exceeded("subscribers of an event bus", SUBSCRIBERS_MAX).into());
    }
    tx.put(&OnBusKey { bus: on.id, name: key.name.clone() }, &())?;
    tx.put(&key, &new)?;
    subscriber::place(tx, &new.id, new.start)?;
    subscriber::set_going(tx, &key, &new)?;
    token::remember(tx, client_token, &request, &arn::of_subscriber(tx, &key.name, &new.id))?;
    Ok(created(tx, key, new))
}

fn of_input(tx: &Tx, input: CreateSubscriberInput) -> Result<Subscriber> {
    let now = tx.now();
    // An empty configuration is refused here, where it is no way to take one away.
    let filter = input.filter_configuration;
    let (batch, single) = subscriber::batch_of(input.batch_configuration);
    Ok(Subscriber {
        id: arn::fresh_id(tx),
        bus_arn: input.event_bus_arn,
        description: input.description,
        invoke: input.invoke_configuration,
        filter,
        ordering: input.r#type.unwrap_or(crate::api::OrderingType::Unordered),
        start: input.starting_position.unwrap_or(StartingPosition::Latest),
        point: input.point_in_time_configuration,
        batch,
        single,
        transformer: input.transformer,
        retry: subscriber::retry_of(input.retry_policy),
        on_failure: input.on_failure_configuration,
        log: subscriber::log_of(input.log_configuration),
        state: input.state.unwrap_or(SubscriberState::Running),
        revoked: false,
        created_at: now,
        modified_at: now,
        tags: tags::checked(input.tags.unwrap_or_default())?,
    })
}

fn created(tx: &Tx, key: SubscriberKey, found: Subscriber) -> CreateSubscriberOutput {
    CreateSubscriberOutput {
        subscriber_arn: Some(arn::of_subscriber(tx, &key.name, &found.id)),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        r#type: Some(found.ordering),
        starting_position: Some(found.start),
        point_in_time_configuration: found.point,
        state: Some(found.state),
        creation_time: Some(found.created_at),
    }
}
