use std::collections::BTreeMap;

use asl::{Machine, invalid_definition_message};
use base::Fault;
use kernel::{Effect, Result, Tx};

use crate::api::{CreateStateMachineInput, CreateStateMachineOutput};
use crate::arn::{check_name, check_role, machine_arn};
use crate::keys::{MachineKey, RevisionKey};
use crate::machine::{Revision, Settings, StateMachine, add_tags, revision};
use crate::{fault, integration};

use super::sweep;

/// Creates a state machine. The same request again, whatever its role and tags, answers as the first one did.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html>
pub(crate) async fn create_state_machine(
    effect: &Effect,
    input: CreateStateMachineInput,
) -> Result<CreateStateMachineOutput> {
    check_name(&input.name)?;
    check_role(&input.role_arn)?;
    let settings = Settings {
        r#type: input.r#type,
        logging: input.logging_configuration.clone(),
        tracing: input.tracing_configuration.clone(),
        encryption: input.encryption_configuration.clone(),
        publish: input.publish,
        version_description: input.version_description.clone(),
    };
    settings.check()?;
    check_definition(effect, &input.definition)?;
    effect.transact("CreateStateMachine", create, (input, settings)).await
}

/// Refuses a definition that is not valid, or that asks for what nobody here serves.
pub(crate) fn check_definition(effect: &Effect, definition: &str) -> Result<(), Fault> {
    let refuse = |diagnostics: &[asl::Diagnostic]| {
        Fault::new("InvalidDefinition", invalid_definition_message(diagnostics))
    };
    let machine = Machine::parse(definition).map_err(|diagnostics| refuse(&diagnostics))?;
    let serves = |service: &str, operation: &str| effect.kernel().serves(service, operation);
    let unserved = integration::check(&machine, &serves);
    if unserved.is_empty() { Ok(()) } else { Err(refuse(&unserved)) }
}

async fn create(
    tx: &mut Tx,
    (input, settings): (CreateStateMachineInput, Settings),
) -> Result<CreateStateMachineOutput> {
    let arn = machine_arn(tx.scope(), &input.name);
    let key = MachineKey { name: input.name.clone() };
    let id = tx.id();
    let mut machine = StateMachine {
        revision: id,
        first_revision: id,
        created_at: tx.now(),
        deleting: false,
        logging: settings.logging,
        tags: BTreeMap::new(),
    };
    if let Some(existing) = tx.get(&key).await? {
        if existing.deleting {
            return Err(fault::machine_deleting(&arn).into());
        }
        let known = revision(tx, &key.name, existing.revision).await?;
        if known.definition != input.definition || existing.logging() != machine.logging() {
            return Err(fault::machine_already_exists(&arn).into());
        }
        return Ok(answer(arn, existing.created_at));
    }
    add_tags(&mut machine.tags, input.tags.unwrap_or_default(), &arn)?;
    tx.put(
        &RevisionKey { machine: input.name, revision: id },
        &Revision { definition: input.definition, role_arn: input.role_arn, updated_at: machine.created_at },
    )?;
    tx.put(&key, &machine)?;
    sweep::ensure(tx).await?;
    Ok(answer(arn, machine.created_at))
}

fn answer(state_machine_arn: String, creation_date: base::Timestamp) -> CreateStateMachineOutput {
    CreateStateMachineOutput { state_machine_arn, creation_date, state_machine_version_arn: None }
}
