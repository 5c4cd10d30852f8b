use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteParameterInput, DeleteParameterOutput, DeleteParametersInput, DeleteParametersOutput,
};
use crate::keys::{ParameterKey, VersionKey};
use crate::name::Reference;
use crate::{event, fault};

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html>
pub(crate) async fn delete_parameter(
    tx: &mut Tx,
    input: DeleteParameterInput,
) -> Result<DeleteParameterOutput> {
    if delete(tx, &input.name).await? {
        return Ok(DeleteParameterOutput {});
    }
    Err(fault::not_found(&input.name).into())
}

/// Names that nothing has are told apart, not refused.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html>
pub(crate) async fn delete_parameters(
    tx: &mut Tx,
    input: DeleteParametersInput,
) -> Result<DeleteParametersOutput> {
    let (mut deleted_parameters, mut invalid_parameters) = (Vec::new(), Vec::new());
    for name in input.names {
        if delete(tx, &name).await? {
            deleted_parameters.push(name);
        } else {
            invalid_parameters.push(name);
        }
    }
    Ok(DeleteParametersOutput {
        deleted_parameters: Some(deleted_parameters),
        invalid_parameters: Some(invalid_parameters),
    })
}

/// Removes a parameter with all its versions, if there is one.
async fn delete(tx: &mut Tx, text: &str) -> Result<bool> {
    let reference = match Reference::parse(text, tx.scope()) {
        Ok(reference) if reference.selector.is_none() => reference,
        Ok(_) => return Err(Fault::validation("A version of a parameter cannot be deleted.").into()),
        Err(_) => return Ok(false),
    };
    for name in reference.names {
        let key = ParameterKey { name };
        let Some(parameter) = tx.get(&key).await? else { continue };
        tx.delete(&key);
        for number in parameter.oldest..parameter.latest.number {
            tx.delete(&VersionKey { name: key.name.clone(), number });
        }
        event::emit(tx, "Delete", &key.name, &parameter.latest)?;
        return Ok(true);
    }
    Ok(false)
}
