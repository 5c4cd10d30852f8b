//! EXPRESS executions, of which AWS's API shows nothing: what our own operations tell of them.

use base::Timestamp;
use serde::Deserialize;
use states::api::ExecutionStatus;

use super::Result;
use super::desk::{Desk, LISTED_MAX};

/// An execution as our operations tell it; input and output come with one alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExpressExecution {
    /// Its ARN.
    pub execution_arn: String,
    /// The machine's.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it began.
    #[serde(with = "base::schema::epoch")]
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(with = "base::schema::epoch::option", default)]
    pub stop_date: Option<Timestamp>,
    /// What went in.
    #[serde(default)]
    pub input: Option<String>,
    /// What came out.
    #[serde(default)]
    pub output: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
    /// Why.
    #[serde(default)]
    pub cause: Option<String>,
    /// The version that was started.
    #[serde(default)]
    pub state_machine_version_arn: Option<String>,
    /// The alias that was started.
    #[serde(default)]
    pub state_machine_alias_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    executions: Vec<ExpressExecution>,
    next_token: Option<String>,
}

/// Whether an execution is an EXPRESS one, by its ARN.
pub(crate) fn is_express(arn: &str) -> bool {
    arn.split(':').nth(5) == Some("express")
}

/// Those that run, then the newest that have ended, and where the next ones are.
pub(crate) async fn list(
    desk: &Desk<'_>,
    machine: &str,
    token: Option<String>,
) -> Result<(Vec<ExpressExecution>, Option<String>)> {
    let input =
        serde_json::json!({ "stateMachineArn": machine, "maxResults": LISTED_MAX, "nextToken": token });
    let listed: Listed = desk.ask("states", states::LIST_EXPRESS, &input).await?;
    Ok((listed.executions, listed.next_token))
}

/// One of them.
pub(crate) async fn describe(desk: &Desk<'_>, arn: &str) -> Result<ExpressExecution> {
    desk.ask("states", states::DESCRIBE_EXPRESS, &serde_json::json!({ "executionArn": arn })).await
}
