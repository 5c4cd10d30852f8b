//! API destinations.

use base::{Arn, Fault};
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    ApiDestination, ApiDestinationState, ConnectionState, CreateApiDestinationInput,
    CreateApiDestinationOutput, DeleteApiDestinationInput, DeleteApiDestinationOutput,
    DescribeApiDestinationInput, DescribeApiDestinationOutput, ListApiDestinationsInput,
    ListApiDestinationsOutput, UpdateApiDestinationInput, UpdateApiDestinationOutput,
};
use crate::connection;
use crate::destination;
use crate::fault;
use crate::keys::{ConnectionKey, Destination, DestinationKey};
use crate::ops::{after, limit, page};

/// The most API destinations of an account and region; AWS's quota.
const DESTINATIONS_MAX: usize = 3_000;
/// Calls a second if nothing is said.
const RATE: i32 = 300;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html>
pub(crate) async fn create_api_destination(
    tx: &mut Tx,
    input: CreateApiDestinationInput,
) -> Result<CreateApiDestinationOutput> {
    check_endpoint(&input.invocation_endpoint)?;
    check_connection(tx, &input.connection_arn).await?;
    let key = DestinationKey { name: input.name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("ApiDestination", &key.name).into());
    }
    if tx.scan::<DestinationKey>(Parts::none(), DESTINATIONS_MAX).await?.len() == DESTINATIONS_MAX {
        return Err(fault::limit_exceeded().into());
    }
    let new = Destination {
        description: input.description,
        connection: input.connection_arn,
        endpoint: input.invocation_endpoint,
        method: input.http_method,
        rate: input.invocation_rate_limit_per_second.unwrap_or(RATE).unsigned_abs(),
        created_at: tx.now(),
        modified_at: tx.now(),
        id: tx.id(),
    };
    tx.put(&key, &new)?;
    Ok(CreateApiDestinationOutput {
        api_destination_arn: Some(destination::arn(tx, &key.name, new.id)),
        api_destination_state: Some(state(tx, &new).await?),
        creation_time: Some(new.created_at),
        last_modified_time: Some(new.modified_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeApiDestination.html>
pub(crate) async fn describe_api_destination(
    tx: &mut Tx,
    input: DescribeApiDestinationInput,
) -> Result<DescribeApiDestinationOutput> {
    let (key, found) = find(tx, input.name).await?;
    Ok(DescribeApiDestinationOutput {
        api_destination_arn: Some(destination::arn(tx, &key.name, found.id)),
        api_destination_state: Some(state(tx, &found).await?),
        name: Some(key.name),
        description: found.description,
        connection_arn: Some(found.connection),
        invocation_endpoint: Some(found.endpoint),
        http_method: Some(found.method),
        invocation_rate_limit_per_second: i32::try_from(found.rate).ok(),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
    })
}

/// What is not given stays.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateApiDestination.html>
pub(crate) async fn update_api_destination(
    tx: &mut Tx,
    input: UpdateApiDestinationInput,
) -> Result<UpdateApiDestinationOutput> {
    let (key, before) = find(tx, input.name).await?;
    if let Some(endpoint) = &input.invocation_endpoint {
        check_endpoint(endpoint)?;
    }
    if let Some(arn) = &input.connection_arn {
        check_connection(tx, arn).await?;
    }
    let changed = Destination {
        description: input.description.or(before.description),
        connection: input.connection_arn.unwrap_or(before.connection),
        endpoint: input.invocation_endpoint.unwrap_or(before.endpoint),
        method: input.http_method.unwrap_or(before.method),
        rate: input.invocation_rate_limit_per_second.map_or(before.rate, i32::unsigned_abs),
        modified_at: tx.now(),
        ..before
    };
    tx.put(&key, &changed)?;
    Ok(UpdateApiDestinationOutput {
        api_destination_arn: Some(destination::arn(tx, &key.name, changed.id)),
        api_destination_state: Some(state(tx, &changed).await?),
        creation_time: Some(changed.created_at),
        last_modified_time: Some(changed.modified_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteApiDestination.html>
pub(crate) async fn delete_api_destination(
    tx: &mut Tx,
    input: DeleteApiDestinationInput,
) -> Result<DeleteApiDestinationOutput> {
    let (key, _) = find(tx, input.name).await?;
    tx.delete(&key);
    Ok(DeleteApiDestinationOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListApiDestinations.html>
pub(crate) async fn list_api_destinations(
    tx: &mut Tx,
    input: ListApiDestinationsInput,
) -> Result<ListApiDestinationsOutput> {
    let limit = limit(input.limit);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match after(input.next_token)? {
        None => tx.scan::<DestinationKey>(parts, DESTINATIONS_MAX).await?,
        Some(name) => {
            tx.scan_after(parts, &DestinationKey { name }, DESTINATIONS_MAX, Direction::Forward).await?
        }
    };
    let wanted =
        |found: &Destination| input.connection_arn.as_ref().is_none_or(|arn| *arn == found.connection);
    let rows = rows.into_iter().filter(|(_, found)| wanted(found)).take(limit + 1).collect();
    let (rows, next_token) = page(rows, limit, |(key, _): &(DestinationKey, Destination)| key.name.clone());
    let mut shown = Vec::with_capacity(rows.len());
    for (key, found) in rows {
        shown.push(ApiDestination {
            api_destination_arn: Some(destination::arn(tx, &key.name, found.id)),
            api_destination_state: Some(state(tx, &found).await?),
            name: Some(key.name),
            connection_arn: Some(found.connection),
            invocation_endpoint: Some(found.endpoint),
            http_method: Some(found.method),
            invocation_rate_limit_per_second: i32::try_from(found.rate).ok(),
            creation_time: Some(found.created_at),
            last_modified_time: Some(found.modified_at),
        });
    }
    Ok(ListApiDestinationsOutput { api_destinations: Some(shown), next_token })
}

async fn find(tx: &mut Tx, name: String) -> Result<(DestinationKey, Destination)> {
    let key = DestinationKey { name };
    match tx.get(&key).await? {
        Some(found) => Ok((key, found)),
        None => Err(fault::no_such("ApiDestination", &key.name).into()),
    }
}

/// Active as long as its connection may authorise it.
async fn state(tx: &mut Tx, found: &Destination) -> Result<ApiDestinationState> {
    let usable = match found.connection.parse::<Arn>().ok().as_ref().and_then(connection::name_of) {
        Some(name) => {
            let row = tx.peek(&ConnectionKey { name: name.to_owned() }).await?;
            row.is_some_and(|row| {
                connection::arn(tx, name, row.id) == found.connection
                    && row.state != ConnectionState::Deauthorized
            })
        }
        None => false,
    };
    Ok(if usable { ApiDestinationState::Active } else { ApiDestinationState::Inactive })
}

async fn check_connection(tx: &mut Tx, text: &str) -> Result<()> {
    let missing = || fault::no_such("Connection", &format!("'{text}'"));
    let parsed: Arn = text.parse().map_err(|_| missing())?;
    let name = connection::name_of(&parsed).ok_or_else(missing)?.to_owned();
    let row = tx.get(&ConnectionKey { name: name.clone() }).await?;
    match row.filter(|row| connection::arn(tx, &name, row.id) == text) {
        Some(_) => Ok(()),
        None => Err(missing().into()),
    }
}

/// AWS takes HTTPS only; here plain HTTP is taken as well, for endpoints on the developer's machine.
fn check_endpoint(endpoint: &str) -> Result<(), Fault> {
    let sample = endpoint.replace('*', "x");
    let uri: Option<http::Uri> = sample.parse().ok();
    let fine = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    let in_path = endpoint.split_once("://").is_some_and(|(_, rest)| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.contains('*')
    });
    if fine && in_path {
        return Ok(());
    }
    Err(fault::invalid_parameter("InvocationEndpoint", "It is not a valid URL."))
}
