//! `GetFunctionConcurrency`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html>

use kernel::{Result, Tx};

use crate::api::{GetFunctionConcurrencyInput, GetFunctionConcurrencyOutput};
use crate::function::function;
use crate::name::FunctionRef;

/// A function's share, if it has one.
pub(crate) async fn get_function_concurrency(
    tx: &mut Tx,
    input: GetFunctionConcurrencyInput,
) -> Result<GetFunctionConcurrencyOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let reserved = function(tx, &name).await?.reserved;
    let reserved_concurrent_executions = reserved.and_then(|reserved| i32::try_from(reserved).ok());
    Ok(GetFunctionConcurrencyOutput { reserved_concurrent_executions })
}
