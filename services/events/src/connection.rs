//! Connections: how an HTTP endpoint is told who calls.
//!
//! What is secret stands in a row of its own and leaves this module only in requests to the endpoint.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html>

use std::time::Duration;

use base::{Arn, Fault};
use base64::Engine as _;
use bytes::Bytes;
use kernel::{Call, Effect, NewTask, Result, RetryPolicy, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::api::{
    ConnectionApiKeyAuthResponseParameters, ConnectionAuthResponseParameters, ConnectionAuthorizationType,
    ConnectionBasicAuthResponseParameters, ConnectionHttpParameters, ConnectionOAuthClientResponseParameters,
    ConnectionOAuthResponseParameters, ConnectionState, CreateConnectionAuthRequestParameters,
    CreateConnectionOAuthRequestParameters,
};
use crate::fault;
use crate::keys::{Connection, ConnectionKey, Secret, SecretKey, Token};
use crate::outbound::{Outbound, Outgoing};

/// The internal operation that asks an authorisation server for a connection's first token.
pub(crate) const AUTHORIZE: &str = "AuthorizeConnection";

/// A token is renewed this long before it ends.
const RENEWED_BEFORE: Duration = Duration::from_secs(30);
/// How long an authorisation server may take.
const TOKEN_WITHIN: Duration = Duration::from_secs(5);

/// The connection's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str, id: Uuid) -> String {
    Arn::new("events", &tx.scope().region, &tx.scope().account, format!("connection/{name}/{id}")).to_string()
}

/// The ARN that AWS gives the secret. Nothing serves it here: the parameters stand with the connection.
pub(crate) fn secret_arn(tx: &Tx, name: &str, id: Uuid) -> String {
    let resource = format!("secret:events!connection/{name}/{id}");
    Arn::new("secretsmanager", &tx.scope().region, &tx.scope().account, resource).to_string()
}

/// The name in a connection's ARN.
pub(crate) fn name_of(arn: &Arn) -> Option<&str> {
    let path = arn.resource.strip_prefix("connection/").filter(|_| arn.service == "events")?;
    Some(path.split_once('/').map_or(path, |(name, _)| name))
}

/// Refuses parameters that do not go with the kind of authorisation.
pub(crate) fn check(
    kind: ConnectionAuthorizationType,
    given: &CreateConnectionAuthRequestParameters,
) -> Result<(), Fault> {
    if given.connectivity_parameters.is_some() {
        return Err(fault::not_honoured("ConnectivityParameters (a private endpoint)"));
    }
    let (present, others, name) = match kind {
        ConnectionAuthorizationType::Basic => (
            given.basic_auth_parameters.is_some(),
            given.api_key_auth_parameters.is_some() || given.o_auth_parameters.is_some(),
            "BasicAuthParameters",
        ),
        ConnectionAuthorizationType::ApiKey => (
            given.api_key_auth_parameters.is_some(),
            given.basic_auth_parameters.is_some() || given.o_auth_parameters.is_some(),
            "ApiKeyAuthParameters",
        ),
        ConnectionAuthorizationType::OauthClientCredentials => (
            given.o_auth_parameters.is_some(),
            given.basic_auth_parameters.is_some() || given.api_key_auth_parameters.is_some(),
            "OAuthParameters",
        ),
    };
    if !present || others {
        let message = format!("AuthorizationType {kind} needs {name} and no other authorization parameters.");
        return Err(fault::invalid(message));
    }
    if let Some(key) = &given.api_key_auth_parameters {
        check_header(&key.api_key_name)?;
    }
    for parameters in [
        given.invocation_http_parameters.as_ref(),
        given.o_auth_parameters.as_ref().and_then(|o_auth| o_auth.o_auth_http_parameters.as_ref()),
    ] {
        check_keys(parameters)?;
        for (name, _) in headers(parameters) {
            check_header(&name)?;
        }
    }
    Ok(())
}

/// Refuses a parameter that has no key: it would be left out of every request.
fn check_keys(given: Option<&ConnectionHttpParameters>) -> Result<(), Fault> {
    let Some(given) = given else { return Ok(()) };
    let without = [
        ("HeaderParameters", given.header_parameters.iter().flatten().any(|given| given.key.is_none())),
        (
            "QueryStringParameters",
            given.query_string_parameters.iter().flatten().any(|given| given.key.is_none()),
        ),
        ("BodyParameters", given.body_parameters.iter().flatten().any(|given| given.key.is_none())),
    ];
    match without.iter().find(|(_, found)| *found) {
        Some((name, _)) => Err(fault::invalid(format!("Each of {name} must have a Key."))),
        None => Ok(()),
    }
}

