use base::Fault;
use kernel::{Effect, Result, Tx};

use super::create_state_machine::check_definition;
use crate::api::{UpdateStateMachineInput, UpdateStateMachineOutput};
use crate::arn::check_role;
use crate::keys::RevisionKey;
use crate::machine::{Revision, Settings, find_active, revision};

/// Gives a machine another definition, role or configuration. Executions that run keep what they started with.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html>
pub(crate) async fn update_state_machine(
    effect: &Effect,
    input: UpdateStateMachineInput,
) -> Result<UpdateStateMachineOutput> {
    let settings = Settings {
        r#type: None,
        logging: input.logging_configuration.clone(),
        tracing: input.tracing_configuration.clone(),
        encryption: input.encryption_configuration.clone(),
        publish: input.publish,
        version_description: input.version_description.clone(),
    };
    let nothing = input.definition.is_none()
        && input.role_arn.is_none()
        && settings.logging.is_none()
        && settings.tracing.is_none()
        && settings.encryption.is_none();
    if nothing {
        let message = "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration \
                       or the TracingConfiguration must be specified";
        return Err(Fault::new("MissingRequiredParameter", message).into());
    }
    settings.check()?;
    if let Some(role_arn) = &input.role_arn {
        check_role(role_arn)?;
    }
    if let Some(definition) = &input.definition {
        check_definition(effect, definition)?;
    }
    effect.transact("UpdateStateMachine", update, (input, settings)).await
}

async fn update(
    tx: &mut Tx,
    (input, settings): (UpdateStateMachineInput, Settings),
) -> Result<UpdateStateMachineOutput> {
    let (key, mut machine) = find_active(tx, &input.state_machine_arn).await?;
    let before = revision(tx, &key.name, machine.revision).await?;
    let after = Revision {
        definition: input.definition.unwrap_or_else(|| before.definition.clone()),
        role_arn: input.role_arn.unwrap_or_else(|| before.role_arn.clone()),
        updated_at: tx.now(),
    };
    machine.revision = tx.id();
    machine.logging = settings.logging.or(machine.logging);
    tx.put(&RevisionKey { machine: key.name.clone(), revision: machine.revision }, &after)?;
    tx.put(&key, &machine)?;
    Ok(UpdateStateMachineOutput {
        update_date: after.updated_at,
        revision_id: machine.revision_id(machine.revision),
        state_machine_version_arn: None,
    })
}
