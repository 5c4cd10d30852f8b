use kernel::{Result, Tx};

use crate::api::{PublishStateMachineVersionInput, PublishStateMachineVersionOutput};
use crate::arn::machine_arn;
use crate::fault;
use crate::machine::find_active;
use crate::version::publish;

/// Gives the newest revision of a machine a number. The same revision again answers as the first time.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html>
pub(crate) async fn publish_state_machine_version(
    tx: &mut Tx,
    input: PublishStateMachineVersionInput,
) -> Result<PublishStateMachineVersionOutput> {
    let (key, mut machine) = find_active(tx, &input.state_machine_arn).await?;
    if let Some(wanted) = &input.revision_id {
        // AWS calls the revision that was made by CreateStateMachine INITIAL where an id must be given.
        let current = machine.revision_id(machine.revision).unwrap_or_else(|| "INITIAL".to_owned());
        if *wanted != current {
            let why = format!(
                "Failed to publish the State Machine version for revision {wanted}. The current State Machine \
                 revision is {current}."
            );
            return Err(fault::conflict(why).into());
        }
    }
    let (number, version) = publish(tx, &key, &mut machine, input.description).await?;
    Ok(PublishStateMachineVersionOutput {
        creation_date: version.created_at,
        state_machine_version_arn: format!("{}:{number}", machine_arn(tx.scope(), &key.name)),
    })
}
