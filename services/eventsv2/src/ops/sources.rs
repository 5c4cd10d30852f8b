//! Event sources.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CreateEventSourceInput, CreateEventSourceOutput, DeleteEventSourceInput, DeleteEventSourceOutput,
    DescribeEventSourceInput, DescribeEventSourceOutput, EventSourceState, EventSourceSummary,
    EventSourceType, ListEventSourcesInput, ListEventSourcesOutput, UpdateEventSourceInput,
    UpdateEventSourceOutput,
};
use crate::keys::{Source, SourceKey};
use crate::ops::{page, page_size, tags};
use crate::{arn, bus, fault, source, subscriber, token};

/// The most event sources of an account and region; AWS's default quota.
const SOURCES_MAX: usize = 200;

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_CreateEventSource.html>
pub(crate) async fn create_event_source(
    tx: &mut Tx,
    mut input: CreateEventSourceInput,
) -> Result<CreateEventSourceOutput> {
    let client_token = input.client_token.take();
    if let Some(known) = token::known(tx, client_token.as_ref(), &input).await? {
        let (key, found) = source::find(tx, &known).await?;
        return Ok(created(tx, key, found));
    }
    let events = source::aws_events(&input.configuration)?;
    subscriber::check_on_failure(tx, events.on_failure_configuration.as_ref())?;
    let (_, on) = bus::find(tx, &input.event_bus_arn).await?;
    let key = SourceKey { name: input.name.clone() };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Event source", &key.name).into());
    }
    if tx.scan::<SourceKey>(Parts::none(), SOURCES_MAX).await?.len() == SOURCES_MAX {
        return Err(fault::limit_exceeded("event sources", SOURCES_MAX).into());
    }
    let now = tx.now();
    let new = Source {
        id: arn::fresh_id(tx),
        bus_arn: input.event_bus_arn.clone(),
        configuration: input.configuration.clone(),
        description: input.description.clone(),
        state: EventSourceState::Creating,
        revoked: false,
        created_at: now,
        modified_at: now,
        tags: tags::checked(input.tags.clone().unwrap_or_default())?,
    };
    bus::attach(tx, &on.id, 0, 1).await?;
    tx.put(&key, &new)?;
    source::feed(tx, &key, &new)?;
    token::remember(tx, client_token, &input, &arn::of_source(tx, &key.name, &new.id))?;
    Ok(created(tx, key, new))
}

fn created(tx: &Tx, key: SourceKey, found: Source) -> CreateEventSourceOutput {
    CreateEventSourceOutput {
        event_source_arn: Some(arn::of_source(tx, &key.name, &found.id)),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        state: Some(found.state),
        creation_time: Some(found.created_at),
    }
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DescribeEventSource.html>
pub(crate) async fn describe_event_source(
    tx: &mut Tx,
    input: DescribeEventSourceInput,
) -> Result<DescribeEventSourceOutput> {
    let (key, found) = source::find(tx, &input.event_source_arn).await?;
    Ok(DescribeEventSourceOutput {
        event_source_arn: Some(input.event_source_arn),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        configuration: Some(found.configuration),
        description: found.description,
        state: Some(found.state),
        revoked: found.revoked.then_some(true),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_UpdateEventSource.html>
pub(crate) async fn update_event_source(
    tx: &mut Tx,
    input: UpdateEventSourceInput,
) -> Result<UpdateEventSourceOutput> {
    let (key, before) = source::find(tx, &input.event_source_arn).await?;
    if before.revoked {
        return Err(fault::revoked(&input.event_source_arn).into());
    }
    let changed = Source {
        configuration: input.configuration.unwrap_or(before.configuration),
        description: input.description.or(before.description),
        state: match before.state {
            EventSourceState::Creating | EventSourceState::CreateFailed => EventSourceState::Creating,
            _ => EventSourceState::Updating,
        },
        modified_at: tx.now(),
        ..before
    };
    let events = source::aws_events(&changed.configuration)?;
    subscriber::check_on_failure(tx, events.on_failure_configuration.as_ref())?;
    tx.put(&key, &changed)?;
    source::feed(tx, &key, &changed)?;
    Ok(UpdateEventSourceOutput {
        event_source_arn: Some(input.event_source_arn),
        name: Some(key.name),
        event_bus_arn: Some(changed.bus_arn),
        state: Some(changed.state),
        last_modified_time: Some(changed.modified_at),
    })
}

/// A source is gone when this is answered; its rule on the default bus follows.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DeleteEventSource.html>
pub(crate) async fn delete_event_source(
    tx: &mut Tx,
    input: DeleteEventSourceInput,
) -> Result<DeleteEventSourceOutput> {
    let (key, found) = source::find(tx, &input.event_source_arn).await?;
    if !found.revoked {
        bus::attach(tx, bus::id_of(&found.bus_arn), 0, -1).await?;
        source::unfeed(tx, &key.name)?;
    }
    tx.delete(&key);
    Ok(DeleteEventSourceOutput {})
}

/// Event sources of one bus or of all, by name; a token is the last name of its page.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_ListEventSources.html>
pub(crate) async fn list_event_sources(
    tx: &mut Tx,
    input: ListEventSourcesInput,
) -> Result<ListEventSourcesOutput> {
    let size = page_size(input.max_results);
    let on = match &input.event_bus_arn {
        Some(bus_arn) => Some(bus::find(tx, bus_arn).await?.1.id),
        None => None,
    };
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    // There are at most two hundred: those of one bus are picked out of all.
    let rows = match input.next_token {
        None => tx.scan::<SourceKey>(parts, SOURCES_MAX).await?,
        Some(name) => tx.scan_after(parts, &SourceKey { name }, SOURCES_MAX, Direction::Forward).await?,
    };
    let wanted = |source: &Source| on.as_deref().is_none_or(|on| bus::id_of(&source.bus_arn) == on);
    let rows = rows.into_iter().filter(|(_, source)| wanted(source)).take(size + 1).collect();
    let (rows, next_token) = page(rows, size, |(key, _): &(SourceKey, Source)| key.name.clone());
    let account = tx.scope().account.to_string();
    let show = |(key, found): (SourceKey, Source)| EventSourceSummary {
        event_source_arn: Some(arn::of_source(tx, &key.name, &found.id)),
        name: Some(key.name),
        event_bus_arn: Some(found.bus_arn),
        r#type: Some(EventSourceType::AwsServiceEvents),
        state: Some(found.state),
        revoked: found.revoked.then_some(true),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        event_source_account_id: Some(account.clone()),
    };
    Ok(ListEventSourcesOutput { event_sources: Some(rows.into_iter().map(show).collect()), next_token })
}