/// Refuses a header that the connection itself is made of.
pub(crate) fn check_header(name: &str) -> Result<(), Fault> {
    const OWN: [&str; 10] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "user-agent",
        "range",
    ];
    if OWN.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(fault::invalid(format!("The header {name} cannot be set: EventBridge sets it.")));
    }
    Ok(())
}

/// The parameters as they may be shown: without what is secret.
pub(crate) fn shown(given: &CreateConnectionAuthRequestParameters) -> ConnectionAuthResponseParameters {
    ConnectionAuthResponseParameters {
        basic_auth_parameters: given
            .basic_auth_parameters
            .as_ref()
            .map(|basic| ConnectionBasicAuthResponseParameters { username: Some(basic.username.clone()) }),
        api_key_auth_parameters: given.api_key_auth_parameters.as_ref().map(|key| {
            ConnectionApiKeyAuthResponseParameters { api_key_name: Some(key.api_key_name.clone()) }
        }),
        o_auth_parameters: given.o_auth_parameters.as_ref().map(|o_auth| ConnectionOAuthResponseParameters {
            client_parameters: Some(ConnectionOAuthClientResponseParameters {
                client_id: Some(o_auth.client_parameters.client_id.clone()),
            }),
            authorization_endpoint: Some(o_auth.authorization_endpoint.clone()),
            http_method: Some(o_auth.http_method),
            o_auth_http_parameters: o_auth.o_auth_http_parameters.clone().map(without_secrets),
        }),
        invocation_http_parameters: given.invocation_http_parameters.clone().map(without_secrets),
        connectivity_parameters: None,
    }
}

fn without_secrets(mut given: ConnectionHttpParameters) -> ConnectionHttpParameters {
    for header in given.header_parameters.iter_mut().flatten() {
        header.value = header.value.take().filter(|_| header.is_value_secret != Some(true));
    }
    for query in given.query_string_parameters.iter_mut().flatten() {
        query.value = query.value.take().filter(|_| query.is_value_secret != Some(true));
    }
    for body in given.body_parameters.iter_mut().flatten() {
        body.value = body.value.take().filter(|_| body.is_value_secret != Some(true));
    }
    given
}

type Pairs = Vec<(String, String)>;

fn pair(key: Option<&String>, value: Option<&String>) -> Option<(String, String)> {
    Some((key?.clone(), value.cloned().unwrap_or_default()))
}

fn headers(given: Option<&ConnectionHttpParameters>) -> Pairs {
    let headers = given.into_iter().flat_map(|given| given.header_parameters.iter().flatten());
    headers.filter_map(|header| pair(header.key.as_ref(), header.value.as_ref())).collect()
}

fn query(given: Option<&ConnectionHttpParameters>) -> Pairs {
    let query = given.into_iter().flat_map(|given| given.query_string_parameters.iter().flatten());
    query.filter_map(|query| pair(query.key.as_ref(), query.value.as_ref())).collect()
}

fn body(given: Option<&ConnectionHttpParameters>) -> Pairs {
    let body = given.into_iter().flat_map(|given| given.body_parameters.iter().flatten());
    body.filter_map(|body| pair(body.key.as_ref(), body.value.as_ref())).collect()
}

/// What a connection adds to a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    pub headers: Pairs,
    pub query: Pairs,
    pub body: Pairs,
}

/// A connection as an effect reads it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub name: String,
    pub connection: Connection,
    pub secret: Secret,
}

