//! `PublishVersion`: <https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html>

use kernel::{Result, Tx};

use crate::api::{FunctionConfiguration, PublishVersionInput, PublishVersionOutput};
use crate::fault;
use crate::function::{check_revision, function, must_have};
use crate::keys::{FunctionKey, Version, VersionKey};
use crate::name::FunctionRef;
use crate::ops::create_function::hold_all;

/// Makes a version of `$LATEST`, unless the newest version is the same.
pub(crate) async fn publish_version(tx: &mut Tx, input: PublishVersionInput) -> Result<PublishVersionOutput> {
    if input.publish_to.is_some() {
        return Err(fault::unsupported("PublishTo").into());
    }
    let name = FunctionRef::parse(&input.function_name, None, tx.scope())?.name;
    let latest = must_have(tx, &name, 0).await?;
    check_revision(input.revision_id.as_deref(), latest.revision_id)?;
    if input.code_sha256.as_ref().is_some_and(|wanted| *wanted != latest.package.code_sha256()) {
        let message = format!(
            "CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.",
            input.code_sha256.unwrap_or_default(),
            latest.package.code_sha256()
        );
        return Err(fault::invalid(message).into());
    }
    publish(tx, &name, latest, input.description).await
}

/// The version that `latest` becomes, or has become already.
pub(crate) async fn publish(
    tx: &mut Tx,
    name: &str,
    latest: Version,
    description: Option<String>,
) -> Result<FunctionConfiguration> {
    let mut function = function(tx, name).await?;
    let newest = VersionKey { name: name.to_owned(), number: function.last_version };
    if function.last_version > 0
        && let Some(newest_version) = tx.get(&newest).await?
        && is_same(&newest_version, &latest, description.as_deref())
    {
        return Ok(newest_version.shown(tx.scope(), name, newest.number));
    }
    function.last_version += 1;
    let number = function.last_version;
    let version = Version {
        description: description.unwrap_or_else(|| latest.description.clone()),
        revision_id: tx.id(),
        ..latest
    };
    hold_all(tx, &version).await?;
    tx.put(&FunctionKey { name: name.to_owned() }, &function)?;
    tx.put(&VersionKey { name: name.to_owned(), number }, &version)?;
    Ok(version.shown(tx.scope(), name, number))
}

/// Whether a published version has the code and the configuration of `$LATEST`.
fn is_same(published: &Version, latest: &Version, description: Option<&str>) -> bool {
    let as_published = Version {
        description: published.description.clone(),
        revision_id: published.revision_id,
        last_modified: published.last_modified,
        ..latest.clone()
    };
    *published == as_published && description.is_none_or(|wanted| wanted == published.description)
}
