//! `TagResource`: <https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html>

use std::collections::BTreeMap;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{TagResourceInput, TagResourceOutput};
use crate::fault;
use crate::function::function;
use crate::keys::{Function, FunctionKey, Mapping, MappingKey};
use crate::mapping;
use crate::name::FunctionRef;

/// The most tags of a function or mapping.
const TAGS_MAX: usize = 50;

/// Adds tags; a key that is there already gets the new value.
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    check_keys(&input.tags)?;
    let mut tagged = tagged(tx, &input.resource).await?;
    tagged.tags().extend(input.tags);
    if tagged.tags().len() > TAGS_MAX {
        return Err(fault::invalid(format!("A resource can have at most {TAGS_MAX} tags.")).into());
    }
    tagged.put(tx)?;
    Ok(TagResourceOutput {})
}

/// Keys that begin with `aws:` are AWS's own.
pub(crate) fn check_keys(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    match tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        true => Err(fault::invalid("aws: prefixed tag key names are not allowed for external use.")),
        false => Ok(()),
    }
}

/// What has tags, with the row that has them.
pub(crate) enum Tagged {
    Function(FunctionKey, Function),
    Mapping(MappingKey, Box<Mapping>),
}

impl Tagged {
    pub(crate) fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Tagged::Function(_, function) => &mut function.tags,
            Tagged::Mapping(_, mapping) => &mut mapping.tags,
        }
    }

    pub(crate) fn put(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Tagged::Function(key, function) => tx.put(key, function),
            Tagged::Mapping(key, mapping) => tx.put(key, mapping),
        }
    }
}

/// The function or mapping of a resource ARN. Tags belong to functions, not to versions or aliases.
pub(crate) async fn tagged(tx: &mut Tx, arn: &str) -> Result<Tagged> {
    if let Some(uuid) = mapping::uuid_of(arn) {
        let mapping = mapping::existing(tx, &uuid).await?;
        return Ok(Tagged::Mapping(MappingKey { uuid }, Box::new(mapping)));
    }
    let wanted = FunctionRef::parse(arn, None, tx.scope())?;
    if wanted.qualifier.is_some() {
        return Err(fault::invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        )
        .into());
    }
    let row = function(tx, &wanted.name).await?;
    Ok(Tagged::Function(FunctionKey { name: wanted.name }, row))
}
