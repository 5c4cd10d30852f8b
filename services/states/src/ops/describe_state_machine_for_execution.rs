use kernel::{Result, Tx};

use super::describe_execution::find;
use crate::api::{
    DescribeStateMachineForExecutionInput, DescribeStateMachineForExecutionOutput, IncludedData,
};
use crate::arn::map_run_arn;
use crate::keys::MachineKey;
use crate::machine::{definition, encryption, revision, variable_references};

/// The machine as it was when the execution started.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html>
pub(crate) async fn describe_state_machine_for_execution(
    tx: &mut Tx,
    input: DescribeStateMachineForExecutionInput,
) -> Result<DescribeStateMachineForExecutionOutput> {
    let (id, execution) = find(tx, &input.execution_arn).await?;
    let name = id.machine().split('/').next().unwrap_or_default();
    let revision = revision(tx, name, execution.revision).await?;
    let machine = tx.peek(&MachineKey { name: name.to_owned() }).await?;
    let references = variable_references(&*definition(tx, name, execution.revision).await?);
    let metadata_only = input.included_data == Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineForExecutionOutput {
        state_machine_arn: id.machine_arn(tx.scope()),
        name: id.machine().to_owned(),
        logging_configuration: Some(revision.logging()),
        tracing_configuration: Some(revision.tracing()),
        definition: if metadata_only { "{}".to_owned() } else { revision.definition },
        role_arn: revision.role_arn,
        update_date: revision.updated_at,
        map_run_arn: execution.map.map(|map| map_run_arn(tx.scope(), &map.run)),
        label: id.machine().rsplit_once('/').map(|(_, label)| label.to_owned()),
        revision_id: machine.and_then(|machine| machine.revision_id(execution.revision)),
        encryption_configuration: Some(encryption()),
        variable_references: references.filter(|_| !metadata_only),
    })
}
