use std::collections::BTreeSet;

use base::Fault;
use kernel::{Effect, Error, Result};

use crate::api::{GetParameterInput, GetParameterOutput, GetParametersInput, GetParametersOutput};
use crate::parameter;

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
pub(crate) async fn get_parameter(effect: &Effect, input: GetParameterInput) -> Result<GetParameterOutput> {
    let found = effect.transact("FindParameter", parameter::find, input.name).await?;
    let parameter = found.show(effect, input.with_decryption == Some(true)).await?;
    Ok(GetParameterOutput { parameter: Some(parameter) })
}

/// Names that nothing has are told apart, not refused.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>
pub(crate) async fn get_parameters(
    effect: &Effect,
    input: GetParametersInput,
) -> Result<GetParametersOutput> {
    let distinct: BTreeSet<&String> = input.names.iter().collect();
    if distinct.len() < input.names.len() {
        return Err(Fault::validation("Duplicate names of parameters in the request.").into());
    }
    let (mut parameters, mut invalid_parameters) = (Vec::new(), Vec::new());
    for name in input.names {
        match effect.transact("FindParameter", parameter::find, name.clone()).await {
            Ok(found) => parameters.push(found.show(effect, input.with_decryption == Some(true)).await?),
            Err(Error::Fault(_)) => invalid_parameters.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(GetParametersOutput { parameters: Some(parameters), invalid_parameters: Some(invalid_parameters) })
}
