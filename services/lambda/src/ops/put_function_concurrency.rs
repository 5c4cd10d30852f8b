//! `PutFunctionConcurrency`: <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html>

use kernel::{Parts, Result, Tx};

use crate::api::{PutFunctionConcurrencyInput, PutFunctionConcurrencyOutput};
use crate::concurrency::{ACCOUNT_LIMIT, UNRESERVED_MIN};
use crate::fault;
use crate::function::{ALL, function};
use crate::keys::FunctionKey;
use crate::name::FunctionRef;

/// Sets a function's share aside; 0 stops it.
pub(crate) async fn put_function_concurrency(
    tx: &mut Tx,
    input: PutFunctionConcurrencyInput,
) -> Result<PutFunctionConcurrencyOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let mut row = function(tx, &name).await?;
    let wanted = u32::try_from(input.reserved_concurrent_executions).unwrap_or(0);
    let others = reserved(tx).await?.saturating_sub(row.reserved.unwrap_or(0));
    if others.saturating_add(wanted) > ACCOUNT_LIMIT - UNRESERVED_MIN {
        let message = format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
        );
        return Err(fault::invalid(message).into());
    }
    row.reserved = Some(wanted);
    tx.put(&FunctionKey { name }, &row)?;
    Ok(PutFunctionConcurrencyOutput {
        reserved_concurrent_executions: Some(input.reserved_concurrent_executions),
    })
}

/// The sum of all shares.
pub(crate) async fn reserved(tx: &mut Tx) -> Result<u32> {
    let functions = tx.scan::<FunctionKey>(Parts::none(), ALL).await?;
    Ok(functions.iter().filter_map(|(_, function)| function.reserved).sum())
}
