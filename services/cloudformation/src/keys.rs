//! Every row that CloudFormation keeps.
//!
//! | key | value |
//! |---|---|
//! | `NameKey { name }` | the id of the stack that bears the name now; deleted stacks have none |
//! | `StackKey { id }` | the stack, deleted ones included |
//! | `TemplateKey { stack, version }` | a template's text, its transforms done |
//! | `OriginalKey { stack, version }` | a template's text before its transforms, where it has any |
//! | `PlanKey { stack }` | the operation that is under way |
//! | `ResourceKey { stack, logical_id }` | a resource of the stack |
//! | `EventKey { stack }` | the log of what has happened to the stack |
//! | `ExportKey { name }` | an exported output and who imports it |
//! | `ChangeSetKey { stack, name }` | a change set |
//! | `AwaitedKey { token }` | the answer that a custom resource owes |
//! | `SignalsKey { name }` | the signals of a wait condition handle, named by its token, or of a wait condition with a creation policy |
//! | `ControlKey { token }` | a change that was made to one resource by Cloud Control |
//! | `TickKey { stack }` | the time of the stack's newest event |
//! | `ChangeSetIdKey { id }` | the id of the stack that a change set, named by the last part of its ARN, belongs to |
//!
//! Guards: a name is taken by reading its `NameKey`; an export is taken, imported and given up by reading its
//! `ExportKey`, which names its importers; the steps of one operation meet at the `PlanKey`; a change set's name is taken
//! by reading its `ChangeSetKey`.

use crate::change_set::ChangeSet;
use crate::control::Changed;
use crate::deploy::{Awaited, Signals};
use crate::export::Export;
use crate::plan::Plan;
use crate::record::{Event, Tick};
use crate::resource::Resource;
use crate::stack::Stack;

kernel::keys! {
    /// The live stack of a name.
    pub(crate) struct NameKey(1) -> String { name: String }
    /// A stack.
    pub(crate) struct StackKey(2, large) -> Stack { id: String }
    /// A template's text.
    pub(crate) struct TemplateKey(3, large) -> String { stack: String, version: u64 }
    /// The operation under way.
    pub(crate) struct PlanKey(4, large) -> Plan { stack: String }
    /// A resource.
    pub(crate) struct ResourceKey(5, large) -> Resource { stack: String, logical_id: String }
    /// What has happened.
    pub(crate) struct EventKey(6) -> Event { stack: String }
    /// An export.
    pub(crate) struct ExportKey(7) -> Export { name: String }
    /// A change set.
    pub(crate) struct ChangeSetKey(8, large) -> ChangeSet { stack: String, name: String }
    /// The stack of a change set.
    pub(crate) struct ChangeSetIdKey(9) -> String { id: String }
    /// A template's text before its transforms.
    pub(crate) struct OriginalKey(11, large) -> String { stack: String, version: u64 }
    /// An answer that is waited for.
    pub(crate) struct AwaitedKey(10) -> Awaited { token: String }
    /// A change of one resource.
    pub(crate) struct ControlKey(13, large) -> Changed { token: String }
    /// The time of the newest event.
    pub(crate) struct TickKey(14) -> Tick { stack: String }
    /// Signals, and who waits for them.
    pub(crate) struct SignalsKey(12, large) -> Signals { name: String }
}
