//! Buses.

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CreateEventBusInput, CreateEventBusOutput, DeleteEventBusInput, DeleteEventBusOutput,
    DescribeEventBusInput, DescribeEventBusOutput, EventBusSummary, ListEventBusesInput,
    ListEventBusesOutput, StorageConfiguration, UpdateEventBusInput, UpdateEventBusOutput,
};
use crate::keys::{AttachedKey, Bus, BusKey};
use crate::ops::{page, page_size, tags};
use crate::{arn, bus, fault, sweep, token};

/// The most buses of an account and region; AWS's default quota.
const BUSES_MAX: usize = 5;

/// A bus is ready when this is answered; at AWS it is `CREATING` for a while.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_CreateEventBus.html>
pub(crate) async fn create_event_bus(
    tx: &mut Tx,
    mut input: CreateEventBusInput,
) -> Result<CreateEventBusOutput> {
    let client_token = input.client_token.take();
    if let Some(known) = token::known(tx, client_token.as_ref(), &input).await? {
        let (key, found) = bus::find(tx, &known).await?;
        return Ok(created(tx, key, found));
    }
    bus::check_encryption(input.encryption_configuration.as_ref())?;
    let key = BusKey { name: input.name.clone() };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Event bus", &key.name).into());
    }
    if tx.scan::<BusKey>(Parts::none(), BUSES_MAX).await?.len() == BUSES_MAX {
        return Err(fault::limit_exceeded("event buses", BUSES_MAX).into());
    }
    let now = tx.now();
    let new = Bus {
        id: arn::fresh_id(tx),
        description: input.description.clone(),
        retention_days: retention(input.storage_configuration.as_ref())
            .unwrap_or(bus::RETENTION_DAYS_DEFAULT),
        created_at: now,
        modified_at: now,
        tags: tags::checked(input.tags.clone().unwrap_or_default())?,
    };
    tx.put(&key, &new)?;
    token::remember(tx, client_token, &input, &arn::of_bus(tx, &key.name, &new.id))?;
    sweep::begin(tx, &key.name, &new.id)?;
    Ok(created(tx, key, new))
}

fn created(tx: &Tx, key: BusKey, found: Bus) -> CreateEventBusOutput {
    CreateEventBusOutput {
        event_bus_arn: Some(arn::of_bus(tx, &key.name, &found.id)),
        name: Some(key.name),
        storage_configuration: Some(found.storage(tx.now())),
        description: found.description,
        state: Some(bus::STATE),
        creation_time: Some(found.created_at),
        ..CreateEventBusOutput::default()
    }
}

fn retention(given: Option<&StorageConfiguration>) -> Option<u32> {
    given.and_then(|storage| storage.retention_period_in_days).map(i32::unsigned_abs)
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DescribeEventBus.html>
pub(crate) async fn describe_event_bus(
    tx: &mut Tx,
    input: DescribeEventBusInput,
) -> Result<DescribeEventBusOutput> {
    let (key, found) = bus::find(tx, &input.event_bus_arn).await?;
    Ok(DescribeEventBusOutput {
        event_bus_arn: Some(input.event_bus_arn),
        name: Some(key.name),
        storage_configuration: Some(found.storage(tx.now())),
        description: found.description,
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        state: Some(bus::STATE),
        ..DescribeEventBusOutput::default()
    })
}

/// What is not given stays as it is.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_UpdateEventBus.html>
pub(crate) async fn update_event_bus(
    tx: &mut Tx,
    input: UpdateEventBusInput,
) -> Result<UpdateEventBusOutput> {
    bus::check_encryption(input.encryption_configuration.as_ref())?;
    let (key, before) = bus::find(tx, &input.event_bus_arn).await?;
    let changed = Bus {
        description: input.description.or(before.description),
        retention_days: retention(input.storage_configuration.as_ref()).unwrap_or(before.retention_days),
        modified_at: tx.now(),
        ..before
    };
    tx.put(&key, &changed)?;
    Ok(UpdateEventBusOutput {
        event_bus_arn: Some(input.event_bus_arn),
        name: Some(key.name),
        storage_configuration: Some(changed.storage(tx.now())),
        description: changed.description,
        state: Some(bus::STATE),
        last_modified_time: Some(changed.modified_at),
        ..UpdateEventBusOutput::default()
    })
}

/// A bus is gone when this is answered; what it kept is removed page by page.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_DeleteEventBus.html>
pub(crate) async fn delete_event_bus(
    tx: &mut Tx,
    input: DeleteEventBusInput,
) -> Result<DeleteEventBusOutput> {
    let (key, found) = bus::find(tx, &input.event_bus_arn).await?;
    let attached = bus::attached(tx, &found.id).await?;
    let blocking: Vec<String> = [(attached.subscribers, "subscribers"), (attached.sources, "event sources")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    if !blocking.is_empty() {
        let message = format!("Event bus {} still has {}.", input.event_bus_arn, blocking.join(" and "));
        return Err(fault::in_use(message).into());
    }
    tx.delete(&AttachedKey { bus: found.id.clone() });
    tx.delete(&key);
    sweep::forget(tx, &key.name, &found.id)?;
    Ok(DeleteEventBusOutput {})
}

/// Buses by name; a token is the last name of its page.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_ListEventBuses.html>
pub(crate) async fn list_event_buses(
    tx: &mut Tx,
    input: ListEventBusesInput,
) -> Result<ListEventBusesOutput> {
    let account = tx.scope().account.to_string();
    if input.event_bus_account_id.is_some_and(|wanted| wanted != account) {
        return Ok(ListEventBusesOutput { event_buses: Some(Vec::new()), next_token: None });
    }
    let size = page_size(input.max_results);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match input.next_token {
        None => tx.scan::<BusKey>(parts, size + 1).await?,
        Some(name) => tx.scan_after(parts, &BusKey { name }, size + 1, Direction::Forward).await?,
    };
    let (rows, next_token) = page(rows, size, |(key, _)| key.name.clone());
    let show = |(key, found): (BusKey, Bus)| EventBusSummary {
        event_bus_arn: Some(arn::of_bus(tx, &key.name, &found.id)),
        name: Some(key.name),
        description: found.description,
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        state: Some(bus::STATE),
        state_reason: None,
        event_bus_account_id: Some(account.clone()),
    };
    Ok(ListEventBusesOutput { event_buses: Some(rows.into_iter().map(show).collect()), next_token })
}
