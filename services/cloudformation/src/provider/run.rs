//! Making, changing and taking away: the requests of a type, sent through the router one after the other.
//!
//! Every step may run twice: after a crash the second run meets what the first one made.

use base::{Document, Fault};
use kernel::Effect;
use serde_json::Map;

use super::conform::conform;
use super::{Facet, Known, Life, Place, Properties, Request, ResourceType, Source, path, request};

/// The operations of one type, called in the name of the stack's creator.
pub(crate) struct Provider<'p> {
    effect: &'p Effect,
    kind: &'static ResourceType,
    place: Place,
}

/// A resource that stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Made {
    /// The physical id.
    pub id: String,
    /// What `Ref` yields.
    pub reference: Document,
    /// What `Fn::GetAtt` yields, by attribute.
    pub attributes: Map<String, Document>,
    /// It can be used already.
    pub ready: bool,
}

/// A step that did not succeed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What the operation answered.
    pub fault: Fault,
    /// Whose operation it was.
    pub service: &'static str,
    /// The physical id of what has been made nevertheless.
    pub id: Option<String>,
    /// It failed before anything was asked of anybody: there is nothing to change back.
    pub untouched: bool,
}

impl Failure {
    /// It came before anything was asked of anybody.
    pub(crate) fn untouched(self) -> Failure {
        Failure { untouched: true, ..self }
    }

    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        let down = self.fault.status >= 500 && self.fault.status != 501;
        // A table takes no further change while one of its indexes is being filled.
        let busy = self.fault.code.contains("ResourceInUse") && self.fault.message.contains("being updated");
        down || busy || kernel::task::is_throttling(&self.fault)
    }

    fn with(self, id: &str) -> Failure {
        Failure { id: Some(id.to_owned()), ..self }
    }
}

/// The code of a failure whose message says where properties have not the form that their type wants.
pub(crate) const MALFORMED: &str = "PropertiesValidationFailed";

/// The resource is not there: what services say of it, in their many words.
pub(crate) fn is_gone(fault: &Fault) -> bool {
    ["NotFound", "DoesNotExist", "NoSuch", "NonExistent"].iter().any(|part| fault.code.contains(part))
}

/// The resource is there already.
pub(crate) fn is_taken(fault: &Fault) -> bool {
    ["AlreadyExists", "NameExists", "ResourceConflict", "ResourceInUse", "AlreadyOwnedByYou"]
        .iter()
        .any(|part| fault.code.contains(part))
}

