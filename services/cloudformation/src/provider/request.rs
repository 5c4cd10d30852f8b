//! From a row of data and a resource's values to the requests that make, change and take it away. Pure.

use base::Document;

use super::diff::changed;
use super::{Call, Change, Changed, Facet, Known, Properties, Request, ResourceType, Source, Takes, path};

impl Source {
    /// The value, if there is one.
    pub(super) fn value(self, known: &Known<'_>) -> Option<Document> {
        match self {
            Source::Id => known.id.map(Document::from),
            Source::Name => known.name.map(Document::from),
            Source::Property(at) => {
                let (first, rest) = at.split_once('.').unwrap_or((at, ""));
                known.properties.get(first).and_then(|value| path::get(value, rest)).cloned()
            }
            Source::Read(at) => found(known.read, at),
            Source::Item(at) => found(known.item, at),
            Source::Text(text) => fill(text, known).map(Document::from),
            Source::Function(function) => function(known),
        }
    }
}

fn found(document: &Document, at: &str) -> Option<Document> {
    path::get(document, at).filter(|value| !value.is_null()).cloned()
}

/// `None` if a value that the text names is unknown.
fn fill(text: &str, known: &Known<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        out.push_str(before);
        match name {
            "id" => out.push_str(known.id?),
            "name" => out.push_str(known.name?),
            "region" => out.push_str(&known.place.region),
            "account" => out.push_str(&known.place.account),
            property => out.push_str(known.properties.get(property.strip_prefix('.')?)?.as_str()?),
        }
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

impl Call {
    /// The request, with `input` as its beginning.
    pub(super) fn request(self, mut input: Document, known: &Known<'_>) -> Request {
        for (to, source) in self.with {
            if let Some(value) = source.value(known) {
                path::set(&mut input, to, value);
            }
        }
        if input.is_null() {
            input = Document::Object(serde_json::Map::new());
        }
        Request { operation: self.operation, input }
    }
}

/// The request that makes the resource.
pub(super) fn create(kind: &ResourceType, known: &Known<'_>) -> Option<Request> {
    let mut input = Document::Null;
    if let (Some(property), Some(name)) = (kind.name_property(), known.name) {
        put_property(kind, &mut input, property, &name.into());
    }
    for (name, value) in known.properties {
        put_property(kind, &mut input, name, value);
    }
    Some(kind.create?.request(input, known))
}

fn put_property(kind: &ResourceType, input: &mut Document, name: &str, value: &Document) {
    match kind.property(name) {
        Some(property) if property.to.is_empty() => {}
        Some(property) => path::set(input, property.to, value.clone()),
        // What a type's shape function made of its properties goes by its own name.
        None => path::set(input, name, value.clone()),
    }
}

/// The requests that turn a resource with the properties `old` into one with `known.properties`.
pub(super) fn update(kind: &ResourceType, old: &Properties, known: &Known<'_>) -> Vec<Request> {
    let new = known.properties;
    let different = changed(old, new);
    let change_of = |name: &str| kind.property(name).map_or(Change::Update(0), |property| property.change);
    let mut requests = Vec::new();
    for (number, update) in kind.updates.iter().enumerate() {
        let mine = |name: &str| change_of(name) == Change::Update(number);
        if !different.iter().any(|name| mine(name)) {
            continue;
        }
        let mut input = Document::Null;
        for (name, value) in new.iter().filter(|(name, _)| mine(name)) {
            let takes = match update.takes {
                Takes::All => true,
                Takes::Changed => different.contains(&name.as_str()),
                Takes::Nothing => false,
            };
            if takes {
                put_property(kind, &mut input, name, value);
            }
        }
        let removed = different.iter().filter(|name| mine(name) && !new.contains_key(**name));
        for name in removed.filter(|_| update.takes != Takes::Nothing) {
            let reset = kind.property(name).and_then(|property| serde_json::from_str(property.reset).ok());
            if let Some(reset) = reset {
                put_property(kind, &mut input, name, &reset);
            }
        }
        requests.push(update.call.request(input, known));
    }
    if let (Some(further), Some(id)) = (kind.changes, known.id) {
        requests.extend(further(&Changed { id, old, new }));
    }
    requests
}

/// The requests that bring a facet from `old` to `known.properties`. On creation, `old` is empty.
pub(super) fn facet(facet: &Facet, old: &Properties, known: &Known<'_>) -> Vec<Request> {
    let before = items(facet, old);
    let after = items(facet, known.properties);
    let again = facet.also_on.iter().any(|property| old.get(*property) != known.properties.get(*property));
    let key = |item: &Document| path::get(item, facet.key).cloned();
    let removed = before.iter().filter(|item| !after.iter().any(|other| key(other) == key(item)));
    let new = after.iter().filter(|item| again || !before.contains(item));
    let removed =
        removed.filter_map(|item| Some(facet.remove?.request(Document::Null, &of_item(known, item))));
    let new = new.filter_map(|item| Some(facet.put?.request(Document::Null, &of_item(known, item))));
    removed.chain(new).collect()
}

/// The requests that take a facet away before the resource goes.
pub(super) fn unset(facet: &Facet, known: &Known<'_>) -> Vec<Request> {
    let items = items(facet, known.properties);
    let one = |item: &Document| Some(facet.remove?.request(Document::Null, &of_item(known, item)));
    items.iter().filter_map(one).collect()
}

fn items(facet: &Facet, properties: &Properties) -> Vec<Document> {
    match (facet.many, properties.get(facet.property)) {
        (_, None) => Vec::new(),
        (true, Some(Document::Array(items))) => items.clone(),
        (_, Some(value)) => vec![value.clone()],
    }
}

fn of_item<'k>(known: &Known<'k>, item: &'k Document) -> Known<'k> {
    Known {
        id: known.id,
        name: known.name,
        properties: known.properties,
        created: known.created,
        read: known.read,
        item,
        place: known.place,
    }
}
