use kernel::{Result, Tx};

use crate::api::{DescribeStateMachineInput, DescribeStateMachineOutput, IncludedData, StateMachineStatus};
use crate::arn::{MachineRef, Qualifier};
use crate::fault;
use crate::keys::{MachineKey, VersionKey};
use crate::machine::{definition, encryption, revision, variable_references};

/// A machine's definition, role and configuration, or those of one of its versions.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>
pub(crate) async fn describe_state_machine(
    tx: &mut Tx,
    input: DescribeStateMachineInput,
) -> Result<DescribeStateMachineOutput> {
    let arn = &input.state_machine_arn;
    let MachineRef { name, qualifier } = MachineRef::parse(tx.scope(), arn)?;
    let key = MachineKey { name };
    let nobody = || fault::machine_does_not_exist(arn);
    let machine = tx.peek(&key).await?.ok_or_else(nobody)?;
    let version = match qualifier {
        None => None,
        Some(Qualifier::Alias(_)) => return Err(nobody().into()),
        Some(Qualifier::Version(number)) => {
            let version = tx.peek(&VersionKey { machine: key.name.clone(), number }).await?;
            Some(version.ok_or_else(nobody)?)
        }
    };
    let id = version.as_ref().map_or(machine.revision, |version| version.revision);
    let revision = revision(tx, &key.name, id).await?;
    let status = if machine.deleting { StateMachineStatus::Deleting } else { StateMachineStatus::Active };
    let references = variable_references(&*definition(tx, &key.name, id).await?);
    let metadata_only = input.included_data == Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineOutput {
        status: Some(status),
        logging_configuration: Some(revision.logging()),
        tracing_configuration: Some(revision.tracing()),
        definition: if metadata_only { "{}".to_owned() } else { revision.definition },
        role_arn: revision.role_arn,
        r#type: machine.kind,
        creation_date: version.as_ref().map_or(machine.created_at, |version| version.created_at),
        label: None,
        revision_id: machine.revision_id(id),
        description: version.and_then(|version| version.description),
        encryption_configuration: Some(encryption()),
        variable_references: references.filter(|_| !metadata_only),
        name: key.name,
        state_machine_arn: input.state_machine_arn,
    })
}
