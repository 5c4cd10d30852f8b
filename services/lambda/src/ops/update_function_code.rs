//! `UpdateFunctionCode`: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html>

use kernel::{Effect, Result, Tx};

use crate::api::{FunctionCode, UpdateFunctionCodeInput, UpdateFunctionCodeOutput};
use crate::function::{check_revision, must_have};
use crate::keys::{PackageUse, VersionKey};
use crate::name::FunctionRef;
use crate::ops::publish_version::publish;
use crate::package::{self, Source};
use crate::{fault, settings};

/// Stores the package, then changes `$LATEST`.
pub(crate) async fn update_function_code(
    effect: &Effect,
    mut input: UpdateFunctionCodeInput,
) -> Result<UpdateFunctionCodeOutput> {
    if input.publish_to.is_some() {
        return Err(fault::unsupported("PublishTo").into());
    }
    let code = FunctionCode {
        zip_file: input.zip_file.take(),
        s3_bucket: input.s3_bucket.take(),
        s3_key: input.s3_key.take(),
        s3_object_version: input.s3_object_version.take(),
        image_uri: input.image_uri.take(),
        source_kms_key_arn: input.source_kms_key_arn.take(),
        ..FunctionCode::default()
    };
    let package = package::take_in(effect, Source::of_function(code)?).await?;
    effect.transact("UpdateFunctionCode", update, (input, package)).await
}

async fn update(
    tx: &mut Tx,
    (input, package): (UpdateFunctionCodeInput, PackageUse),
) -> Result<UpdateFunctionCodeOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let mut version = must_have(tx, &name, 0).await?;
    check_revision(input.revision_id.as_deref(), version.revision_id)?;
    if let Some(architectures) = input.architectures.as_deref() {
        version.architecture = settings::architecture(Some(architectures))?;
    }
    let old = std::mem::replace(&mut version.package, package);
    if input.dry_run == Some(true) {
        return Ok(version.shown(tx.scope(), &name, 0));
    }
    // The new one first: it may be the same, and must not be removed in between.
    package::hold(tx, &version.package).await?;
    package::release(tx, &old).await?;
    version.last_modified = tx.now();
    version.revision_id = tx.id();
    tx.put(&VersionKey { name: name.clone(), number: 0 }, &version)?;
    if input.publish == Some(true) {
        return publish(tx, &name, version, None).await;
    }
    Ok(version.shown(tx.scope(), &name, 0))
}