/// The connection of that name or ARN in the caller's account and region.
pub(crate) async fn read(tx: &mut Tx, name_or_arn: String) -> Result<Read> {
    let parsed = name_or_arn.parse::<Arn>().ok();
    let name = parsed.as_ref().and_then(name_of).unwrap_or(&name_or_arn).to_owned();
    if let Some((account, region)) = parsed.as_ref().and_then(|arn| arn.account_id().zip(arn.region_name())) {
        tx.enter(kernel::Scope { account, region });
    }
    let connection = tx.peek(&ConnectionKey { name: name.clone() }).await?;
    let secret = tx.peek(&SecretKey { name: name.clone() }).await?;
    let is_same = |found: &Connection| parsed.is_none() || arn(tx, &name, found.id) == name_or_arn;
    match (connection.filter(is_same), secret) {
        (Some(connection), Some(secret)) => Ok(Read { name, connection, secret }),
        (Some(_), None) => Err(deauthorized(&name).into()),
        (None, _) => Err(fault::no_such("Connection", &name_or_arn).into()),
    }
}

fn deauthorized(name: &str) -> Fault {
    Fault::access_denied(format!("Connection {name} is not authorized."))
}

/// What the connection adds to a request. Asks for a token if it needs one that is still good.
pub(crate) async fn credentials(effect: &Effect, read: &Read) -> Result<Credentials> {
    let given = &read.secret.parameters;
    let invocation = given.invocation_http_parameters.as_ref();
    let mut all =
        Credentials { headers: headers(invocation), query: query(invocation), body: body(invocation) };
    if let Some(basic) = &given.basic_auth_parameters {
        let plain = format!("{}:{}", basic.username, basic.password);
        let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
        all.headers.push(("Authorization".to_owned(), format!("Basic {encoded}")));
    }
    if let Some(key) = &given.api_key_auth_parameters {
        all.headers.push((key.api_key_name.clone(), key.api_key_value.clone()));
    }
    if let Some(o_auth) = &given.o_auth_parameters {
        let good = |token: &&Token| token.until.is_none_or(|until| until > effect.now() + RENEWED_BEFORE);
        let token = match read.secret.token.as_ref().filter(good) {
            Some(token) => token.clone(),
            None => {
                let token = ask_for_token(effect, o_auth).await?;
                let input = (read.name.clone(), read.connection.id, Some(token.clone()));
                effect.transact("KeepToken", keep_token, input).await?;
                token
            }
        };
        all.headers.push(("Authorization".to_owned(), format!("{} {}", token.kind, token.text)));
    }
    Ok(all)
}

/// Forgets a token that the endpoint does not take.
pub(crate) async fn forget_token(effect: &Effect, read: &Read) -> Result<()> {
    let input = (read.name.clone(), read.connection.id, None);
    effect.transact("KeepToken", keep_token, input).await
}

async fn keep_token(tx: &mut Tx, (name, id, token): (String, Uuid, Option<Token>)) -> Result<()> {
    let key = ConnectionKey { name: name.clone() };
    let Some(connection) = tx.get(&key).await?.filter(|found| found.id == id) else { return Ok(()) };
    let secret_key = SecretKey { name };
    let Some(secret) = tx.get(&secret_key).await? else { return Ok(()) };
    if token.is_some() {
        let (state, authorized_at) = (ConnectionState::Authorized, Some(tx.now()));
        tx.put(&key, &Connection { state, authorized_at, reason: None, ..connection })?;
    }
    tx.put(&secret_key, &Secret { token, ..secret })
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<f64>,
}

