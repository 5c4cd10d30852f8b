//! Staging labels: each is attached to one version of a secret. Pure.
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>

use std::collections::BTreeMap;

use base::Fault;

use crate::fault;
use crate::keys::Secret;

/// The version that is read unless another is asked for.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// The version that was current before.
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// The most labels of a version.
const STAGES_MAX: usize = 20;
/// The most versions of a secret; beyond them, the oldest without a label go.
const VERSIONS_MAX: usize = 100;

impl Secret {
    /// The labels of a version.
    pub(crate) fn stages_of(&self, version: &str) -> Vec<String> {
        let of = self.stages.iter().filter(|(_, attached)| *attached == version);
        of.map(|(stage, _)| stage.clone()).collect()
    }

    /// The versions that have labels, with them.
    pub(crate) fn staged(&self) -> BTreeMap<String, Vec<String>> {
        let mut staged: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (stage, version) in &self.stages {
            staged.entry(version.clone()).or_default().push(stage.clone());
        }
        staged
    }

    /// Attaches a label to a version, from wherever it was. What was current becomes the previous one.
    ///
    /// # Errors
    /// `LimitExceededException`.
    pub(crate) fn attach(&mut self, stage: &str, version: &str) -> Result<(), Fault> {
        let before = self.stages.insert(stage.to_owned(), version.to_owned());
        if let Some(before) = before.filter(|before| stage == CURRENT && before != version) {
            self.stages.insert(PREVIOUS.to_owned(), before);
        }
        if self.stages_of(version).len() > STAGES_MAX {
            return Err(fault::limit(format!(
                "A version can have at most {STAGES_MAX} staging labels attached."
            )));
        }
        Ok(())
    }

    /// The versions that must go so that there are not too many: the oldest without labels.
    ///
    /// # Errors
    /// `LimitExceededException`: too many have labels.
    pub(crate) fn surplus(&self) -> Result<Vec<String>, Fault> {
        let count = self.versions.len().saturating_sub(VERSIONS_MAX);
        let attached = |id: &String| self.stages.values().any(|version| version == id);
        let mut deprecated: Vec<_> = self.versions.iter().filter(|(id, _)| !attached(id)).collect();
        deprecated.sort_by_key(|(_, version)| version.created_at);
        let gone: Vec<String> = deprecated.into_iter().take(count).map(|(id, _)| id.clone()).collect();
        if gone.len() < count {
            return Err(fault::limit(format!(
                "A secret can have at most {VERSIONS_MAX} versions with labels."
            )));
        }
        Ok(gone)
    }
}
