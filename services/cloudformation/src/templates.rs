//! Parsed templates of the stacks that were worked on last. Losing them loses nothing but the time to parse again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::keys::TemplateKey;
use crate::template::Template;

const KEPT: usize = 16;

/// The cache: a stored template never changes, so its key says all.
#[derive(Default)]
pub(crate) struct Templates(Mutex<VecDeque<(TemplateKey, Arc<Template>)>>);

impl Templates {
    pub(crate) fn get(&self, key: &TemplateKey) -> Option<Arc<Template>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == key).map(|(_, template)| Arc::clone(template))
    }

    pub(crate) fn put(&self, key: &TemplateKey, template: Template) -> Arc<Template> {
        let template = Arc::new(template);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((key.clone(), Arc::clone(&template)));
        kept.truncate(KEPT);
        template
    }
}
