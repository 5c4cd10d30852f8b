//! `DeleteFunction`: <https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html>

use kernel::{Parts, Result, Tx};

use crate::api::{DeleteFunctionInput, DeleteFunctionOutput};
use crate::fault;
use crate::function::{self, ALL};
use crate::keys::{AliasKey, EventConfigKey, FunctionKey, PolicyKey, UrlKey, VersionKey};
use crate::name::{FunctionRef, version_number};
use crate::ops::create_function::release_all;
use crate::ops::delete_function_url_config::forget_url;

/// Removes the function with all that belongs to it, or one published version.
pub(crate) async fn delete_function(tx: &mut Tx, input: DeleteFunctionInput) -> Result<DeleteFunctionOutput> {
    let wanted = FunctionRef::parse(&input.function_name, input.qualifier.as_deref(), tx.scope())?;
    function::function(tx, &wanted.name).await?;
    match &wanted.qualifier {
        None => delete_all(tx, &wanted.name).await?,
        Some(qualifier) => delete_version(tx, &wanted, qualifier).await?,
    }
    Ok(DeleteFunctionOutput { status_code: Some(204) })
}

async fn delete_version(tx: &mut Tx, wanted: &FunctionRef, qualifier: &str) -> Result<()> {
    let number = match version_number(qualifier) {
        Some(0) => {
            let message = "$LATEST version cannot be deleted without deleting the function.";
            return Err(fault::invalid(message).into());
        }
        Some(number) => number,
        None => return Err(fault::invalid("Deletion of aliases is not currently supported.").into()),
    };
    let aliases = function::aliases(tx, &wanted.name).await?;
    let pointing = aliases.iter().find(|(_, alias)| {
        alias.version == number || alias.additional.is_some_and(|(other, _)| other == number)
    });
    if let Some((alias, _)) = pointing {
        let message = format!("Version {number} is referenced by the alias {alias} and cannot be deleted.");
        return Err(fault::conflict(message).into());
    }
    let key = VersionKey { name: wanted.name.clone(), number };
    // Deleting a version twice succeeds.
    if let Some(version) = tx.get(&key).await? {
        release_all(tx, &version).await?;
        tx.delete(&key);
    }
    Ok(())
}

async fn delete_all(tx: &mut Tx, name: &str) -> Result<()> {
    for (number, version) in function::versions(tx, name).await? {
        release_all(tx, &version).await?;
        tx.delete(&VersionKey { name: name.to_owned(), number });
    }
    for (key, _) in tx.scan::<AliasKey>(Parts::of(name), ALL).await? {
        tx.delete(&key);
    }
    for (key, _) in tx.scan::<PolicyKey>(Parts::of(name), ALL).await? {
        tx.delete(&key);
    }
    for (key, _) in tx.scan::<EventConfigKey>(Parts::of(name), ALL).await? {
        tx.delete(&key);
    }
    for (key, url) in tx.scan::<UrlKey>(Parts::of(name), ALL).await? {
        forget_url(tx, &url.id);
        tx.delete(&key);
    }
    tx.delete(&FunctionKey { name: name.to_owned() });
    Ok(())
}
