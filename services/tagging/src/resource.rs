//! Resources through the router: which there are, what their tags are, and changing them.

use std::collections::BTreeMap;

use base::{Arn, Document, Fault, Region};
use kernel::Effect;
use serde_json::{Map, json};

use crate::fault;
use crate::kinds::{ArnOf, KINDS, Kind, List, Operation};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Pages that are read of one list, at most: a list that never ends is a mistake.
const PAGES_MAX: usize = 10_000;

/// A resource that may have tags.
pub(crate) struct Resource {
    pub arn: String,
    pub kind: &'static Kind,
}

/// What is done to a resource's tags.
pub(crate) enum Change<'c> {
    /// Added, or given other values.
    Add(&'c Tags),
    /// Removed, by their keys.
    Remove(&'c [String]),
}

/// All resources of the caller's account and region whose kind one of `types` names.
///
/// # Errors
/// What a service answers that cannot list its own.
pub(crate) async fn all(effect: &Effect, types: &[String]) -> Result<Vec<Resource>, Fault> {
    let mut found = Vec::new();
    let here = |kind: &&Kind| !kind.global || effect.caller().region == Region::default();
    for kind in KINDS.iter().filter(|kind| kind.is_of(types)).filter(here) {
        let Some(list) = &kind.list else { continue };
        for item in items(effect, kind, list).await? {
            let arn = match list.arn {
                ArnOf::Member(member) => item[member].as_str().map(str::to_owned),
                ArnOf::Made(made) => item.as_str().map(|name| made(effect.caller(), name)),
            };
            found.extend(arn.map(|arn| Resource { arn, kind }));
        }
    }
    Ok(found)
}

/// All resources of the caller's account and region that have tags, with them.
///
/// # Errors
/// As [`all`].
pub(crate) async fn all_tagged(effect: &Effect) -> Result<Vec<(String, Tags)>, Fault> {
    let mut tagged = Vec::new();
    for resource in all(effect, &[]).await? {
        if let Some(tags) = resource.tags(effect).await? {
            tagged.push((resource.arn, tags));
        }
    }
    Ok(tagged)
}

/// Those of `arns` that are listed in the caller's account and region, if they are there.
pub(crate) fn named(effect: &Effect, arns: &[String]) -> Vec<Resource> {
    let listed = |text: &String| {
        let arn: Arn = text.parse().ok()?;
        let kind = Kind::of(&arn).filter(|kind| kind.list.is_some())?;
        is_here(effect, &arn).then(|| Resource { arn: text.clone(), kind })
    };
    arns.iter().filter_map(listed).collect()
}

/// Whether an ARN's account and region, where it names them, are the caller's.
fn is_here(effect: &Effect, arn: &Arn) -> bool {
    let caller = effect.caller();
    (arn.account.is_empty() || arn.account == caller.account.as_str())
        && (arn.region.is_empty() || arn.region == caller.region.as_str())
}

async fn items(effect: &Effect, kind: &Kind, list: &List) -> Result<Vec<Document>, Fault> {
    let Some((parents, named, member)) = list.within else {
        return pages(effect, kind, list, Map::new()).await;
    };
    let mut all = Vec::new();
    for parent in pages(effect, kind, parents, Map::new()).await? {
        let input = Map::from_iter([(member.to_owned(), parent[named].clone())]);
        all.extend(pages(effect, kind, list, input).await?);
    }
    Ok(all)
}

async fn pages(
    effect: &Effect,
    kind: &Kind,
    list: &List,
    mut input: Map<String, Document>,
) -> Result<Vec<Document>, Fault> {
    input.extend(list.fixed.iter().map(|(name, value)| ((*name).to_owned(), literal(value))));
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut output = send(effect, kind.service, list.operation, &input).await?;
        if let Some(Document::Array(items)) = output.get_mut(list.items).map(Document::take) {
            all.extend(items);
        }
        let (asked, told) = list.token;
        match output.get(told).filter(|token| token.as_str().is_some_and(|token| !token.is_empty())) {
            Some(token) => input.insert(asked.to_owned(), token.clone()),
            None => return Ok(all),
        };
    }
    Err(Fault::internal(format!("the list of {} does not end", kind.name)))
}

/// A number where it is one.
fn literal(text: &str) -> Document {
    text.parse::<u32>().map_or_else(|_| text.into(), Document::from)
}

impl Resource {
    /// Its tags; `None` if it has none, or is not there (any more).
    ///
    /// # Errors
    /// The service cannot answer.
    pub(crate) async fn tags(&self, effect: &Effect) -> Result<Option<Tags>, Fault> {
        let verbs = &self.kind.verbs;
        let (Some((operation, path)), Ok(arn)) = (verbs.read, self.arn.parse::<Arn>()) else {
            return Ok(None);
        };
        let input = input(effect, self.kind, &arn);
        match send(effect, self.kind.service, Operation::Api(operation), &input).await {
            Ok(output) => {
                let tags = output.pointer(path).and_then(|tags| verbs.shape.read(tags)).unwrap_or_default();
                Ok(Some(Tags::from_iter(tags)).filter(|tags| !tags.is_empty()))
            }
            // It was removed since it was listed, or a request names what is not there: that is no error.
            Err(fault) if fault.status < 500 => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Changes the tags of a resource.
///
/// # Errors
/// It is elsewhere or of a kind that takes none here, or its service refuses.
pub(crate) async fn change(effect: &Effect, arn: &Arn, change: &Change<'_>) -> Result<(), Fault> {
    let verbs = Kind::of(arn).map(|kind| (kind, &kind.verbs));
    let verb = verbs.and_then(|(kind, verbs)| {
        let (operation, member) = match change {
            Change::Add(_) => verbs.add?,
            Change::Remove(_) => verbs.remove?,
        };
        Some((kind, operation, member))
    });
    let Some((kind, operation, member)) = verb else {
        let kind = arn.resource.split(['/', ':']).next().unwrap_or_default();
        let message = format!("tagging {}:{kind} here is not implemented by Buswork", arn.service);
        return Err(fault::invalid(message));
    };
    if !is_here(effect, arn) {
        return Err(fault::invalid(format!("{arn} is not in the caller's account and region.")));
    }
    let mut input = input(effect, kind, arn);
    let changed = match change {
        Change::Add(tags) => kind.verbs.shape.write(tags.iter()),
        Change::Remove(keys) => json!(keys),
    };
    input.insert(member.to_owned(), changed);
    send(effect, kind.service, operation, &input).await.map(|_| ())
}

/// What every operation on a resource's tags is told.
fn input(effect: &Effect, kind: &Kind, arn: &Arn) -> Map<String, Document> {
    let verbs = &kind.verbs;
    let (member, id) = verbs.id;
    let fixed = verbs.fixed.iter().map(|(name, value)| ((*name).to_owned(), Document::from(*value)));
    let id = (member.to_owned(), id(effect.caller(), effect.endpoint(), arn).into());
    fixed.chain([id]).collect()
}

async fn send(
    effect: &Effect,
    service: &str,
    operation: Operation,
    input: &Map<String, Document>,
) -> Result<Document, Fault> {
    match operation {
        Operation::Api(operation) => {
            let input = serde_json::to_vec(input).map_err(Fault::internal)?;
            let output = effect.call(service, operation, input.into()).await?;
            serde_json::from_slice(&output).map_err(Fault::internal)
        }
        Operation::Internal(operation) => {
            let caller = effect.caller().clone();
            effect.kernel().ask(caller, service, operation, &Document::Object(input.clone())).await
        }
    }
}
