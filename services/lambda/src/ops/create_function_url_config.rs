//! `CreateFunctionUrlConfig`: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html>

use kernel::{Result, Scope, Tx};

use crate::api::{CreateFunctionUrlConfigInput, CreateFunctionUrlConfigOutput, InvokeMode};
use crate::function;
use crate::keys::{Url, UrlIdKey, UrlKey, UrlOwner};
use crate::name::{FunctionRef, version_number};
use crate::{fault, url};

/// Gives a function or an alias an address.
pub(crate) async fn create_function_url_config(
    tx: &mut Tx,
    input: CreateFunctionUrlConfigInput,
) -> Result<CreateFunctionUrlConfigOutput> {
    let key = key(tx, &input.function_name, input.qualifier.as_deref()).await?;
    let arn = function_arn(tx.scope(), &key);
    if tx.get(&key).await?.is_some() {
        let message = format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this Lambda function"
        );
        return Err(fault::conflict(message).into());
    }
    let row = Url {
        id: url_id(tx),
        auth_type: input.auth_type,
        cors: input.cors,
        invoke_mode: input.invoke_mode.unwrap_or(InvokeMode::Buffered),
        created: tx.now(),
        last_modified: tx.now(),
    };
    tx.put(&key, &row)?;
    let owner = UrlOwner { account: tx.scope().account.clone(), name: key.name, qualifier: key.qualifier };
    in_directory(tx, |tx| tx.put(&UrlIdKey { id: row.id.clone() }, &owner))?;
    Ok(CreateFunctionUrlConfigOutput {
        function_url: url::text(tx.endpoint(), tx.scope(), &row.id),
        function_arn: arn,
        auth_type: row.auth_type,
        cors: row.cors,
        creation_time: row.created.to_iso_millis(),
        invoke_mode: Some(row.invoke_mode),
    })
}

/// The key of what the caller names, which exists: a function or an alias.
pub(crate) async fn key(tx: &mut Tx, name: &str, qualifier: Option<&str>) -> Result<UrlKey> {
    let wanted = FunctionRef::parse(name, qualifier, tx.scope())?;
    if wanted.qualifier.as_deref().is_some_and(|qualifier| version_number(qualifier).is_some()) {
        let message = "Function URLs can be configured for the function and its aliases, not for a version";
        return Err(fault::invalid(message).into());
    }
    function::find(tx, &wanted, 0).await?;
    Ok(UrlKey { name: wanted.name, qualifier: wanted.qualifier.unwrap_or_default() })
}

/// The ARN that a URL calls.
pub(crate) fn function_arn(scope: &Scope, key: &UrlKey) -> String {
    let qualifier = (!key.qualifier.is_empty()).then(|| key.qualifier.clone());
    FunctionRef { name: key.name.clone(), qualifier }.arn(scope)
}

/// Works on the rows by which a host is found: they belong to no account, for a host names none.
pub(crate) fn in_directory<T>(tx: &mut Tx, work: impl FnOnce(&mut Tx) -> T) -> T {
    let scope = tx.scope().clone();
    tx.enter(url::directory(&scope.region));
    let done = work(tx);
    tx.enter(scope);
    done
}

/// 32 letters and digits, as AWS's are.
fn url_id(tx: &Tx) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let words = [tx.random(), tx.random(), tx.random()];
    let letter = |at: usize| LETTERS[(words[at / 12] >> (at % 12 * 5) & 31) as usize] as char;
    (0..32).map(letter).collect()
}
