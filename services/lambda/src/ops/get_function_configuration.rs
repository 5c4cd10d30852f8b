//! `GetFunctionConfiguration`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>

use kernel::{Result, Tx};

use crate::api::{FunctionConfiguration, GetFunctionConfigurationInput, GetFunctionConfigurationOutput};
use crate::function::{self, Found};
use crate::name::FunctionRef;

/// The configuration of one version.
pub(crate) async fn get_function_configuration(
    tx: &mut Tx,
    input: GetFunctionConfigurationInput,
) -> Result<GetFunctionConfigurationOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    let found = function::find(tx, &wanted, u64::MAX).await?;
    Ok(shown(tx, &wanted, &found))
}

/// The configuration under the ARN that the caller named.
pub(crate) fn shown(tx: &Tx, wanted: &FunctionRef, found: &Found) -> FunctionConfiguration {
    found.version.shown_as(wanted.arn(tx.scope()), &wanted.name, found.number)
}
