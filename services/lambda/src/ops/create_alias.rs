//! `CreateAlias`: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html>

use std::collections::BTreeMap;

use kernel::{Result, Scope, Tx};

use crate::api::{AliasConfiguration, AliasRoutingConfiguration, CreateAliasInput, CreateAliasOutput};
use crate::fault;
use crate::function::{function, must_have};
use crate::keys::{Alias, AliasKey};
use crate::name::{FunctionRef, qualified_arn, version_number, version_text};

/// Points a name at a version.
pub(crate) async fn create_alias(tx: &mut Tx, input: CreateAliasInput) -> Result<CreateAliasOutput> {
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    function(tx, &name).await?;
    let version = target(tx, &name, &input.function_version).await?;
    let additional = routing(tx, &name, version, input.routing_config.as_ref()).await?;
    let key = AliasKey { name: name.clone(), alias: input.name.clone() };
    if tx.get(&key).await?.is_some() {
        let arn = qualified_arn(tx.scope(), &name, &input.name);
        return Err(fault::conflict(format!("Alias already exists: {arn}")).into());
    }
    let description = input.description.unwrap_or_default();
    let alias = Alias { version, description, additional, revision_id: tx.id() };
    tx.put(&key, &alias)?;
    Ok(shown(tx.scope(), &name, &input.name, &alias))
}

/// The number of an existing version.
pub(crate) async fn target(tx: &mut Tx, name: &str, version: &str) -> Result<u64> {
    let Some(number) = version_number(version) else {
        return Err(fault::function_not_found(&qualified_arn(tx.scope(), name, version)).into());
    };
    must_have(tx, name, number).await?;
    Ok(number)
}

/// The second version of a weighted alias.
pub(crate) async fn routing(
    tx: &mut Tx,
    name: &str,
    version: u64,
    config: Option<&AliasRoutingConfiguration>,
) -> Result<Option<(u64, f64)>> {
    let weights: BTreeMap<String, f64> =
        config.and_then(|config| config.additional_version_weights.clone()).unwrap_or_default();
    let Some((other, weight)) = weights.iter().next() else { return Ok(None) };
    if weights.len() > 1 {
        return Err(
            fault::invalid("Number of items in AdditionalVersionWeights cannot be greater than 1").into()
        );
    }
    let other = target(tx, name, other).await?;
    if version == 0 || other == 0 {
        return Err(
            fault::invalid("$LATEST is not supported for an alias pointing to more than 1 version").into()
        );
    }
    if other == version {
        let message = format!(
            "Invalid function version {other}. Function version {other} is already included in routing configuration."
        );
        return Err(fault::invalid(message).into());
    }
    Ok(Some((other, *weight)))
}

/// An alias as AWS shows it.
pub(crate) fn shown(scope: &Scope, name: &str, alias_name: &str, alias: &Alias) -> AliasConfiguration {
    let routing_config = alias.additional.map(|(other, weight)| AliasRoutingConfiguration {
        additional_version_weights: Some(BTreeMap::from([(version_text(other), weight)])),
    });
    AliasConfiguration {
        alias_arn: Some(qualified_arn(scope, name, alias_name)),
        name: Some(alias_name.to_owned()),
        function_version: Some(version_text(alias.version)),
        description: Some(alias.description.clone()),
        routing_config,
        revision_id: Some(alias.revision_id.to_string()),
    }
}
