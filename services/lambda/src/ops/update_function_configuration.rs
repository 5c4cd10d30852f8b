//! `UpdateFunctionConfiguration`: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>

use kernel::{Result, Tx};

use crate::api::{UpdateFunctionConfigurationInput, UpdateFunctionConfigurationOutput};
use crate::function::{check_revision, must_have};
use crate::keys::VersionKey;
use crate::name::FunctionRef;
use crate::ops::create_function::{hold_all, release_all};
use crate::settings;

/// Changes `$LATEST`.
pub(crate) async fn update_function_configuration(
    tx: &mut Tx,
    input: UpdateFunctionConfigurationInput,
) -> Result<UpdateFunctionConfigurationOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let old = must_have(tx, &name, 0).await?;
    check_revision(input.revision_id.as_deref(), old.revision_id)?;
    let version = settings::updated(tx, &input, old.clone()).await?;
    hold_all(tx, &version).await?;
    release_all(tx, &old).await?;
    tx.put(&VersionKey { name: name.clone(), number: 0 }, &version)?;
    Ok(version.shown(tx.scope(), &name, 0))
}
