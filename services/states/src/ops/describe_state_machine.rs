use kernel::{Result, Tx};

use crate::api::{
    DescribeStateMachineInput, DescribeStateMachineOutput, IncludedData, StateMachineStatus, StateMachineType,
};
use crate::arn::machine_arn;
use crate::machine::{encryption, find, revision, tracing};

/// A machine's definition, role and configuration.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>
pub(crate) async fn describe_state_machine(
    tx: &mut Tx,
    input: DescribeStateMachineInput,
) -> Result<DescribeStateMachineOutput> {
    let (key, machine) = find(tx, &input.state_machine_arn).await?;
    let revision = revision(tx, &key.name, machine.revision).await?;
    let status = if machine.deleting { StateMachineStatus::Deleting } else { StateMachineStatus::Active };
    let metadata_only = input.included_data == Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineOutput {
        state_machine_arn: machine_arn(tx.scope(), &key.name),
        status: Some(status),
        definition: if metadata_only { String::new() } else { revision.definition },
        role_arn: revision.role_arn,
        r#type: StateMachineType::Standard,
        creation_date: machine.created_at,
        logging_configuration: Some(machine.logging()),
        tracing_configuration: Some(tracing()),
        label: None,
        revision_id: machine.revision_id(machine.revision),
        description: None,
        encryption_configuration: Some(encryption()),
        variable_references: None,
        name: key.name,
    })
}
