use kernel::{Result, Tx};

use crate::api::{DeleteStateMachineVersionInput, DeleteStateMachineVersionOutput};
use crate::arn::{MachineRef, Qualifier};
use crate::fault;
use crate::keys::{MachineKey, VersionKey};
use crate::version::{ALIASES_MAX, aliases};

/// Deletes a version that no alias leads to. Executions that were started by it go on, and one that is not there is no
/// error.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachineVersion.html>
pub(crate) async fn delete_state_machine_version(
    tx: &mut Tx,
    input: DeleteStateMachineVersionInput,
) -> Result<DeleteStateMachineVersionOutput> {
    let arn = &input.state_machine_version_arn;
    let MachineRef { name, qualifier: Some(Qualifier::Version(number)) } =
        MachineRef::parse(tx.scope(), arn)?
    else {
        return Err(fault::invalid_arn(&format!("Invalid ARN suffix: {arn}")).into());
    };
    let key = MachineKey { name };
    let Some(machine) = tx.get(&key).await? else { return Ok(DeleteStateMachineVersionOutput {}) };
    let leads_here: Vec<String> = aliases(tx, &key.name, None, ALIASES_MAX)
        .await?
        .into_iter()
        .filter(|(_, alias)| alias.routes.iter().any(|(version, _)| *version == number))
        .map(|(alias, _)| alias.name)
        .collect();
    if !leads_here.is_empty() {
        let why = format!(
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
             version: [{}]",
            leads_here.join(", ")
        );
        return Err(fault::conflict(why).into());
    }
    // Touched, so that no alias comes to lead here meanwhile.
    tx.put(&key, &machine)?;
    tx.delete(&VersionKey { machine: key.name, number });
    Ok(DeleteStateMachineVersionOutput {})
}
