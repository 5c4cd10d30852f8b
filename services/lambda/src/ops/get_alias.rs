//! `GetAlias`: <https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>

use kernel::{Result, Tx};

use crate::api::{GetAliasInput, GetAliasOutput};
use crate::fault;
use crate::function::function;
use crate::keys::{Alias, AliasKey};
use crate::name::{FunctionRef, qualified_arn};
use crate::ops::create_alias::shown;

/// One alias.
pub(crate) async fn get_alias(tx: &mut Tx, input: GetAliasInput) -> Result<GetAliasOutput> {
    let (key, alias) = existing(tx, &input.function_name, &input.name).await?;
    Ok(shown(tx.scope(), &key.name, &key.alias, &alias))
}

/// The alias, guarded.
pub(crate) async fn existing(tx: &mut Tx, function_name: &str, alias: &str) -> Result<(AliasKey, Alias)> {
    let name = FunctionRef::parse(function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let missing = fault::alias_not_found(&qualified_arn(tx.scope(), &name, alias));
    let key = AliasKey { name, alias: alias.to_owned() };
    let alias = tx.get(&key).await?.ok_or(missing)?;
    Ok((key, alias))
}
