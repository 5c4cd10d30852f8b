use kernel::{Error, Result, Tx};
use store::Stored;

use crate::api::{ExecutionRedriveStatus, RedriveExecutionInput, RedriveExecutionOutput};
use crate::arn::ExecutionId;
use crate::execution::{Execution, Redrives};
use crate::fault;
use crate::keys::{Compact, ExecutionKey, MachineKey, RestKey};
use crate::machine::definition;
use crate::redrive::{self, DELETING};
use crate::run::Live;

/// Runs an execution again from the steps that did not succeed. The same client token again answers as the first
/// request did.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html>
pub(crate) async fn redrive_execution(
    tx: &mut Tx,
    input: RedriveExecutionInput,
) -> Result<RedriveExecutionOutput> {
    let id = ExecutionId::parse(tx.scope(), &input.execution_arn)?;
    let execution = tx.get(&ExecutionKey { id: id.key() }).await?;
    let execution = execution.ok_or_else(|| fault::execution_does_not_exist(&input.execution_arn))?;
    let known = |token: &String| execution.redrives.as_ref()?.by_token(token, tx.now());
    if let Some(redrive_date) = input.client_token.as_ref().and_then(known) {
        return Ok(RedriveExecutionOutput { redrive_date });
    }
    if is_deleting(tx, &id).await? {
        return Err(fault::execution_not_redrivable(DELETING).into());
    }
    match redrive::status(&execution, tx.now()) {
        (ExecutionRedriveStatus::Redrivable, _) => {}
        (ExecutionRedriveStatus::RedrivableByMapRun, _) => {
            let reason =
                "Execution is a child of a Map Run and can only be redriven by redriving its parent workflow";
            return Err(fault::execution_not_redrivable(reason).into());
        }
        (ExecutionRedriveStatus::NotRedrivable, reason) => {
            return Err(fault::execution_not_redrivable(reason.unwrap_or_default()).into());
        }
    }
    let redrive_date = tx.now();
    redrive(tx, id, execution, input.client_token).await?;
    Ok(RedriveExecutionOutput { redrive_date })
}

/// Whether the machine of an execution is going.
pub(crate) async fn is_deleting(tx: &mut Tx, id: &ExecutionId) -> Result<bool> {
    let name = id.machine().split('/').next().unwrap_or_default().to_owned();
    Ok(tx.get(&MachineKey { name }).await?.is_none_or(|machine| machine.deleting))
}

/// Redrives an execution that can be.
pub(crate) async fn redrive(
    tx: &mut Tx,
    id: ExecutionId,
    mut execution: Execution,
    token: Option<String>,
) -> Result<()> {
    let key = RestKey { id: id.key() };
    let bytes = tx.get(&key).await?;
    let bytes = bytes.ok_or_else(|| Error::bug(format!("find where {} stands", id.as_str())))?;
    let Compact(state) = Compact::<asl::Execution>::from_bytes(&bytes)?;
    tx.delete(&key);
    execution.listed_as(&id, execution.status()).for_each(|listed| tx.delete(&listed));
    execution.end = None;
    execution.redrives = Some(Redrives::another(execution.redrives.take(), token, tx.now()));
    let definition = definition(tx, id.machine(), execution.revision).await?;
    Live::redrive(tx, id, execution, definition, state)?;
    Ok(())
}