impl<'p> Provider<'p> {
    pub(crate) fn new(effect: &'p Effect, kind: &'static ResourceType) -> Provider<'p> {
        let caller = effect.caller();
        let place = Place {
            account: caller.account.to_string(),
            region: caller.region.to_string(),
            endpoint: effect.endpoint().to_owned(),
        };
        Provider { effect, kind, place }
    }

    /// Whether a resource of that name exists; types that cannot be described say no.
    pub(crate) async fn exists(&self, name: &str, properties: &Properties) -> Result<bool, Failure> {
        let shaped = self.shaped(properties)?;
        let known = self.known(None, Some(name), &shaped);
        let id = self.kind.id.value(&known).and_then(|id| id.as_str().map(str::to_owned));
        let known = self.known(id.as_deref(), Some(name), &shaped);
        Ok(self.describe(&known).await?.is_some())
    }

    /// Makes the resource. `resumed`: an earlier run of this very step may have made it.
    pub(crate) async fn create(
        &self,
        name: Option<&str>,
        properties: &Properties,
        resumed: bool,
    ) -> Result<Made, Failure> {
        let shaped = self.drawn(name, &Properties::new(), self.shaped(properties)?).await?;
        let known = self.known(None, name, &shaped);
        let created = match request::create(self.kind, &known) {
            None => Document::Null,
            Some(request) => match self.send(request).await {
                Err(failure) if resumed && is_taken(&failure.fault) => Document::Null,
                answer => answer?,
            },
        };
        let known = Known { created: &created, ..known };
        let read = if created.is_null() { self.describe(&known).await? } else { None };
        let read = read.unwrap_or_default();
        let known = Known { read: &read, ..known };
        let id = self.kind.id.value(&known).and_then(|id| id.as_str().map(str::to_owned));
        let id = id.ok_or_else(|| self.refused("the operation that made the resource did not name it"))?;
        let known = Known { id: Some(&id), ..known };
        self.facets(&known).await.map_err(|failure| failure.with(&id))?;
        self.made(&id, &known).await.map_err(|failure| failure.with(&id))
    }

    /// Brings the resource from `old` to `new`.
    pub(crate) async fn update(
        &self,
        names: (&str, Option<&str>),
        old: &Properties,
        new: &Properties,
    ) -> Result<Made, Failure> {
        self.bring(names, old, new, &[]).await
    }

    /// As [`Provider::update`], where the resource may be anywhere on the way: an earlier run has begun the change, or the change
    /// that is taken back has failed half-way.
    pub(crate) async fn finish(
        &self,
        names: (&str, Option<&str>),
        old: &Properties,
        new: &Properties,
    ) -> Result<Made, Failure> {
        self.bring(names, old, new, self.kind.already).await
    }

    async fn bring(
        &self,
        (id, name): (&str, Option<&str>),
        old: &Properties,
        new: &Properties,
        already: &[&str],
    ) -> Result<Made, Failure> {
        let old = self.shaped_if_possible(old);
        let shaped = self.shaped(new).map_err(Failure::untouched)?;
        let new = self.drawn(name, &old, shaped).await?;
        let known = self.known(Some(id), name, &new);
        let mut requests = request::update(self.kind, &old, &known);
        requests.extend(self.kind.facets.iter().flat_map(|facet| request::facet(facet, &old, &known)));
        for request in requests {
            match self.send(request).await {
                Err(failure) if already.iter().any(|text| failure.fault.message.starts_with(text)) => {}
                answer => drop(answer?),
            }
        }
        self.made(id, &known).await
    }

    /// Takes the resource away; `true` once it is gone.
    pub(crate) async fn delete(
        &self,
        (id, name): (&str, Option<&str>),
        properties: &Properties,
    ) -> Result<bool, Failure> {
        let shaped = self.shaped_if_possible(properties);
        let known = self.known(Some(id), name, &shaped);
        for facet in self.kind.facets.iter().filter(|facet| facet.life == Life::Whole) {
            for request in request::unset(facet, &known) {
                self.send_away(request).await?;
            }
        }
        if let Some(call) = self.kind.delete {
            self.send_away(call.request(Document::Null, &known)).await?;
        }
        Ok(!self.kind.slow_delete || self.describe(&known).await?.is_none())
    }

    /// Whether what was told to go is gone.
    pub(crate) async fn is_gone(
        &self,
        (id, name): (&str, Option<&str>),
        properties: &Properties,
    ) -> Result<bool, Failure> {
        let shaped = self.shaped_if_possible(properties);
        Ok(self.describe(&self.known(Some(id), name, &shaped)).await?.is_none())
    }

    /// Looks at a resource again that was not ready for use.
    pub(crate) async fn settle(
        &self,
        (id, name): (&str, Option<&str>),
        properties: &Properties,
    ) -> Result<Made, Failure> {
        let shaped = self.shaped(properties)?;
        self.made(id, &self.known(Some(id), name, &shaped)).await
    }

    /// What the creation does not take along.
    async fn facets(&self, known: &Known<'_>) -> Result<(), Failure> {
        let due = |facet: &&Facet| facet.life != Life::Changes;
        for facet in self.kind.facets.iter().filter(due) {
            for request in request::facet(facet, &Properties::new(), known) {
                match self.send(request).await {
                    // An earlier run has set it.
                    Err(failure) if self.is_already(&failure.fault) => {}
                    answer => drop(answer?),
                }
            }
        }
        Ok(())
    }

    fn is_already(&self, fault: &Fault) -> bool {
        self.kind.already.iter().any(|text| fault.message.starts_with(text))
    }

    /// What `Ref` and `Fn::GetAtt` yield.
    async fn made(&self, id: &str, known: &Known<'_>) -> Result<Made, Failure> {
        let asks = |source: &Source| matches!(source, Source::Read(_));
        let asked = self.kind.ready.is_some() || self.kind.attributes.iter().any(|(_, source)| asks(source));
        let read = if asked { self.describe(known).await?.unwrap_or_default() } else { Document::Null };
        let known = Known {
            read: &read,
            id: Some(id),
            name: known.name,
            properties: known.properties,
            created: known.created,
            item: known.item,
            place: known.place,
        };
        let value = |(name, source): &(&str, Source)| Some(((*name).to_owned(), source.value(&known)?));
        let attributes = self.kind.attributes.iter().filter_map(value).collect();
        let ready = self.kind.ready.is_none_or(|(at, wanted)| {
            path::get(&read, at).and_then(Document::as_str).is_none_or(|state| wanted.contains(&state))
        });
        let reference = self.kind.reference.and_then(|source| source.value(&known));
        Ok(Made { id: id.to_owned(), reference: reference.unwrap_or_else(|| id.into()), attributes, ready })
    }

    /// The description, or `None` if there is no such resource or the type cannot be described.
    async fn describe(&self, known: &Known<'_>) -> Result<Option<Document>, Failure> {
        let Some(call) = self.kind.read else { return Ok(None) };
        match self.send(call.request(Document::Null, known)).await {
            Ok(answer) => Ok(self.meant(answer, known.name)),
            Err(failure) if is_gone(&failure.fault) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The answer, or of a list the entry that bears the name.
    fn meant(&self, answer: Document, name: Option<&str>) -> Option<Document> {
        let Some((list, member)) = self.kind.among else { return Some(answer) };
        let entries = path::get(&answer, list).and_then(Document::as_array)?;
        entries.iter().find(|entry| entry.get(member).and_then(Document::as_str) == name).cloned()
    }

    async fn send_away(&self, request: Request) -> Result<(), Failure> {
        match self.send(request).await {
            Err(failure) if !is_gone(&failure.fault) => Err(failure),
            _ => Ok(()),
        }
    }

    async fn send(&self, request: Request) -> Result<Document, Failure> {
        let (service, operation) = (self.kind.service, request.operation);
        let fail = |fault| Failure { fault, service, id: None, untouched: false };
        let schemas = self.effect.kernel().schemas();
        let schema =
            schemas.filter(|schema| schema.signing_name == service).find_map(|s| s.operation(operation));
        // A service that shows no schema (S3) gets what the type's own functions have made of the properties.
        let input = match schema {
            Some(schema) => conform(schema.input, request.input, "")
                .map_err(|what| Failure { fault: Fault::new(MALFORMED, what), ..self.refused("") })?,
            None => request.input,
        };
        let answer = self.effect.call(service, operation, input.to_string().into()).await.map_err(fail)?;
        let answer: Document = serde_json::from_slice(&answer).unwrap_or_default();
        match failed_entry(&answer) {
            Some(fault) => Err(fail(fault)),
            None => Ok(answer),
        }
    }

    /// Asks for what the type wants made up, if the property that says so is new or has changed.
    async fn drawn(
        &self,
        name: Option<&str>,
        old: &Properties,
        mut new: Properties,
    ) -> Result<Properties, Failure> {
        let Some(draw) = self.kind.draw else { return Ok(new) };
        if !new.contains_key(draw.property) || new.get(draw.property) == old.get(draw.property) {
            return Ok(new);
        }
        let answer = self.send(draw.call.request(Document::Null, &self.known(None, name, &new))).await?;
        (draw.into)(&mut new, &answer).map_err(|what| self.refused(&what))?;
        Ok(new)
    }

    fn shaped(&self, properties: &Properties) -> Result<Properties, Failure> {
        let mut shaped = properties.clone();
        if let Some(shape) = self.kind.shape {
            shape(&mut shaped, &self.place).map_err(|what| self.refused(&what))?;
        }
        Ok(shaped)
    }

    /// What a refused change has left behind may have no shape; it has to be changed back or taken away nevertheless.
    fn shaped_if_possible(&self, properties: &Properties) -> Properties {
        self.shaped(properties).unwrap_or_else(|_| properties.clone())
    }

    /// The name belongs to something else.
    pub(crate) fn taken(&self, name: &str) -> Failure {
        let message =
            format!("Resource of type '{}' with identifier '{name}' already exists.", self.kind.name);
        Failure {
            fault: Fault::new("AlreadyExists", message),
            service: self.kind.service,
            id: None,
            untouched: false,
        }
    }

    fn refused(&self, what: &str) -> Failure {
        Failure {
            fault: Fault::new("InvalidRequest", what),
            service: self.kind.service,
            id: None,
            untouched: false,
        }
    }

    fn known<'k>(
        &'k self,
        id: Option<&'k str>,
        name: Option<&'k str>,
        properties: &'k Properties,
    ) -> Known<'k> {
        static NOTHING: Document = Document::Null;
        Known { id, name, properties, created: &NOTHING, read: &NOTHING, item: &NOTHING, place: &self.place }
    }
}

/// Operations over several entries answer 200 even if some failed.
fn failed_entry(answer: &Document) -> Option<Fault> {
    let count = answer.get("FailedEntryCount")?.as_u64()?;
    let first = answer.get("FailedEntries").and_then(|entries| entries.get(0)).filter(|_| count > 0)?;
    let text = |member: &str| first.get(member).and_then(Document::as_str).unwrap_or_default().to_owned();
    Some(Fault::new(text("ErrorCode"), text("ErrorMessage")))
}
