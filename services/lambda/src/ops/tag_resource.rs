//! `TagResource`: <https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html>

use kernel::{Result, Tx};

use crate::api::{TagResourceInput, TagResourceOutput};
use crate::fault;
use crate::function::function;
use crate::keys::{Function, FunctionKey};
use crate::name::FunctionRef;

/// The most tags of a function.
const TAGS_MAX: usize = 50;

/// Adds tags; a key that is there already gets the new value.
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let (key, mut row) = tagged(tx, &input.resource).await?;
    row.tags.extend(input.tags);
    if row.tags.len() > TAGS_MAX {
        return Err(fault::invalid(format!("A function can have at most {TAGS_MAX} tags.")).into());
    }
    tx.put(&key, &row)?;
    Ok(TagResourceOutput {})
}

/// The function of a resource ARN. Tags belong to functions, not to versions or aliases.
pub(crate) async fn tagged(tx: &mut Tx, arn: &str) -> Result<(FunctionKey, Function)> {
    let wanted = FunctionRef::parse(arn, None, tx.scope())?;
    if wanted.qualifier.is_some() {
        return Err(fault::invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        )
        .into());
    }
    let row = function(tx, &wanted.name).await?;
    Ok((FunctionKey { name: wanted.name }, row))
}
