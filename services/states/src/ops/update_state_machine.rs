use base::Fault;
use kernel::{Effect, Result, Tx};

use super::create_state_machine::{check_definition, scope_of};
use crate::api::{StateMachineType, UpdateStateMachineInput, UpdateStateMachineOutput};
use crate::arn::{check_role, machine_arn};
use crate::keys::RevisionKey;
use crate::log;
use crate::machine::{Revision, Settings, find_active, revision};
use crate::version::publish;

/// Gives a machine another definition, role or configuration. Executions that run keep what they started with.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html>
pub(crate) async fn update_state_machine(
    effect: &Effect,
    input: UpdateStateMachineInput,
) -> Result<UpdateStateMachineOutput> {
    let settings = Settings {
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
    settings.check(&scope_of(effect))?;
    if let Some(logging) = &settings.logging {
        log::check_group(effect, logging).await?;
    }
    if let Some(role_arn) = &input.role_arn {
        check_role(role_arn)?;
    }
    if let Some(definition) = &input.definition {
        let kind = effect.transact("UpdateStateMachine", kind_of, input.state_machine_arn.clone()).await?;
        check_definition(effect, definition, kind)?;
    }
    effect.transact("UpdateStateMachine", update, (input, settings)).await
}

async fn kind_of(tx: &mut Tx, arn: String) -> Result<StateMachineType> {
    Ok(find_active(tx, &arn).await?.1.kind)
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
        traced: settings.traced().unwrap_or(before.traced),
        logging: settings.logging.or_else(|| before.logging.clone()),
    };
    // What changes nothing makes no revision.
    if (Revision { updated_at: before.updated_at, ..after.clone() }) != before {
        machine.revision = tx.id();
        tx.put(&RevisionKey { machine: key.name.clone(), revision: machine.revision }, &after)?;
    }
    tx.put(&key, &machine)?;
    let mut version = None;
    if settings.publish == Some(true) {
        version = Some(publish(tx, &key, &mut machine, settings.version_description).await?.0);
    }
    Ok(UpdateStateMachineOutput {
        update_date: after.updated_at,
        revision_id: machine.revision_id(machine.revision),
        state_machine_version_arn: version
            .map(|version| format!("{}:{version}", machine_arn(tx.scope(), &key.name))),
    })
}
