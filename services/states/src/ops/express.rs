//! EXPRESS executions for our own pages: AWS's API shows nothing of them.

use base::Document;
use kernel::{Direction, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::arn::ExecutionId;
use crate::execution::{Execution, code};
use crate::fault;
use crate::keys::{ExecutionKey, ExpressKey, ListedKey};
use crate::machine::find;
use crate::page;

/// The internal operation that lists them, those that run first, then the newest first.
pub const LIST_EXPRESS: &str = "ListExpressExecutions";
/// The internal operation that shows one.
pub const DESCRIBE_EXPRESS: &str = "DescribeExpressExecution";

/// What to list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListExpress {
    pub state_machine_arn: String,
    #[serde(default)]
    pub max_results: Option<i32>,
    #[serde(default)]
    pub next_token: Option<String>,
}

/// What to show.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeExpress {
    pub execution_arn: String,
}

/// `{executions: […], nextToken}`, each as [`describe_express`] shows it, without input and output.
pub(crate) async fn list_express(tx: &mut Tx, input: ListExpress) -> Result<Document> {
    let (machine, _) = find(tx, &input.state_machine_arn).await?;
    let limit = page::size(input.max_results);
    let parts = Parts::of(&machine.name);
    let mut executions = Vec::new();
    let rows = match &input.next_token {
        None => {
            let running = parts.clone().and(&code(crate::api::ExecutionStatus::Running));
            for (key, _) in tx.scan_back::<ListedKey>(running, limit).await? {
                let id = ExecutionId::new(&key.machine, &key.name);
                if let Some(execution) = tx.peek(&ExecutionKey { id: id.key() }).await? {
                    executions.push(show(tx, &id, &execution, false));
                }
            }
            tx.scan_back::<ExpressKey>(parts, limit + 1).await?
        }
        Some(token) => {
            let id: Uuid = page::place(&machine.name, token)?;
            let last = ExpressKey { machine: machine.name.clone(), id };
            tx.scan_after(parts, &last, limit + 1, Direction::Backward).await?
        }
    };
    let more = rows.len() > limit;
    let mut last = None;
    for (key, express) in rows.into_iter().take(limit) {
        let id = ExecutionId::express(&key.machine, &express.name, key.id);
        executions.push(show(tx, &id, &express.execution, false));
        last = Some(key.id);
    }
    let next_token = last.filter(|_| more).map(|id| page::token(&machine.name, &id)).transpose()?;
    Ok(json!({ "executions": executions, "nextToken": next_token }))
}

/// Arn, machine, name, status, times, input, output, error and cause.
pub(crate) async fn describe_express(tx: &mut Tx, input: DescribeExpress) -> Result<Document> {
    let id = ExecutionId::parse_express(tx.scope(), &input.execution_arn)?;
    let running = tx.peek(&ExecutionKey { id: id.key() }).await?;
    let execution = match (running, id.express_id()) {
        (Some(running), _) => Some(running),
        (None, None) => None,
        (None, Some(uuid)) => {
            let key = ExpressKey { machine: id.machine().to_owned(), id: uuid };
            tx.peek(&key).await?.filter(|express| express.name == id.name()).map(|express| express.execution)
        }
    };
    match execution {
        Some(execution) => Ok(show(tx, &id, &execution, true)),
        None => Err(fault::execution_does_not_exist(&input.execution_arn).into()),
    }
}

fn show(tx: &Tx, id: &ExecutionId, execution: &Execution, with_data: bool) -> Document {
    let end = execution.end.as_ref();
    let mut shown = json!({
        "executionArn": id.arn(tx.scope()),
        "stateMachineArn": id.machine_arn(tx.scope()),
        "name": id.name(),
        "status": execution.status(),
        "startDate": execution.started_at.as_epoch_seconds(),
        "stopDate": end.map(|end| end.at.as_epoch_seconds()),
        "error": end.and_then(|end| end.error.as_deref()),
        "cause": end.and_then(|end| end.cause.as_deref()),
        "stateMachineVersionArn": execution.version_arn(tx.scope(), id),
        "stateMachineAliasArn": execution.alias_arn(tx.scope(), id),
    });
    if with_data {
        shown["input"] = json!(execution.input);
        shown["output"] = json!(end.and_then(|end| end.output.as_deref()));
    }
    shown
}
