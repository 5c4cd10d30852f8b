//! The subscribers of each bus, compiled. Kept outside the store and checked against one row, which everybody who reads
//! them guards: an event is either in front of a change of subscribers or behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use asl::Query;
use kernel::{Parts, Result, Tx};
use pattern::{Pattern, RuleSet};
use store::Version;

use crate::api::{SubscriberState, TransformerType};
use crate::keys::{AttachedKey, OnBusKey, Subscriber, SubscriberKey};
use crate::subscriber::SUBSCRIBERS_MAX;
use crate::target::Target;
use crate::{filter, params};

/// The subscribers of a bus that are running.
pub(crate) struct Compiled {
    version: Option<Version>,
    pub list: Vec<Arc<Running>>,
    /// Those with filters, by their number in the list.
    pub filtered: RuleSet<usize>,
    /// Those that get everything.
    pub unfiltered: Vec<usize>,
}

impl Compiled {
    /// The subscriber of this name and id, if it is running.
    pub(crate) fn find(&self, name: &str, id: &str) -> Option<&Arc<Running>> {
        // The list is in the order of names, as the rows are.
        let at = self.list.binary_search_by(|running| running.name.as_str().cmp(name)).ok()?;
        self.list.get(at).filter(|running| running.id == id)
    }
}

/// A subscriber that is running.
pub(crate) struct Running {
    pub name: String,
    pub id: String,
    pub pattern: Option<Arc<Pattern>>,
    pub transform: Transform,
    pub target: Target,
}

/// What a target gets.
pub(crate) enum Transform {
    Raw,
    WithMetadata,
    Jsonata { query: Box<Query>, text: String },
}

impl Running {
    /// A subscriber as its row has it.
    pub(crate) fn compile(name: &str, subscriber: &Subscriber) -> Result<Running, base::Fault> {
        let pattern = subscriber.filter.as_ref().map(filter::compile).transpose()?.map(Arc::new);
        Ok(Running {
            name: name.to_owned(),
            id: subscriber.id.clone(),
            pattern,
            transform: transform(subscriber)?,
            target: Target::compile(&subscriber.invoke)?,
        })
    }
}

fn transform(subscriber: &Subscriber) -> Result<Transform, base::Fault> {
    let Some(transformer) = &subscriber.transformer else { return Ok(Transform::Raw) };
    let text = transformer.jsonata_configuration.as_ref().map(|jsonata| jsonata.expression.as_str());
    match (transformer.r#type.unwrap_or(TransformerType::Raw), text) {
        (TransformerType::Raw, None) => Ok(Transform::Raw),
        (TransformerType::WithMetadata, None) => Ok(Transform::WithMetadata),
        (TransformerType::Jsonata, Some(text)) => {
            let name = "Transformer.JsonataConfiguration.Expression";
            let query = params::query(name, text)?;
            let missing = || crate::fault::invalid(format!("{name} must be enclosed in {{% and %}}."));
            Ok(Transform::Jsonata { query: Box::new(query.ok_or_else(missing)?), text: text.to_owned() })
        }
        (TransformerType::Jsonata, None) => {
            let message = "Transformer.JsonataConfiguration.Expression is required when Type is JSONATA.";
            Err(crate::fault::invalid(message))
        }
        (_, Some(_)) => {
            Err(crate::fault::invalid("Transformer.JsonataConfiguration is for the type JSONATA only."))
        }
    }
}

/// The running subscribers of every bus, by account, region and bus.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, Arc<Compiled>>>);

impl Cache {
    /// The bus's running subscribers; if they change before the commit, the handler runs again.
    pub(crate) async fn running(&self, tx: &mut Tx, bus: &str) -> Result<Arc<Compiled>> {
        let key = AttachedKey { bus: bus.to_owned() };
        let version = tx.get_versioned(&key).await?.map(|(_, version)| version);
        // What this transaction wrote itself has no version yet.
        let committed = version != Some(Version(0));
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bus).cloned();
        if let Some(known) = known.filter(|known| committed && known.version == version) {
            return Ok(known);
        }
        let compiled = Arc::new(compile(tx, bus, version).await?);
        if committed {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(bus.to_owned(), Arc::clone(&compiled));
        }
        Ok(compiled)
    }
}

async fn compile(tx: &mut Tx, bus: &str, version: Option<Version>) -> Result<Compiled> {
    let names = tx.scan::<OnBusKey>(Parts::of(bus), SUBSCRIBERS_MAX).await?;
    let (mut list, mut patterns, mut unfiltered) = (Vec::new(), Vec::new(), Vec::new());
    for (OnBusKey { name, .. }, ()) in names {
        let key = SubscriberKey { name };
        let Some(subscriber) = tx.peek(&key).await? else { continue };
        if subscriber.state != SubscriberState::Running || subscriber.revoked {
            continue;
        }
        // It was compiled when it was put; a row that is refused now is our mistake.
        let running = Running::compile(&key.name, &subscriber).map_err(|fault| {
            kernel::Error::bug(format!("compile subscriber {}: {}", key.name, fault.message))
        })?;
        match &running.pattern {
            Some(pattern) => patterns.push((list.len(), Arc::clone(pattern))),
            None => unfiltered.push(list.len()),
        }
        list.push(Arc::new(running));
    }
    Ok(Compiled { version, list, filtered: RuleSet::new(patterns), unfiltered })
}
