//! Discoverers: a started one has a managed rule on its bus, which sends it every event.

use base::{Arn, Fault};
use kernel::{Call, Effect, NewTask, Parts, Result, RetryPolicy, RetryWhen, Tx};
use serde_json::json;

use crate::api::{
    CreateDiscovererInput, CreateDiscovererOutput, DeleteDiscovererInput, DeleteDiscovererOutput,
    DescribeDiscovererInput, DescribeDiscovererOutput, DiscovererState, DiscovererSummary,
    ListDiscoverersInput, ListDiscoverersOutput, StartDiscovererInput, StartDiscovererOutput,
    StopDiscovererInput, StopDiscovererOutput, UpdateDiscovererInput, UpdateDiscovererOutput,
};
use crate::fault;
use crate::keys::{Discoverer, DiscovererKey, Registry, RegistryKey};
use crate::name::{self, DISCOVERED};
use crate::ops::{limit, page, tags};

/// The most discoverers of an account and region: one for every bus that there can be.
const DISCOVERERS_MAX: usize = 1_000;
/// Who manages the rules.
const PRINCIPAL: &str = "schemas.amazonaws.com";

/// Makes a discoverer of a bus that exists, and starts it.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers.html>
pub(crate) async fn create_discoverer(
    effect: &Effect,
    input: CreateDiscovererInput,
) -> Result<CreateDiscovererOutput> {
    let bus = bus_of(&input.source_arn, effect)?;
    let describe = serde_json::to_vec(&json!({ "Name": bus }))?;
    effect.call("events", "DescribeEventBus", describe.into()).await.map_err(|fault| {
        if fault.code == "ResourceNotFoundException" { fault::bad_request(fault.message) } else { fault }
    })?;
    effect.transact("CreateDiscoverer", create, input).await
}

/// The bus's name, if it is one of the caller's account and region.
fn bus_of(source: &str, effect: &Effect) -> Result<String, Fault> {
    let arn: Option<Arn> = source.parse().ok();
    let here = |arn: &Arn| {
        arn.service == "events"
            && arn.account == effect.caller().account.as_str()
            && arn.region == effect.caller().region.as_str()
    };
    let bus = arn.filter(here).and_then(|arn| arn.resource.strip_prefix("event-bus/").map(str::to_owned));
    bus.ok_or_else(|| {
        fault::bad_request(format!("SourceArn {source} is no event bus of this account and region."))
    })
}

async fn create(tx: &mut Tx, input: CreateDiscovererInput) -> Result<CreateDiscovererOutput> {
    let bus = input.source_arn.rsplit('/').next().unwrap_or_default();
    let key = DiscovererKey { id: name::discoverer_id(bus) };
    if tx.get(&key).await?.is_some() {
        return Err(fault::conflict(format!("Discoverer with id {} already exists.", key.id)).into());
    }
    let registry = RegistryKey { name: DISCOVERED.to_owned() };
    if tx.get(&registry).await?.is_none() {
        tx.put(&registry, &discovered())?;
    }
    let discoverer = Discoverer {
        description: input.description,
        source: input.source_arn,
        // As at AWS, other accounts' events count unless it is said that they do not.
        cross_account: input.cross_account.unwrap_or(true),
        started: true,
        tags: tags::checked(input.tags.unwrap_or_default())?,
    };
    write(tx, &key, &discoverer)?;
    Ok(CreateDiscovererOutput {
        description: discoverer.description,
        discoverer_arn: Some(name::discoverer_arn(tx.scope(), &key.id)),
        discoverer_id: Some(key.id),
        source_arn: Some(discoverer.source),
        state: Some(DiscovererState::Started),
        cross_account: Some(discoverer.cross_account),
        tags: Some(discoverer.tags),
    })
}

