//! Tags of buses and rules.

use base::tags::{self, Refused, Tags};
use base::{Arn, Fault};
use kernel::{Result, Scope, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use crate::bus;
use crate::fault;
use crate::keys::{Bus, BusKey, Rule, RuleKey};
use crate::managed;
use crate::rule;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tags::merge(tagged.tags(), to_map(input.tags)?).map_err(refused)?;
    tagged.put(tx)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tagged.tags().retain(|name, _| !input.tag_keys.contains(name));
    tagged.put(tx)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    let tags = std::mem::take(tagged.tags()).into_iter().map(|(key, value)| Tag { key, value });
    Ok(ListTagsForResourceOutput { tags: Some(tags.collect()) })
}

pub(crate) fn to_map(given: Vec<Tag>) -> Result<Tags, Fault> {
    tags::collect(given.into_iter().map(|tag| (tag.key, tag.value))).map_err(refused)
}

fn refused(why: Refused) -> Fault {
    match why {
        Refused::TooMany => fault::limit_exceeded(),
        Refused::Duplicate | Refused::NotAllowed(_) => fault::invalid(why.to_string()),
    }
}

/// A resource that has tags. Tags do not change what a rule does, so the compiled rules stay.
enum Tagged {
    Bus(BusKey, Bus),
    Rule(RuleKey, Rule),
}

impl Tagged {
    async fn find(tx: &mut Tx, text: &str) -> Result<Tagged> {
        let invalid = || fault::invalid_parameter("ResourceARN", "Provided Arn is not in correct format.");
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let (Some(account), Some(region)) = (arn.account_id(), arn.region_name()) else {
            return Err(invalid().into());
        };
        if account != tx.scope().account {
            let message =
                format!("Account {} is not authorized to use the tags of {text}", tx.scope().account);
            return Err(Fault::access_denied(message).into());
        }
        tx.enter(Scope { account, region });
        if let Some(name) = arn.resource.strip_prefix("event-bus/") {
            let found = bus::find_guarded(tx, name).await?;
            return Ok(Tagged::Bus(BusKey { name: name.to_owned() }, found));
        }
        let Some(key) = rule::key_of_arn(&arn) else { return Err(invalid().into()) };
        match tx.get(&key).await? {
            Some(rule) => Ok(Tagged::Rule(key, rule)),
            None => Err(fault::no_such_rule(&key.name, &key.bus).into()),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Tagged::Bus(_, bus) => &mut bus.tags,
            Tagged::Rule(_, rule) => &mut rule.tags,
        }
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Tagged::Bus(key, bus) => tx.put(key, bus),
            Tagged::Rule(key, rule) => {
                managed::check(key, rule, false)?;
                tx.put(key, rule)
            }
        }
    }
}