/// Asks the authorisation server by the client's credentials (RFC 6749, section 4.4). They go with the other body
/// parameters, as a form or, if a header says so, as JSON; with GET they stand in the query.
async fn ask_for_token(effect: &Effect, o_auth: &CreateConnectionOAuthRequestParameters) -> Result<Token> {
    let given = o_auth.o_auth_http_parameters.as_ref();
    let mut fields: Pairs = vec![
        ("grant_type".to_owned(), "client_credentials".to_owned()),
        ("client_id".to_owned(), o_auth.client_parameters.client_id.clone()),
        ("client_secret".to_owned(), o_auth.client_parameters.client_secret.clone()),
    ];
    for (key, value) in body(given) {
        fields.retain(|(known, _)| *known != key);
        fields.push((key, value));
    }
    let mut all_headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    all_headers.extend(headers(given));
    let is_json = all_headers
        .iter()
        .rfind(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .is_some_and(|(_, kind)| kind.contains("json"));
    let mut in_query = query(given);
    let sent = if o_auth.http_method.as_str() == "GET" {
        in_query.extend(fields);
        None
    } else if is_json {
        let object: serde_json::Map<String, Value> =
            fields.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
        Some(Bytes::from(serde_json::to_vec(&object)?))
    } else {
        Some(Bytes::from(form(&fields)))
    };
    let call = Outgoing {
        method: o_auth.http_method.as_str().to_owned(),
        url: with_query(&o_auth.authorization_endpoint, &in_query),
        headers: all_headers,
        body: sent,
    };
    let answer = effect.state::<Outbound>()?.send(effect.clock(), TOKEN_WITHIN, call).await?;
    if !(200..300).contains(&answer.status) {
        let message = format!("The authorization endpoint answered with status {}.", answer.status);
        // Wrong credentials do not become right by being sent again.
        let fault = if answer.status < 500 {
            Fault::access_denied(message)
        } else {
            Fault::new("ERROR_FROM_TARGET", message).with_status(502)
        };
        return Err(fault.into());
    }
    let token: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| {
        Fault::new("INVALID_JSON", "The authorization endpoint answered without an access token.")
    })?;
    let seconds = token.expires_in.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    Ok(Token {
        // Some servers write it small, and some endpoints take it large only.
        kind: token
            .token_type
            .filter(|kind| !kind.eq_ignore_ascii_case("bearer"))
            .unwrap_or_else(|| "Bearer".into()),
        text: token.access_token,
        until: seconds.map(|seconds| effect.now() + Duration::from_secs_f64(seconds.min(1e9))),
    })
}

fn form(fields: &Pairs) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A URL with more in its query.
pub(crate) fn with_query(url: &str, fields: &Pairs) -> String {
    if fields.is_empty() {
        return url.to_owned();
    }
    let join = if url.contains('?') { '&' } else { '?' };
    // A space is `+` in forms and `%20` in queries; both are read by servers, and the latter everywhere.
    format!("{url}{join}{}", form(fields).replace('+', "%20"))
}

/// Names a connection that waits for its first token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizeConnection {
    name: String,
    id: Uuid,
}

/// Writes a connection with new parameters and has it authorised.
pub(crate) fn write(
    tx: &mut Tx,
    name: &str,
    connection: &Connection,
    parameters: CreateConnectionAuthRequestParameters,
) -> Result<Connection> {
    let waits = connection.kind == ConnectionAuthorizationType::OauthClientCredentials;
    let state = if waits { ConnectionState::Authorizing } else { ConnectionState::Authorized };
    let authorized_at = if waits { connection.authorized_at } else { Some(tx.now()) };
    let connection =
        Connection { state, authorized_at, reason: None, modified_at: tx.now(), ..connection.clone() };
    tx.put(&ConnectionKey { name: name.to_owned() }, &connection)?;
    tx.put(&SecretKey { name: name.to_owned() }, &Secret { parameters, token: None })?;
    if waits {
        let scope = tx.scope().clone();
        let caller = Some(tx.caller().as_service("events.amazonaws.com", scope.account, scope.region));
        let call = Call::new(
            "events",
            AUTHORIZE,
            &AuthorizeConnection { name: name.to_owned(), id: connection.id },
        )?;
        let note = Some(format!("connection {name}"));
        let retry = RetryPolicy::once();
        tx.enqueue(tx.now(), NewTask { caller, note, retry, ..NewTask::new(call) })?;
    }
    Ok(connection)
}

/// Asks for the first token; the connection is authorised by it, or not at all.
pub(crate) async fn authorize_connection(effect: &Effect, input: AuthorizeConnection) -> Result<()> {
    let read = match effect.transact("ReadConnection", read, input.name.clone()).await {
        Ok(read) if read.connection.id == input.id => read,
        // It is gone, or another one of its name stands there.
        _ => return Ok(()),
    };
    match credentials(effect, &read).await {
        Ok(_) => Ok(()),
        Err(kernel::Error::Fault(fault)) => {
            effect.transact("RefuseConnection", refuse, (input, fault.message)).await
        }
        Err(error) => Err(error),
    }
}

async fn refuse(tx: &mut Tx, (input, why): (AuthorizeConnection, String)) -> Result<()> {
    let key = ConnectionKey { name: input.name };
    let Some(connection) = tx.get(&key).await?.filter(|found| found.id == input.id) else { return Ok(()) };
    let state = ConnectionState::Deauthorized;
    tx.put(&key, &Connection { state, reason: Some(why), ..connection })
}
