//! A bus's policies, compiled. Kept outside the store and checked against one row: an event on a bus without policies
//! looks for that row and does nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use kernel::{Parts, Result, Tx};
use store::Version;

use super::keys::{Policy, PolicyKey, ValidationsKey};
use super::policies::POLICIES_MAX;
use super::schema::{self, Subject};
use super::{ANY, Mode, UsedSchema};

/// The policies of a bus.
pub(crate) struct Compiled {
    version: Version,
    by: HashMap<(String, String), Arc<CompiledPolicy>>,
}

/// A policy, ready to check.
pub(crate) struct CompiledPolicy {
    pub mode: Mode,
    /// None where nothing is checked.
    pub schema: Option<CompiledSchema>,
}

/// A schema, ready to check.
pub(crate) struct CompiledSchema {
    pub used: UsedSchema,
    pub subject: Subject,
    pub text: String,
    pub validator: Arc<Validator>,
}

/// The compiled policies of every bus, by account, region and name.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, Arc<Compiled>>>);

impl Cache {
    /// The policy that holds for events of a source and detail type: the one that says most of them.
    pub(crate) async fn policy(
        &self,
        tx: &mut Tx,
        bus: &str,
        source: &str,
        detail_type: &str,
    ) -> Result<Option<Arc<CompiledPolicy>>> {
        let row = ValidationsKey { bus: bus.to_owned() };
        let Some(version) = tx.version_of(&row).await? else { return Ok(None) };
        let compiled = self.compiled(tx, bus, version).await?;
        let places = [(source, detail_type), (source, ANY), (ANY, detail_type), (ANY, ANY)];
        let found = places.into_iter().find_map(|(source, detail_type)| {
            compiled.by.get(&(source.to_owned(), detail_type.to_owned())).cloned()
        });
        Ok(found)
    }

    async fn compiled(&self, tx: &mut Tx, bus: &str, version: Version) -> Result<Arc<Compiled>> {
        let name = format!("{}/{}/{bus}", tx.scope().account, tx.scope().region);
        // Policies that this transaction wrote itself have no version yet, and may never get one.
        let committed = version != Version(0);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(known) = known.as_ref().filter(|known| committed && known.version == version) {
            return Ok(Arc::clone(known));
        }
        let rows = tx.scan::<PolicyKey>(Parts::of(bus), POLICIES_MAX).await?;
        let mut by = HashMap::with_capacity(rows.len());
        for (key, policy) in rows {
            let place = (key.source, key.detail_type);
            let before = known.as_ref().and_then(|known| known.by.get(&place));
            let compiled = Arc::new(compile(policy, before.map(AsRef::as_ref))?);
            by.insert(place, compiled);
        }
        let compiled = Arc::new(Compiled { version, by });
        if committed {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&compiled));
        }
        Ok(compiled)
    }
}

/// What was compiled of the same text is used again. A version alone does not tell: a schema may be deleted and made anew.
fn compile(policy: Policy, before: Option<&CompiledPolicy>) -> Result<CompiledPolicy> {
    let Some(wanted) = policy.schema else { return Ok(CompiledPolicy { mode: policy.mode, schema: None }) };
    let before = before.and_then(|before| before.schema.as_ref());
    let validator = match before.filter(|before| before.text == wanted.text) {
        Some(before) => Arc::clone(&before.validator),
        // It was compiled when the policy was put; a stored text that is refused now is our mistake.
        None => schema::compile(&wanted.text)
            .map(|(_, validator)| Arc::new(validator))
            .map_err(|fault| kernel::Error::bug(format!("compile schema {}: {fault}", wanted.used)))?,
    };
    let schema = CompiledSchema { used: wanted.used, subject: wanted.subject, text: wanted.text, validator };
    Ok(CompiledPolicy { mode: policy.mode, schema: Some(schema) })
}
