//! `UpdateAlias`: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html>

use kernel::{Result, Tx};

use crate::api::{UpdateAliasInput, UpdateAliasOutput};
use crate::function::check_revision;
use crate::ops::create_alias::{routing, shown, target};
use crate::ops::get_alias::existing;

/// Points an alias elsewhere.
pub(crate) async fn update_alias(tx: &mut Tx, input: UpdateAliasInput) -> Result<UpdateAliasOutput> {
    let (key, mut alias) = existing(tx, &input.function_name, &input.name).await?;
    check_revision(input.revision_id.as_deref(), alias.revision_id)?;
    if let Some(version) = &input.function_version {
        alias.version = target(tx, &key.name, version).await?;
    }
    if input.routing_config.is_some() {
        alias.additional = routing(tx, &key.name, alias.version, input.routing_config.as_ref()).await?;
    }
    alias.description = input.description.unwrap_or(alias.description);
    alias.revision_id = tx.id();
    tx.put(&key, &alias)?;
    Ok(shown(tx.scope(), &key.name, &key.alias, &alias))
}
