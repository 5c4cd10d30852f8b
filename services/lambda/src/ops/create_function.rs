//! `CreateFunction`: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>

use kernel::{Effect, Result, Tx};

use crate::api::{CreateFunctionInput, CreateFunctionOutput};
use crate::keys::{Function, FunctionKey, PackageUse, VersionKey};
use crate::name::FunctionRef;
use crate::ops::publish_version::publish;
use crate::ops::tag_resource::check_keys;
use crate::package::{self, Source};
use crate::{fault, settings};

/// Stores the package, then the function.
pub(crate) async fn create_function(
    effect: &Effect,
    mut input: CreateFunctionInput,
) -> Result<CreateFunctionOutput> {
    let package = package::take_in(effect, Source::of_function(std::mem::take(&mut input.code))?).await?;
    effect.transact("CreateFunction", create, (input, package)).await
}

async fn create(
    tx: &mut Tx,
    (input, package): (CreateFunctionInput, PackageUse),
) -> Result<CreateFunctionOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let key = FunctionKey { name: name.clone() };
    if tx.get(&key).await?.is_some() {
        return Err(fault::conflict(format!("Function already exist: {name}")).into());
    }
    let version = settings::created(tx, &input, package).await?;
    hold_all(tx, &version).await?;
    let tags = input.tags.clone().unwrap_or_default();
    check_keys(&tags)?;
    tx.put(&key, &Function { tags, ..Function::default() })?;
    tx.put(&VersionKey { name: name.clone(), number: 0 }, &version)?;
    if input.publish == Some(true) {
        return publish(tx, &name, version, None).await;
    }
    Ok(version.shown(tx.scope(), &name, 0))
}

/// Counts the packages of a version as used.
pub(crate) async fn hold_all(tx: &mut Tx, version: &crate::keys::Version) -> Result<()> {
    package::hold(tx, &version.package).await?;
    for layer in &version.layers {
        package::hold(tx, &layer.package).await?;
    }
    Ok(())
}

/// Counts the packages of a version as no longer used by it.
pub(crate) async fn release_all(tx: &mut Tx, version: &crate::keys::Version) -> Result<()> {
    package::release(tx, &version.package).await?;
    for layer in &version.layers {
        package::release(tx, &layer.package).await?;
    }
    Ok(())
}
