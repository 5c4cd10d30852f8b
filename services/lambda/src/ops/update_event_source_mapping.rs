//! `UpdateEventSourceMapping`: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html>

use kernel::{Effect, Result, Scope, Tx};

use super::create_event_source_mapping::{check_destination, check_function, claim_pair};
use crate::api::{UpdateEventSourceMappingInput, UpdateEventSourceMappingOutput};
use crate::fault;
use crate::keys::{Checkpoint, CheckpointKey, Mapping, MappingKey, PairKey};
use crate::mapping::settings::Wanted;
use crate::mapping::{checkpoints, existing, keep_vigils, kind_of, parse_source, result, shown};
use crate::name::FunctionRef;

/// Changes a mapping. What it has read already is taken to its end as it was.
pub(crate) async fn update_event_source_mapping(
    effect: &Effect,
    input: UpdateEventSourceMappingInput,
) -> Result<UpdateEventSourceMappingOutput> {
    check_destination(effect, &Wanted::updated(&input)?)?;
    effect.transact("UpdateEventSourceMapping", update, input).await
}

async fn update(tx: &mut Tx, input: UpdateEventSourceMappingInput) -> Result<UpdateEventSourceMappingOutput> {
    let uuid = input.uuid.clone();
    let mut mapping = existing(tx, &uuid).await?;
    let kind = kind_of(&parse_source(&mapping.source)?).ok_or_else(fault::no_such_resource)?;
    let (was_enabled, lanes) = (mapping.enabled, mapping.settings.lanes);
    mapping.settings.apply(kind, Wanted::updated(&input)?)?;
    if let Some(name) = &input.function_name {
        let scope: Scope = tx.scope().clone();
        let function = FunctionRef::parse(name, None, &scope)?;
        check_function(tx, &function, None).await?;
        if function != mapping.function {
            let old = PairKey { source: mapping.source.clone(), function: mapping.function.arn(&scope) };
            tx.delete(&old);
            mapping.function = function;
            claim_pair(tx, kind, &mapping, &uuid).await?;
        }
    }
    mapping.enabled = input.enabled.unwrap_or(mapping.enabled);
    mapping.last_modified = tx.now();
    if mapping.settings.lanes != lanes {
        lay_lanes(tx, &uuid, &mut mapping).await?;
    }
    keep_vigils(tx, &uuid, &mapping, lanes)?;
    tx.put(&MappingKey { uuid: uuid.clone() }, &mapping)?;
    let state = match (was_enabled, mapping.enabled) {
        (false, true) => "Enabling",
        (true, false) => "Disabling",
        _ => "Updating",
    };
    let result = result(tx, &uuid, &mapping).await?;
    Ok(shown(tx.scope(), &uuid, &mapping, result, state))
}

/// Divides the stream anew: all lanes begin where the last of the old ones was, so that none passes over a record.
async fn lay_lanes(tx: &mut Tx, uuid: &str, mapping: &mut Mapping) -> Result<()> {
    let old = checkpoints(tx, uuid).await?;
    let position = old.iter().map(|(_, checkpoint)| checkpoint.position.clone()).min().unwrap_or_default();
    for (key, _) in &old {
        tx.delete(key);
    }
    for lane in 0..mapping.settings.lanes {
        let key = CheckpointKey { mapping: uuid.to_owned(), lane };
        tx.put(&key, &Checkpoint::at(position.clone()))?;
    }
    mapping.epoch += 1;
    Ok(())
}
