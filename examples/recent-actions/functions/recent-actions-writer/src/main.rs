//! Keeps the table of recent actions: one row for each execution, as its status changes say.
//!
//! It knows the event and the table, and nothing about deposits or withdrawals: a service that starts a new kind of
//! action only has to be added to the rule.

mod action;

use action::{Action, StatusChange};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Region},
    error::SdkError,
    operation::put_item::PutItemError,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use std::env;

/// The part of an EventBridge event that the function reads.
#[derive(Debug, Deserialize)]
struct Event {
    detail: StatusChange,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = env::var("TABLE_NAME")?;
    let client = client()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        put(&client, &table, Action::from(event.payload.detail)).await
    }))
    .await
}

/// The client as Lambda's environment configures it: region and credentials are always there, an endpoint may be.
fn client() -> Result<Client, Error> {
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials);
    config.set_endpoint_url(env::var("AWS_ENDPOINT_URL_DYNAMODB").or(env::var("AWS_ENDPOINT_URL")).ok());
    Ok(Client::from_conf(config.build()))
}

/// Writes the row, unless the table already knows something newer.
///
/// EventBridge promises neither order nor a single delivery, so a late RUNNING must not hide a result.
async fn put(client: &Client, table: &str, action: Action) -> Result<(), Error> {
    let guard =
        action.is_running().then_some("attribute_not_exists(executionId) OR redriveCount < :redriveCount");
    let put = client.put_item().table_name(table).set_condition_expression(guard.map(str::to_owned));
    let put = match guard {
        Some(_) => put.expression_attribute_values(":redriveCount", action.redrive_count()),
        None => put,
    };
    match put.set_item(Some(action.into_item())).send().await.map_err(SdkError::into_service_error) {
        Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
