//! A resource of a stack: what stands, what stood before the operation under way, and what is being done.

use std::collections::BTreeSet;

use base::{Document, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::api::ResourceStatus;
use crate::provider::Properties;
use crate::template::DeletionPolicy;

/// A row of a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// The type that the newest template gives it.
    pub kind: String,
    pub status: ResourceStatus,
    pub reason: Option<String>,
    pub changed_at: Timestamp,
    /// What stands.
    pub standing: Option<Standing>,
    /// What stood before the operation under way changed it, the oldest first. All but the first are successors that
    /// were replaced in their turn.
    pub former: Vec<Standing>,
    /// What the operation under way has done to it.
    pub change: Option<ResourceChange>,
    /// The step under way.
    pub doing: Option<Doing>,
    /// The physical id of what has been told to go, and is looked at until it is gone.
    pub going: Option<String>,
    /// `Metadata` as JSON text.
    pub metadata: Option<String>,
    /// Names the answer that a custom resource owes.
    #[serde(default)]
    pub awaiting: Option<String>,
    /// Physical ids of what the deletion under way has taken away already.
    #[serde(default)]
    pub gone: BTreeSet<String>,
}
store::stored!(Resource, format = 1);

/// A real resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub kind: String,
    /// The physical id.
    pub id: String,
    /// The name, given or generated, where the type has names.
    pub name: Option<String>,
    /// The properties as the template gave them, evaluated.
    pub properties: Properties,
    /// The properties as they may be shown, where values of secret parameters (`NoEcho`) are among them.
    #[serde(default)]
    pub masked: Option<Properties>,
    /// The properties as Cloud Control has changed them since.
    #[serde(default)]
    pub live: Option<Properties>,
    /// What `Ref` yields.
    pub reference: Document,
    /// What `Fn::GetAtt` yields.
    pub attributes: Map<String, Document>,
    /// Logical ids of what it needs: it is deleted before them.
    pub needs: BTreeSet<String>,
    pub deletion_policy: DeletionPolicy,
    pub replace_policy: DeletionPolicy,
}

/// What an operation has done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResourceChange {
    Created,
    Updated,
    Replaced,
}

/// A step that has begun. It survives a crash: the second run reads here what the first one meant to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Doing {
    /// The phase that it belongs to.
    pub generation: u64,
    pub action: Action,
    /// What shall stand in the end; its physical id is empty until it is known.
    pub target: Standing,
    /// Nothing bore the name before, and the operation that makes it may have been sent.
    pub sent: bool,
    /// It stands, and is looked at until it is ready.
    pub settling: bool,
}

/// What a step does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    Create,
    Update,
    Replace,
}

impl Standing {
    /// The properties as they may be shown.
    pub(crate) fn shown(&self) -> &Properties {
        self.masked.as_ref().unwrap_or(&self.properties)
    }
}

impl Resource {
    pub(crate) fn new(kind: &str, now: Timestamp) -> Resource {
        Resource {
            kind: kind.to_owned(),
            status: ResourceStatus::CreateInProgress,
            reason: None,
            changed_at: now,
            standing: None,
            former: Vec::new(),
            change: None,
            doing: None,
            going: None,
            metadata: None,
            awaiting: None,
            gone: BTreeSet::new(),
        }
    }

    /// The physical id as the API shows it: empty before there is one.
    pub(crate) fn physical_id(&self) -> &str {
        self.standing.as_ref().map_or("", |standing| &standing.id)
    }

    /// The operation is over for good: what stood before it is forgotten.
    pub(crate) fn forget_former(&mut self) {
        self.former.clear();
        self.change = None;
        self.doing = None;
    }

    /// What stood before and is not the same real resource as what stands.
    pub(crate) fn predecessors(&self) -> impl Iterator<Item = &Standing> {
        self.former.iter().filter(|former| self.standing.as_ref().is_none_or(|now| now.id != former.id))
    }

    /// What stands gives way to `successor`.
    pub(crate) fn succeed(&mut self, successor: Standing, change: ResourceChange) {
        if let Some(before) = self.standing.replace(successor) {
            self.former.push(before);
        }
        // What the stack's last whole state did not have stays new; what was replaced stays replaced.
        self.change = match (self.change, change) {
            (Some(ResourceChange::Created), _) => Some(ResourceChange::Created),
            (Some(ResourceChange::Replaced), ResourceChange::Updated) => Some(ResourceChange::Replaced),
            _ => Some(change),
        };
    }

    /// What is not to stand in the end: a failed operation has half made it. Whether there is any.
    pub(crate) fn clear(&mut self) -> bool {
        match self.status {
            ResourceStatus::CreateFailed => {
                self.former.extend(self.standing.take());
                self.change = None;
            }
            ResourceStatus::UpdateFailed => self.restore(),
            _ => return false,
        }
        self.predecessors().next().is_some()
    }

    /// What was changed is `before` again. All else that was made on the way is to be taken away.
    pub(crate) fn revert(&mut self, before: Standing) {
        let mut made = std::mem::take(&mut self.former);
        made.extend(self.standing.take());
        let mut seen = BTreeSet::from([before.id.clone()]);
        made.retain(|known| seen.insert(known.id.clone()));
        self.forget_former();
        self.former = made;
        self.standing = Some(before);
    }

    /// What was replaced stands again; its successors become what is to be taken away. Once: a rollback may begin again.
    pub(crate) fn restore(&mut self) {
        if self.change == Some(ResourceChange::Replaced) && !self.former.is_empty() {
            let first = self.former.remove(0);
            self.former.extend(self.standing.replace(first));
            self.change = None;
        }
    }
}
