use std::collections::BTreeMap;

use asl::{Machine, invalid_definition_message};
use base::{Fault, Timestamp};
use kernel::{Effect, Result, Scope, Tx};

use crate::api::{CreateStateMachineInput, CreateStateMachineOutput, StateMachineType};
use crate::arn::{check_name, check_role, machine_arn};
use crate::keys::{MachineKey, RevisionKey};
use crate::machine::{self, Revision, Settings, StateMachine, add_tags};
use crate::version::publish;
use crate::{fault, integration, log};

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
        logging: input.logging_configuration.clone(),
        tracing: input.tracing_configuration.clone(),
        encryption: input.encryption_configuration.clone(),
        publish: input.publish,
        version_description: input.version_description.clone(),
    };
    settings.check(&scope_of(effect))?;
    if let Some(logging) = &settings.logging {
        log::check_group(effect, logging).await?;
    }
    check_definition(effect, &input.definition, input.r#type.unwrap_or_default())?;
    effect.transact("CreateStateMachine", create, (input, settings)).await
}

/// Where the caller is.
pub(crate) fn scope_of(effect: &Effect) -> Scope {
    Scope { account: effect.caller().account.clone(), region: effect.caller().region.clone() }
}

/// Refuses a definition that is not valid, or that asks for what nobody here serves or machines of its type do not have.
pub(crate) fn check_definition(
    effect: &Effect,
    definition: &str,
    kind: StateMachineType,
) -> Result<(), Fault> {
    let refuse = |diagnostics: &[asl::Diagnostic]| {
        Fault::new("InvalidDefinition", invalid_definition_message(diagnostics))
    };
    let machine = Machine::parse(definition).map_err(|diagnostics| refuse(&diagnostics))?;
    let served = |service: &str, operation: &str| effect.kernel().operation(service, operation);
    let mut found = integration::check(&machine, &served);
    if kind == StateMachineType::Express {
        found.extend(machine.express_diagnostics());
    }
    if found.is_empty() { Ok(()) } else { Err(refuse(&found)) }
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
        kind: input.r#type.unwrap_or_default(),
        last_version: 0,
        tags: BTreeMap::new(),
    };
    let revision = Revision {
        definition: input.definition,
        role_arn: input.role_arn,
        updated_at: machine.created_at,
        traced: settings.traced().unwrap_or_default(),
        logging: settings.logging,
    };
    let mut version = None;
    if let Some(mut existing) = tx.get(&key).await? {
        if existing.deleting {
            return Err(fault::machine_deleting(&arn).into());
        }
        let known = machine::revision(tx, &key.name, existing.revision).await?;
        let same = known.definition == revision.definition
            && known.logging() == revision.logging()
            && known.traced == revision.traced
            && existing.kind == machine.kind;
        if !same {
            return Err(fault::machine_already_exists(&arn).into());
        }
        if settings.publish == Some(true) {
            version = Some(publish(tx, &key, &mut existing, settings.version_description).await?.0);
        }
        return Ok(answer(arn, existing.created_at, version));
    }
    add_tags(&mut machine.tags, input.tags.unwrap_or_default(), &arn)?;
    tx.put(&RevisionKey { machine: input.name, revision: id }, &revision)?;
    tx.put(&key, &machine)?;
    if settings.publish == Some(true) {
        version = Some(publish(tx, &key, &mut machine, settings.version_description).await?.0);
    }
    sweep::ensure(tx).await?;
    Ok(answer(arn, machine.created_at, version))
}

fn answer(arn: String, creation_date: Timestamp, version: Option<u32>) -> CreateStateMachineOutput {
    let state_machine_version_arn = version.map(|version| format!("{arn}:{version}"));
    CreateStateMachineOutput { state_machine_arn: arn, creation_date, state_machine_version_arn }
}
