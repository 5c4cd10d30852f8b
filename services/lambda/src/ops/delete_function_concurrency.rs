//! `DeleteFunctionConcurrency`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html>

use kernel::{Result, Tx};

use crate::api::{DeleteFunctionConcurrencyInput, DeleteFunctionConcurrencyOutput};
use crate::function::function;
use crate::keys::FunctionKey;
use crate::name::FunctionRef;

/// Gives a function's share back.
pub(crate) async fn delete_function_concurrency(
    tx: &mut Tx,
    input: DeleteFunctionConcurrencyInput,
) -> Result<DeleteFunctionConcurrencyOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let mut row = function(tx, &name).await?;
    row.reserved = None;
    tx.put(&FunctionKey { name }, &row)?;
    Ok(DeleteFunctionConcurrencyOutput {})
}
