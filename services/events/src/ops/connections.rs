//! Connections.

use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    ConnectionAuthorizationType, ConnectionState, ConnectivityResourceParameters,
    CreateConnectionApiKeyAuthRequestParameters, CreateConnectionAuthRequestParameters,
    CreateConnectionBasicAuthRequestParameters, CreateConnectionInput,
    CreateConnectionOAuthClientRequestParameters, CreateConnectionOAuthRequestParameters,
    CreateConnectionOutput, DeauthorizeConnectionInput, DeauthorizeConnectionOutput, DeleteConnectionInput,
    DeleteConnectionOutput, DescribeConnectionInput, DescribeConnectionOutput, ListConnectionsInput,
    ListConnectionsOutput, UpdateConnectionAuthRequestParameters, UpdateConnectionInput,
    UpdateConnectionOutput,
};
use crate::connection;
use crate::fault;
use crate::keys::{Connection, ConnectionKey, SecretKey};
use crate::ops::{after, limit, page};

/// The most connections of an account and region; AWS's quota.
const CONNECTIONS_MAX: usize = 3_000;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html>
pub(crate) async fn create_connection(
    tx: &mut Tx,
    input: CreateConnectionInput,
) -> Result<CreateConnectionOutput> {
    check_unserved(input.kms_key_identifier.as_deref(), input.invocation_connectivity_parameters.as_ref())?;
    connection::check(input.authorization_type, &input.auth_parameters)?;
    let key = ConnectionKey { name: input.name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Connection", &key.name).into());
    }
    if tx.scan::<ConnectionKey>(Parts::none(), CONNECTIONS_MAX).await?.len() == CONNECTIONS_MAX {
        return Err(fault::limit_exceeded().into());
    }
    let new = Connection {
        description: input.description,
        state: ConnectionState::Creating,
        reason: None,
        kind: input.authorization_type,
        created_at: tx.now(),
        modified_at: tx.now(),
        authorized_at: None,
        id: tx.id(),
    };
    let made = connection::write(tx, &key.name, &new, input.auth_parameters)?;
    Ok(CreateConnectionOutput {
        connection_arn: Some(connection::arn(tx, &key.name, made.id)),
        connection_state: Some(made.state),
        creation_time: Some(made.created_at),
        last_modified_time: Some(made.modified_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html>
pub(crate) async fn describe_connection(
    tx: &mut Tx,
    input: DescribeConnectionInput,
) -> Result<DescribeConnectionOutput> {
    let (key, found) = find(tx, input.name).await?;
    let secret = tx.peek(&SecretKey { name: key.name.clone() }).await?;
    Ok(DescribeConnectionOutput {
        connection_arn: Some(connection::arn(tx, &key.name, found.id)),
        secret_arn: secret.as_ref().map(|_| connection::secret_arn(tx, &key.name, found.id)),
        name: Some(key.name),
        description: found.description,
        connection_state: Some(found.state),
        state_reason: found.reason,
        authorization_type: Some(found.kind),
        auth_parameters: secret.map(|secret| connection::shown(&secret.parameters)),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        last_authorized_time: found.authorized_at,
        ..DescribeConnectionOutput::default()
    })
}

/// What is not given stays, unless the kind of authorisation changes.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnection.html>
pub(crate) async fn update_connection(
    tx: &mut Tx,
    input: UpdateConnectionInput,
) -> Result<UpdateConnectionOutput> {
    check_unserved(input.kms_key_identifier.as_deref(), input.invocation_connectivity_parameters.as_ref())?;
    let (key, before) = find(tx, input.name).await?;
    let secret = tx.get(&SecretKey { name: key.name.clone() }).await?;
    let kind = input.authorization_type.unwrap_or(before.kind);
    let known = secret.map(|secret| secret.parameters).unwrap_or_default();
    let changed = Connection {
        kind,
        description: input.description.or_else(|| before.description.clone()),
        ..before.clone()
    };
    let parameters = merged(kind, known, input.auth_parameters.unwrap_or_default())?;
    connection::check(kind, &parameters)?;
    let made = connection::write(tx, &key.name, &changed, parameters)?;
    Ok(UpdateConnectionOutput {
        connection_arn: Some(connection::arn(tx, &key.name, made.id)),
        connection_state: Some(made.state),
        creation_time: Some(made.created_at),
        last_modified_time: Some(made.modified_at),
        last_authorized_time: made.authorized_at,
    })
}

/// Removes what authorises the connection; UpdateConnection gives it anew.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeauthorizeConnection.html>
pub(crate) async fn deauthorize_connection(
    tx: &mut Tx,
    input: DeauthorizeConnectionInput,
) -> Result<DeauthorizeConnectionOutput> {
    let (key, before) = find(tx, input.name).await?;
    let state = ConnectionState::Deauthorized;
    let found = Connection { state, modified_at: tx.now(), reason: None, ..before };
    tx.put(&key, &found)?;
    tx.delete(&SecretKey { name: key.name.clone() });
    Ok(DeauthorizeConnectionOutput {
        connection_arn: Some(connection::arn(tx, &key.name, found.id)),
        connection_state: Some(found.state),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        last_authorized_time: found.authorized_at,
    })
}

/// API destinations of the connection become inactive.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteConnection.html>
pub(crate) async fn delete_connection(
    tx: &mut Tx,
    input: DeleteConnectionInput,
) -> Result<DeleteConnectionOutput> {
    let (key, found) = find(tx, input.name).await?;
    tx.delete(&key);
    tx.delete(&SecretKey { name: key.name.clone() });
    Ok(DeleteConnectionOutput {
        connection_arn: Some(connection::arn(tx, &key.name, found.id)),
        connection_state: Some(ConnectionState::Deleting),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        last_authorized_time: found.authorized_at,
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListConnections.html>
pub(crate) async fn list_connections(
    tx: &mut Tx,
    input: ListConnectionsInput,
) -> Result<ListConnectionsOutput> {
    let limit = limit(input.limit);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match after(input.next_token)? {
        None => tx.scan::<ConnectionKey>(parts, CONNECTIONS_MAX).await?,
        Some(name) => {
            tx.scan_after(parts, &ConnectionKey { name }, CONNECTIONS_MAX, Direction::Forward).await?
        }
    };
    let wanted = |found: &Connection| input.connection_state.is_none_or(|state| state == found.state);
    let rows = rows.into_iter().filter(|(_, found)| wanted(found)).take(limit + 1).collect();
    let (rows, next_token) = page(rows, limit, |(key, _): &(ConnectionKey, Connection)| key.name.clone());
    let show = |(key, found): (ConnectionKey, Connection)| crate::api::Connection {
        connection_arn: Some(connection::arn(tx, &key.name, found.id)),
        name: Some(key.name),
        connection_state: Some(found.state),
        state_reason: found.reason,
        authorization_type: Some(found.kind),
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        last_authorized_time: found.authorized_at,
    };
    Ok(ListConnectionsOutput { connections: Some(rows.into_iter().map(show).collect()), next_token })
}

async fn find(tx: &mut Tx, name: String) -> Result<(ConnectionKey, Connection)> {
    let key = ConnectionKey { name };
    match tx.get(&key).await? {
        Some(found) => Ok((key, found)),
        None => Err(fault::no_such("Connection", &key.name).into()),
    }
}

fn check_unserved(
    key: Option<&str>,
    connectivity: Option<&ConnectivityResourceParameters>,
) -> Result<(), Fault> {
    if key.is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("KmsKeyIdentifier"));
    }
    match connectivity {
        Some(_) => Err(fault::not_honoured("InvocationConnectivityParameters (a private endpoint)")),
        None => Ok(()),
    }
}

/// The parameters that hold after an update.
fn merged(
    kind: ConnectionAuthorizationType,
    known: CreateConnectionAuthRequestParameters,
    given: UpdateConnectionAuthRequestParameters,
) -> Result<CreateConnectionAuthRequestParameters, Fault> {
    let missing = |name: &str| fault::invalid(format!("Parameter {name} must be specified."));
    let blocks = [
        (ConnectionAuthorizationType::Basic, "BasicAuthParameters", given.basic_auth_parameters.is_some()),
        (
            ConnectionAuthorizationType::ApiKey,
            "ApiKeyAuthParameters",
            given.api_key_auth_parameters.is_some(),
        ),
        (
            ConnectionAuthorizationType::OauthClientCredentials,
            "OAuthParameters",
            given.o_auth_parameters.is_some(),
        ),
    ];
    if let Some((_, name, _)) = blocks.iter().find(|(of, _, given)| *given && *of != kind) {
        return Err(fault::invalid(format!("{name} are not for the AuthorizationType {kind}.")));
    }
    let mut merged = CreateConnectionAuthRequestParameters {
        invocation_http_parameters: given.invocation_http_parameters.or(known.invocation_http_parameters),
        connectivity_parameters: given.connectivity_parameters,
        ..CreateConnectionAuthRequestParameters::default()
    };
    match kind {
        ConnectionAuthorizationType::Basic => {
            let (given, known) =
                (given.basic_auth_parameters.unwrap_or_default(), known.basic_auth_parameters);
            merged.basic_auth_parameters = Some(CreateConnectionBasicAuthRequestParameters {
                username: given
                    .username
                    .or_else(|| known.as_ref().map(|known| known.username.clone()))
                    .ok_or_else(|| missing("Username"))?,
                password: given
                    .password
                    .or_else(|| known.map(|known| known.password))
                    .ok_or_else(|| missing("Password"))?,
            });
        }
        ConnectionAuthorizationType::ApiKey => {
            let (given, known) =
                (given.api_key_auth_parameters.unwrap_or_default(), known.api_key_auth_parameters);
            merged.api_key_auth_parameters = Some(CreateConnectionApiKeyAuthRequestParameters {
                api_key_name: given
                    .api_key_name
                    .or_else(|| known.as_ref().map(|known| known.api_key_name.clone()))
                    .ok_or_else(|| missing("ApiKeyName"))?,
                api_key_value: given
                    .api_key_value
                    .or_else(|| known.map(|known| known.api_key_value))
                    .ok_or_else(|| missing("ApiKeyValue"))?,
            });
        }
        ConnectionAuthorizationType::OauthClientCredentials => {
            merged.o_auth_parameters = Some(merged_o_auth(known.o_auth_parameters, given.o_auth_parameters)?);
        }
    }
    Ok(merged)
}

fn merged_o_auth(
    known: Option<CreateConnectionOAuthRequestParameters>,
    given: Option<crate::api::UpdateConnectionOAuthRequestParameters>,
) -> Result<CreateConnectionOAuthRequestParameters, Fault> {
    let missing = |name: &str| fault::invalid(format!("Parameter {name} must be specified."));
    let given = given.unwrap_or_default();
    let client = given.client_parameters.unwrap_or_default();
    let known_client = known.as_ref().map(|known| known.client_parameters.clone());
    Ok(CreateConnectionOAuthRequestParameters {
        client_parameters: CreateConnectionOAuthClientRequestParameters {
            client_id: client
                .client_id
                .or_else(|| known_client.as_ref().map(|known| known.client_id.clone()))
                .ok_or_else(|| missing("ClientID"))?,
            client_secret: client
                .client_secret
                .or_else(|| known_client.map(|known| known.client_secret))
                .ok_or_else(|| missing("ClientSecret"))?,
        },
        authorization_endpoint: given
            .authorization_endpoint
            .or_else(|| known.as_ref().map(|known| known.authorization_endpoint.clone()))
            .ok_or_else(|| missing("AuthorizationEndpoint"))?,
        http_method: given
            .http_method
            .or_else(|| known.as_ref().map(|known| known.http_method))
            .ok_or_else(|| missing("HttpMethod"))?,
        o_auth_http_parameters: given
            .o_auth_http_parameters
            .or_else(|| known.and_then(|known| known.o_auth_http_parameters)),
    })
}
