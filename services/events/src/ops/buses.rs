//! Buses.

use base::{Fault, Timestamp};
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CreateEventBusInput, CreateEventBusOutput, DeadLetterConfig, DeleteEventBusInput, DeleteEventBusOutput,
    DescribeEventBusInput, DescribeEventBusOutput, EventBus, ListEventBusesInput, ListEventBusesOutput,
    UpdateEventBusInput, UpdateEventBusOutput,
};
use crate::bus::{self, DEFAULT};
use crate::fault;
use crate::keys::{Bus, BusKey, RuleKey, RulesKey};
use crate::ops::{after, limit, page, tags};
use crate::sweep;
use crate::target;
use crate::validation;

/// The most buses of an account and region; AWS's default quota.
const BUSES_MAX: usize = 100;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html>
pub(crate) async fn create_event_bus(
    tx: &mut Tx,
    input: CreateEventBusInput,
) -> Result<CreateEventBusOutput> {
    if input.event_source_name.is_some() {
        return Err(fault::not_honoured("EventSourceName (a partner event bus)").into());
    }
    check_settings(tx, input.kms_key_identifier.as_ref(), input.dead_letter_config.as_ref())?;
    if input.name.contains('/') {
        return Err(fault::invalid("Event bus name must not contain '/'.").into());
    }
    let key = BusKey { name: input.name };
    if key.name == DEFAULT || tx.get(&key).await?.is_some() {
        let message = format!("Event bus {} already exists.", key.name);
        return Err(Fault::new("ResourceAlreadyExistsException", message).into());
    }
    if tx.scan::<BusKey>(Parts::none(), BUSES_MAX).await?.len() == BUSES_MAX {
        return Err(fault::limit_exceeded().into());
    }
    let (created_at, modified_at) = (tx.now(), tx.now());
    let tags = tags::to_map(input.tags.unwrap_or_default())?;
    let new = Bus {
        description: input.description,
        created_at,
        modified_at,
        tags,
        policy: None,
        dead_letter: input.dead_letter_config.and_then(|config| config.arn),
        log: input.log_config,
    };
    bus::write(tx, &key.name, &new).await?;
    Ok(CreateEventBusOutput {
        event_bus_arn: Some(bus::arn(tx, &key.name)),
        description: new.description,
        dead_letter_config: dead_letter(new.dead_letter),
        log_config: new.log,
        kms_key_identifier: None,
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html>
pub(crate) async fn describe_event_bus(
    tx: &mut Tx,
    input: DescribeEventBusInput,
) -> Result<DescribeEventBusOutput> {
    let name = bus::enter_to(tx, input.name.as_deref(), "events:DescribeEventBus", None).await?;
    let found = bus::find(tx, &name).await?;
    Ok(DescribeEventBusOutput {
        arn: Some(bus::arn(tx, &name)),
        name: Some(name),
        creation_time: time(found.created_at),
        last_modified_time: time(found.modified_at),
        description: found.description,
        policy: found.policy,
        dead_letter_config: dead_letter(found.dead_letter),
        log_config: found.log,
        ..DescribeEventBusOutput::default()
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateEventBus.html>
pub(crate) async fn update_event_bus(
    tx: &mut Tx,
    input: UpdateEventBusInput,
) -> Result<UpdateEventBusOutput> {
    check_settings(tx, input.kms_key_identifier.as_ref(), input.dead_letter_config.as_ref())?;
    let name = bus::enter_to(tx, input.name.as_deref(), "events:UpdateEventBus", None).await?;
    let before = bus::find_guarded(tx, &name).await?;
    let changed = Bus {
        description: input.description.or(before.description),
        // A configuration without an ARN takes the queue away.
        dead_letter: input.dead_letter_config.map_or(before.dead_letter, |config| config.arn),
        log: input.log_config.or(before.log),
        modified_at: tx.now(),
        ..before
    };
    bus::write(tx, &name, &changed).await?;
    Ok(UpdateEventBusOutput {
        arn: Some(bus::arn(tx, &name)),
        name: Some(name),
        description: changed.description,
        dead_letter_config: dead_letter(changed.dead_letter),
        log_config: changed.log,
        kms_key_identifier: None,
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html>
pub(crate) async fn delete_event_bus(
    tx: &mut Tx,
    input: DeleteEventBusInput,
) -> Result<DeleteEventBusOutput> {
    let name = bus::enter_to(tx, Some(&input.name), "events:DeleteEventBus", None).await?;
    if name == DEFAULT {
        return Err(fault::invalid("Cannot delete event bus default.").into());
    }
    if !tx.scan::<RuleKey>(Parts::of(&name), 1).await?.is_empty() {
        return Err(fault::invalid(format!("Event bus {name} can't be deleted since it has rules.")).into());
    }
    // The guard of the bus's rules: one that is being put now makes one of the two run again.
    tx.get(&RulesKey { bus: name.clone() }).await?;
    tx.delete(&RulesKey { bus: name.clone() });
    validation::forget(tx, &name).await?;
    sweep::forget_later(tx, &name)?;
    tx.delete(&BusKey { name });
    Ok(DeleteEventBusOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html>
pub(crate) async fn list_event_buses(
    tx: &mut Tx,
    input: ListEventBusesInput,
) -> Result<ListEventBusesOutput> {
    let limit = limit(input.limit);
    let prefix = input.name_prefix.unwrap_or_default();
    let parts = Parts::none().and_starting_with(&prefix);
    let token = after(input.next_token)?;
    let mut rows = match &token {
        None => tx.scan::<BusKey>(parts, limit + 1).await?,
        Some(token) => {
            tx.scan_after(parts, &BusKey { name: token.clone() }, limit + 1, Direction::Forward).await?
        }
    };
    if token.is_none() && DEFAULT.starts_with(&prefix) {
        rows.retain(|(key, _)| key.name != DEFAULT);
        let default = bus::find(tx, DEFAULT).await?;
        rows.insert(0, (BusKey { name: DEFAULT.to_owned() }, default));
    }
    let (rows, next_token) = page(rows, limit, |(key, _)| key.name.clone());
    let show = |(key, found): (BusKey, Bus)| EventBus {
        arn: Some(bus::arn(tx, &key.name)),
        name: Some(key.name),
        creation_time: time(found.created_at),
        last_modified_time: time(found.modified_at),
        description: found.description,
        policy: found.policy,
        managed_by: None,
    };
    Ok(ListEventBusesOutput { event_buses: Some(rows.into_iter().map(show).collect()), next_token })
}

/// The default bus that nobody changed has no times.
fn time(at: Timestamp) -> Option<Timestamp> {
    (at.as_millis() != 0).then_some(at)
}

fn dead_letter(arn: Option<String>) -> Option<DeadLetterConfig> {
    arn.map(|arn| DeadLetterConfig { arn: Some(arn) })
}

fn check_settings(
    tx: &Tx,
    key: Option<&String>,
    dead_letter: Option<&DeadLetterConfig>,
) -> Result<(), Fault> {
    if key.is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("KmsKeyIdentifier"));
    }
    target::check_dead_letter(tx, dead_letter)
}