/// The registry that discoverers write to.
pub(crate) fn discovered() -> Registry {
    let description = Some("Contains the schemas that discoverers found".to_owned());
    Registry { description, tags: [].into(), policy: None }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers-id-discovererid.html>
pub(crate) async fn describe_discoverer(
    tx: &mut Tx,
    input: DescribeDiscovererInput,
) -> Result<DescribeDiscovererOutput> {
    let (key, discoverer) = find(tx, &input.discoverer_id).await?;
    Ok(DescribeDiscovererOutput {
        state: Some(state(&discoverer)),
        description: discoverer.description,
        discoverer_arn: Some(name::discoverer_arn(tx.scope(), &key.id)),
        discoverer_id: Some(key.id),
        source_arn: Some(discoverer.source),
        cross_account: Some(discoverer.cross_account),
        tags: Some(discoverer.tags),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers-id-discovererid.html>
pub(crate) async fn update_discoverer(
    tx: &mut Tx,
    input: UpdateDiscovererInput,
) -> Result<UpdateDiscovererOutput> {
    let (key, mut discoverer) = find(tx, &input.discoverer_id).await?;
    discoverer.description = input.description.or(discoverer.description);
    discoverer.cross_account = input.cross_account.unwrap_or(discoverer.cross_account);
    tx.put(&key, &discoverer)?;
    // One that is stopped has no rule.
    if discoverer.started {
        rule(tx, &key, &discoverer)?;
    }
    Ok(UpdateDiscovererOutput {
        state: Some(state(&discoverer)),
        description: discoverer.description,
        discoverer_arn: Some(name::discoverer_arn(tx.scope(), &key.id)),
        discoverer_id: Some(key.id),
        source_arn: Some(discoverer.source),
        cross_account: Some(discoverer.cross_account),
        tags: Some(discoverer.tags),
    })
}

/// Deletes a discoverer and its rule; what it found stays.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers-id-discovererid.html>
pub(crate) async fn delete_discoverer(
    tx: &mut Tx,
    input: DeleteDiscovererInput,
) -> Result<DeleteDiscovererOutput> {
    let (key, discoverer) = find(tx, &input.discoverer_id).await?;
    tx.delete(&key);
    if discoverer.started {
        rule(tx, &key, &Discoverer { started: false, ..discoverer })?;
    }
    Ok(DeleteDiscovererOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers-id-discovererid-start.html>
pub(crate) async fn start_discoverer(
    tx: &mut Tx,
    input: StartDiscovererInput,
) -> Result<StartDiscovererOutput> {
    let (key, discoverer) = find(tx, &input.discoverer_id).await?;
    write(tx, &key, &Discoverer { started: true, ..discoverer })?;
    Ok(StartDiscovererOutput { discoverer_id: Some(key.id), state: Some(DiscovererState::Started) })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers-id-discovererid-stop.html>
pub(crate) async fn stop_discoverer(tx: &mut Tx, input: StopDiscovererInput) -> Result<StopDiscovererOutput> {
    let (key, discoverer) = find(tx, &input.discoverer_id).await?;
    if discoverer.started {
        write(tx, &key, &Discoverer { started: false, ..discoverer })?;
    }
    Ok(StopDiscovererOutput { discoverer_id: Some(key.id), state: Some(DiscovererState::Stopped) })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discoverers.html>
pub(crate) async fn list_discoverers(
    tx: &mut Tx,
    input: ListDiscoverersInput,
) -> Result<ListDiscoverersOutput> {
    let limit = limit(input.limit)?;
    let ids = input.discoverer_id_prefix.unwrap_or_default();
    let sources = input.source_arn_prefix.unwrap_or_default();
    let rows = tx.scan::<DiscovererKey>(Parts::none().and_starting_with(&ids), DISCOVERERS_MAX).await?;
    let wanted = rows.into_iter().filter(|(_, discoverer)| discoverer.source.starts_with(&sources));
    let (page, next_token) = page(wanted, |(key, _)| &key.id, input.next_token.as_deref(), limit);
    let summaries = page.into_iter().map(|(key, discoverer)| DiscovererSummary {
        state: Some(state(&discoverer)),
        discoverer_arn: Some(name::discoverer_arn(tx.scope(), &key.id)),
        discoverer_id: Some(key.id),
        source_arn: Some(discoverer.source),
        cross_account: Some(discoverer.cross_account),
        tags: Some(discoverer.tags),
    });
    Ok(ListDiscoverersOutput { discoverers: Some(summaries.collect()), next_token })
}

/// The discoverer, guarded.
pub(crate) async fn find(tx: &mut Tx, id: &str) -> Result<(DiscovererKey, Discoverer)> {
    let key = DiscovererKey { id: id.to_owned() };
    match tx.get(&key).await? {
        Some(discoverer) => Ok((key, discoverer)),
        None => Err(fault::no_such_discoverer(id).into()),
    }
}

fn state(discoverer: &Discoverer) -> DiscovererState {
    if discoverer.started { DiscovererState::Started } else { DiscovererState::Stopped }
}

fn write(tx: &mut Tx, key: &DiscovererKey, discoverer: &Discoverer) -> Result<()> {
    tx.put(key, discoverer)?;
    rule(tx, key, discoverer)
}

/// Brings the bus's managed rule into the discoverer's state: there or not.
fn rule(tx: &mut Tx, key: &DiscovererKey, discoverer: &Discoverer) -> Result<()> {
    let name = format!("Schemas-{}", key.id);
    let scope = tx.scope().clone();
    let call = if discoverer.started {
        let pattern = if discoverer.cross_account {
            json!({ "version": ["0"] })
        } else {
            json!({ "account": [scope.account.as_str()] })
        };
        let put = json!({
            "Name": name, "EventBusName": discoverer.source, "EventPattern": pattern.to_string(),
            "ManagedBy": PRINCIPAL, "Description": "Sends events to the schema discoverer of the bus",
            "Targets": [{ "Id": key.id, "Arn": name::discoverer_arn(&scope, &key.id) }],
        });
        Call::new("events", "PutManagedRule", &put)?
    } else {
        let delete = json!({ "Name": name, "EventBusName": discoverer.source, "ManagedBy": PRINCIPAL });
        Call::new("events", "DeleteManagedRule", &delete)?
    };
    let caller = tx.caller().as_service(PRINCIPAL, scope.account, scope.region);
    // A bus that is gone has no rules; nothing is left to do then.
    let retry = RetryPolicy { when: RetryWhen::NotPermanent, ..RetryPolicy::internal() };
    let order = Some(format!("schemas|{}|{}|{}", caller.account, caller.region, key.id));
    tx.enqueue(tx.now(), NewTask { caller: Some(caller), retry, order, ..NewTask::new(call) })?;
    Ok(())
}
