//! `DeleteAlias`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html>

use kernel::{Result, Tx};

use crate::api::{DeleteAliasInput, DeleteAliasOutput};
use crate::function::function;
use crate::keys::AliasKey;
use crate::name::FunctionRef;

/// Removes an alias; one that is not there is removed already.
pub(crate) async fn delete_alias(tx: &mut Tx, input: DeleteAliasInput) -> Result<DeleteAliasOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    tx.delete(&AliasKey { name, alias: input.name });
    Ok(DeleteAliasOutput {})
}
