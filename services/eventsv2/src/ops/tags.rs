//! Tags of buses, subscribers and event sources.

use base::Fault;
use base::tags::{self, Refused, Tags};
use kernel::{Result, Tx};

use crate::api::{
    ListTagsForResourceInput, ListTagsForResourceOutput, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput, error,
};
use crate::arn::{self, Named};
use crate::keys::{Bus, BusKey, Source, SourceKey, Subscriber, SubscriberKey};
use crate::{bus, fault, source, subscriber};

/// The tags of a new resource, if they may be.
pub(crate) fn checked(given: Tags) -> Result<Tags, Fault> {
    tags::collect(given).map_err(refused)
}

fn refused(why: Refused) -> Fault {
    match why {
        Refused::TooMany => error::limit_exceeded_exception(why.to_string()),
        Refused::Duplicate | Refused::NotAllowed(_) => fault::invalid(why.to_string()),
    }
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(tx: &mut Tx, input: TagResourceInput) -> Result<TagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tagged.refuse_revoked(&input.resource_arn)?;
    tags::merge(tagged.tags(), input.tags).map_err(refused)?;
    tagged.put(tx)?;
    Ok(TagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_UntagResource.html>
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    tagged.refuse_revoked(&input.resource_arn)?;
    tagged.tags().retain(|name, _| !input.tag_keys.contains(name));
    tagged.put(tx)?;
    Ok(UntagResourceOutput {})
}

/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(
    tx: &mut Tx,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let mut tagged = Tagged::find(tx, &input.resource_arn).await?;
    Ok(ListTagsForResourceOutput { tags: Some(std::mem::take(tagged.tags())) })
}

/// A resource that has tags. Tags do not change what a subscriber does, so what is compiled of it stays.
enum Tagged {
    Bus(BusKey, Bus),
    Subscriber(SubscriberKey, Box<Subscriber>),
    Source(SourceKey, Box<Source>),
}

impl Tagged {
    async fn find(tx: &mut Tx, text: &str) -> Result<Tagged> {
        Ok(match arn::parse(tx, text)? {
            Named::Bus { .. } => {
                let (key, found) = bus::find(tx, text).await?;
                Tagged::Bus(key, found)
            }
            Named::Subscriber { .. } => {
                let (key, found) = subscriber::find(tx, text).await?;
                Tagged::Subscriber(key, Box::new(found))
            }
            Named::Source { .. } => {
                let (key, found) = source::find(tx, text).await?;
                Tagged::Source(key, Box::new(found))
            }
        })
    }

    fn refuse_revoked(&self, arn: &str) -> Result<(), Fault> {
        let revoked = match self {
            Tagged::Bus(..) => false,
            Tagged::Subscriber(_, found) => found.revoked,
            Tagged::Source(_, found) => found.revoked,
        };
        if revoked { Err(fault::revoked(arn)) } else { Ok(()) }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Tagged::Bus(_, found) => &mut found.tags,
            Tagged::Subscriber(_, found) => &mut found.tags,
            Tagged::Source(_, found) => &mut found.tags,
        }
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Tagged::Bus(key, found) => tx.put(key, found),
            Tagged::Subscriber(key, found) => tx.put(key, found),
            Tagged::Source(key, found) => tx.put(key, found),
        }
    }
}
