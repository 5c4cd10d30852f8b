//! `GetFunctionCodeSigningConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html>

use kernel::{Result, Tx};

use crate::api::{GetFunctionCodeSigningConfigInput, GetFunctionCodeSigningConfigOutput};
use crate::function;
use crate::name::FunctionRef;

/// No function has one: code signing is refused where a function is made. Terraform asks for it with every function.
pub(crate) async fn get_function_code_signing_config(
    tx: &mut Tx,
    input: GetFunctionCodeSigningConfigInput,
) -> Result<GetFunctionCodeSigningConfigOutput> {
    let wanted = FunctionRef::parse(&input.function_name, None, tx.scope())?;
    function::function(tx, &wanted.name).await?;
    Ok(GetFunctionCodeSigningConfigOutput {
        code_signing_config_arn: String::new(),
        function_name: wanted.name,
    })
}
